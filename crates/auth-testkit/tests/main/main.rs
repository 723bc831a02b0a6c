//! The test kit's own tests.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, its helpers too")]

mod cache;
mod fault;
mod flows;
mod imported;
mod inbox;
mod memory;
mod nodes;
mod openapi;
mod suites;
mod throttle;
