//! The cache of sessions, seen from its door.

use std::sync::Arc;

use async_trait::async_trait;
use auth_core::domain::{SessionKey, Signed, UserId};
use auth_core::port::{Cached, SessionCache, Ticket};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// Sessions that were looked up, by where they were found. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Sessions {
    in_cache: Counter,
    in_store: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Place {
    found: &'static str,
}

impl Sessions {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let places = Family::<Place, Counter>::default();
        let sessions = Self {
            in_cache: places.get_or_create_owned(&Place { found: "cache" }),
            in_store: places.get_or_create_owned(&Place { found: "store" }),
        };
        registry.register("sessions_looked_up", "Sessions that a cache was asked for", places);
        sessions
    }
}

/// A cache whose answers are counted.
#[derive(Debug)]
pub(super) struct MeteredCache {
    inner: Arc<dyn SessionCache>,
    sessions: Sessions,
}

impl MeteredCache {
    pub(super) fn new(inner: Arc<dyn SessionCache>, sessions: Sessions) -> Self {
        Self { inner, sessions }
    }
}

#[async_trait]
impl SessionCache for MeteredCache {
    async fn find(&self, key: &SessionKey, user: UserId) -> Cached {
        let found = self.inner.find(key, user).await;
        match &found {
            Cached::Hit(_) => self.sessions.in_cache.inc(),
            Cached::Miss(_) => self.sessions.in_store.inc(),
        };
        found
    }

    async fn keep(&self, ticket: Ticket, signed: &Arc<Signed>) {
        self.inner.keep(ticket, signed).await;
    }

    async fn forget(&self, users: &[UserId]) {
        self.inner.forget(users).await;
    }

    async fn forget_all(&self) {
        self.inner.forget_all().await;
    }
}
