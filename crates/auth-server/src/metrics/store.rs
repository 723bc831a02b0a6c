//! How the store is doing, asked when somebody wants to know.

use std::time::Duration;

use auth_core::domain::{Backlog, Timestamp};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::time::timeout;

use crate::service::database::SqlStore;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Pool {
    /// `read` or `write`.
    pool: &'static str,
    /// `used` or `idle`.
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfPool {
    pool: &'static str,
}

/// Asks the store, within a bounded time. What it doesn't tell isn't there.
pub(super) async fn sample(store: &dyn SqlStore, now: Timestamp, registry: &mut Registry) {
    connections(store, registry);
    let backlog = timeout(PATIENCE, store.backlog()).await.ok().and_then(Result::ok);
    let mut gauge = |name: &str, help: &str, value: u64| {
        let gauge = Gauge::<i64>::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        registry.register(name, help, gauge);
    };
    gauge("store_up", "Whether the store answers", backlog.is_some().into());
    if let Some(Backlog { queued, oldest, dead }) = backlog {
        let age = oldest.map_or(0, |oldest| now.since(oldest).as_secs());
        gauge("outbox_queued", "Mails to be sent", queued);
        gauge("outbox_oldest_age_seconds", "How long the oldest of them has waited", age);
        gauge("outbox_dead", "Mails given up, of the last week", dead);
    }
}

/// Less than Prometheus waits for by itself (10 s).
const PATIENCE: Duration = Duration::from_secs(3);

fn connections(store: &dyn SqlStore, registry: &mut Registry) {
    let (connections, limits) = (Family::<Pool, Gauge>::default(), Family::<OfPool, Gauge>::default());
    for (pool, usage) in store.pools() {
        connections.get_or_create(&Pool { pool, state: "used" }).set(usage.used.into());
        connections.get_or_create(&Pool { pool, state: "idle" }).set(usage.idle.into());
        limits.get_or_create(&OfPool { pool }).set(usage.max.into());
    }
    registry.register("store_connections", "Connections to the store", connections);
    registry.register("store_connections_limit", "Connections that there may be", limits);
}
