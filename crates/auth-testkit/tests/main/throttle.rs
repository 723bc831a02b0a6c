//! The in-process throttle of the core passes the suite.

use std::sync::Arc;

use auth_core::adapter::LocalThrottle;

async fn open() -> Arc<LocalThrottle> {
    Arc::default()
}

auth_testkit::throttle_suite!(open);
