//! The HTTP conformance suite through axum's router, over every store; and what is axum's own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

#[path = "../../auth-testkit/adapters/mod.rs"]
mod adapters;
mod application;
mod cookies;
mod deny_by_default;
mod guards;
mod memory;
mod mounted;
mod redis;
mod slow_bodies;
mod web;

use adapters::{host, matrix};
