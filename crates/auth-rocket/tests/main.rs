//! The HTTP conformance suite through Rocket's server, over every store; and what is Rocket's own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]
#![allow(clippy::needless_pass_by_value, reason = "Rocket hands guards over")]

#[path = "../../auth-testkit/adapters/mod.rs"]
mod adapters;
mod alike;
mod application;
mod catchers;
mod cookies;
mod deny_by_default;
mod guards;
mod slow_bodies;
mod web;

use adapters::{host, matrix};
