//! The stores against real databases: what every SQL store is tested for, from the one source that auth-store-sqlx is tested
//! with, and both stores on one database.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]
#![allow(clippy::duplicate_mod, reason = "one source for all dialects")]

/// What is reported to have run.
const SUITE: &str = "store-diesel";

mod mysql;
mod postgres;
mod sqlite;
#[path = "../../auth-store-sqlx/tests/support/mod.rs"]
mod support;
