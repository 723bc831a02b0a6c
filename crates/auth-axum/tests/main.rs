//! The HTTP conformance suite through axum's router, over every store; and what is axum's own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod application;
mod cookies;
mod deny_by_default;
mod guards;
mod host;
mod on_memory;
mod on_mysql;
mod on_postgres;
mod on_sqlite;
mod on_the_wire;
mod rate_limit;
mod report;
mod slow_bodies;
mod web;
