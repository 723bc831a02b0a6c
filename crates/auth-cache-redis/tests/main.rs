//! What is shared, on a real server: by the test kit's suite, by nodes that race, and while the server is away.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod outage;
mod sharing;
mod support;

/// The test kit's suite.
mod conformance {
    use std::sync::Arc;

    use auth_core::adapter::LocalThrottle;
    use auth_core::port::Throttle;

    use crate::support::{Node, shared};

    async fn open() -> Arc<dyn Throttle> {
        // Left out of this run: the suite needs something to pass on.
        let Some(url) = shared() else { return Arc::new(LocalThrottle::default()) };
        Arc::new(Node::patient(&url).throttle)
    }

    auth_testkit::throttle_suite!(open);
}
