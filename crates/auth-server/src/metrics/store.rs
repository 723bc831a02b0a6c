//! How the store is doing, asked when somebody wants to know.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

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
pub(super) async fn sample(store: &dyn SqlStore, registry: &mut Registry) {
    connections(store, registry);
    let up: Gauge = Gauge::default();
    up.set(tokio::time::timeout(PATIENCE, store.ping()).await.is_ok_and(|answer| answer.is_ok()).into());
    registry.register("store_up", "Whether the store answers", up);
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
