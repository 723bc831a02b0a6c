//! What is shared, on real servers: by the test kit's suites, by nodes that race, and while the server is away.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod conformance;
mod outage;
mod session_outage;
mod sessions;
mod sharing;
mod support;
