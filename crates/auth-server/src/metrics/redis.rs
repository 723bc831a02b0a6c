//! How it goes with what nodes share.

use auth_cache_redis::{Redis, RedisSessions};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Redis, and the sessions of which this process has copies, if it has any.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) redis: Redis,
    pub(super) near: Option<RedisSessions>,
}

impl Watched {
    pub(super) fn sample(&self, registry: &mut Registry) {
        let mut gauge = |name: &str, help: &str, is_so: bool| {
            let gauge = Gauge::<i64>::default();
            gauge.set(is_so.into());
            registry.register(name, help, gauge);
        };
        gauge("redis_up", "Whether Redis answered when it was last asked", self.redis.is_reachable());
        if let Some(near) = &self.near {
            let help = "Whether this process hears what others commit, and may answer by copies of its own";
            gauge("redis_listening", help, near.is_listening());
        }
    }
}
