//! Whether the nodes count together.

use auth_cache_redis::Redis;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

pub(super) fn sample(redis: &Redis, registry: &mut Registry) {
    let up = Gauge::<i64>::default();
    up.set(redis.is_reachable().into());
    registry.register("redis_up", "Whether Redis answered when it was last asked", up);
}
