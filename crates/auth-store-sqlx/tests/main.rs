//! The stores against real databases: the conformance suite, and what only these adapters can get wrong.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]
#![allow(clippy::duplicate_mod, reason = "one source for all dialects")]

/// What is reported to have run.
const SUITE: &str = "store";

mod mysql;
mod postgres;
mod sqlite;
mod support;
