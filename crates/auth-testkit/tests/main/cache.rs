//! The in-process cache of the core passes the suite.

use std::sync::Arc;

use auth_core::adapter::LocalSessions;

async fn open() -> Arc<LocalSessions> {
    Arc::default()
}

auth_testkit::cache_suite!(open);
