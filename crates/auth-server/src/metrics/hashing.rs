//! The hashing pool, seen from its door.

use std::sync::Arc;

use async_trait::async_trait;
use auth_core::adapter::PoolSettings;
use auth_core::domain::{Password, PasswordHash};
use auth_core::port::{HashError, PasswordHasher, Verdict};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tokio::time::Instant;

/// What is known of hashing. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Hashing {
    /// Passwords that wait or are being hashed.
    under_way: Gauge,
    refused: Counter,
    duration: Histogram,
}

impl Hashing {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let hashing = Self {
            under_way: Gauge::default(),
            refused: Counter::default(),
            duration: Histogram::new([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0]),
        };
        let help = "Passwords that weren't hashed because the queue was full";
        registry.register("hashing_refused", help, hashing.refused.clone());
        let help = "From asking for a hash to having it, waiting included";
        registry.register_with_unit("hashing_duration", help, Unit::Seconds, hashing.duration.clone());
        hashing
    }

    /// What is under way now.
    pub(super) fn sample(&self, registry: &mut Registry) {
        let mut gauge = |name: &str, help: &str, value: i64| {
            let gauge = Gauge::<i64>::default();
            gauge.set(value);
            registry.register(name, help, gauge);
        };
        let threads = i64::try_from(PoolSettings::default().threads.get()).unwrap_or(i64::MAX);
        let under_way = self.under_way.get();
        gauge("hashing_threads", "Threads that hash passwords", threads);
        gauge("hashing_busy", "Threads that are hashing", under_way.min(threads));
        gauge("hashing_waiting", "Passwords that wait for a thread", under_way.saturating_sub(threads).max(0));
    }
}

/// A hasher whose work is counted.
#[derive(Debug)]
pub(super) struct MeteredHasher {
    inner: Arc<dyn PasswordHasher>,
    hashing: Hashing,
}

impl MeteredHasher {
    pub(super) fn new(inner: Arc<dyn PasswordHasher>, hashing: Hashing) -> Self {
        Self { inner, hashing }
    }

    async fn metered<T>(&self, work: impl Future<Output = Result<T, HashError>>) -> Result<T, HashError> {
        let Hashing { under_way, refused, duration } = &self.hashing;
        let begun = Instant::now();
        let outcome = {
            // A client who goes away drops this future anywhere.
            let _counted = UnderWay::new(under_way);
            work.await
        };
        match &outcome {
            Err(HashError::Busy) => drop(refused.inc()),
            _ => duration.observe(begun.elapsed().as_secs_f64()),
        }
        outcome
    }
}

struct UnderWay<'a>(&'a Gauge);

impl<'a> UnderWay<'a> {
    fn new(gauge: &'a Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[async_trait]
impl PasswordHasher for MeteredHasher {
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashError> {
        self.metered(self.inner.hash(password)).await
    }

    async fn verify(&self, password: &Password, hash: Option<PasswordHash>) -> Result<Verdict, HashError> {
        self.metered(self.inner.verify(password, hash)).await
    }
}
