//! The test kit's suites, on a server and on a Cluster; what is found, by nodes in turn.

use std::sync::Arc;

use auth_cache_redis::{RedisIdempotency, RedisSessions, RedisThrottle};
use auth_core::adapter::{LocalSessions, LocalThrottle};
use auth_core::port::{Idempotency, SessionCache, Throttle};
use auth_testkit::MemoryStore;

use crate::support::{Backend, InTurn, eventually};

// Where a backend is left out of this run, a suite has something else to pass on.

fn throttle(backend: Backend) -> Arc<dyn Throttle> {
    match backend.open() {
        Some(redis) => Arc::new(RedisThrottle::new(redis)),
        None => Arc::new(LocalThrottle::default()),
    }
}

fn replies(backend: Backend) -> Arc<dyn Idempotency> {
    match backend.open() {
        Some(redis) => Arc::new(RedisIdempotency::new(redis)),
        None => Arc::new(MemoryStore::new()),
    }
}

/// Two nodes without copies of their own: neither ever finds what the other knows to be revoked.
fn sessions(backend: Backend) -> Arc<dyn SessionCache> {
    match backend.open() {
        Some(redis) => InTurn::of([redis.clone(), redis].map(RedisSessions::new).into()),
        None => Arc::new(LocalSessions::default()),
    }
}

/// A node with copies of its own.
async fn near(backend: Backend) -> Arc<dyn SessionCache> {
    let Some(redis) = backend.open() else { return Arc::new(LocalSessions::default()) };
    let sessions = RedisSessions::new(redis).with_local_copies(LocalSessions::LONGEST);
    eventually(async || sessions.is_listening()).await;
    Arc::new(sessions)
}

mod single {
    use super::*;

    async fn open_throttle() -> Arc<dyn Throttle> {
        throttle(Backend::Single)
    }

    async fn open_replies() -> Arc<dyn Idempotency> {
        replies(Backend::Single)
    }

    async fn open_sessions() -> Arc<dyn SessionCache> {
        sessions(Backend::Single)
    }

    auth_testkit::throttle_suite!(open_throttle);
    auth_testkit::idempotency_suite!(open_replies);
    auth_testkit::cache_suite!(open_sessions);

    mod with_local_copies {
        use super::*;

        async fn open() -> Arc<dyn SessionCache> {
            near(Backend::Single).await
        }

        auth_testkit::cache_suite!(open);
    }
}

mod cluster {
    use super::*;

    async fn open_throttle() -> Arc<dyn Throttle> {
        throttle(Backend::Cluster)
    }

    async fn open_replies() -> Arc<dyn Idempotency> {
        replies(Backend::Cluster)
    }

    async fn open_sessions() -> Arc<dyn SessionCache> {
        sessions(Backend::Cluster)
    }

    auth_testkit::throttle_suite!(open_throttle);
    auth_testkit::idempotency_suite!(open_replies);
    auth_testkit::cache_suite!(open_sessions);

    mod with_local_copies {
        use super::*;

        async fn open() -> Arc<dyn SessionCache> {
            near(Backend::Cluster).await
        }

        auth_testkit::cache_suite!(open);
    }
}
