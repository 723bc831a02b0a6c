//! What one needs to test a system built on Portcullis, and to prove a store of one's own.
//!
//! - [`MemoryStore`]: every store port over plain tables, written to be read; the reference that adapters are held to.
//! - [`FakeClock`], [`SeededEntropy`], [`Inbox`]: time, randomness and mail under the test's control.
//! - [`Faulty`], [`Counting`], [`Nodes`]: decorators that fail a store at a chosen point, note what it was asked, and
//!   spread calls over several handles of one database.
//! - [`race`](race::race): any number of tasks, released at once.
//! - [`store_suite!`], [`idempotency_suite!`], [`throttle_suite!`], [`cache_suite!`]: the conformance suites. An adapter that passes them
//!   can be put under the core.
//!
//! # A store of your own
//! Implement the ports that make up [`Store`](auth_core::port::Store), and call the suite with a function that opens
//! it. Each check becomes a test with a name of its own:
//!
//! ```
//! mod conformance {
//!     use std::sync::Arc;
//!
//!     use auth_core::port::Store;
//!     use auth_testkit::MemoryStore; // yours
//!
//!     async fn open() -> Arc<dyn Store> {
//!         Arc::new(MemoryStore::new())
//!     }
//!
//!     auth_testkit::store_suite!(open);
//! }
//! ```
//!
//! - The function runs once per check, on a Tokio runtime with several threads. It may open a new database each time or
//!   the same one: checks make users of their own, and expect nothing of what else is there.
//! - Checks may run at the same time, also from several processes. The few that can't (the outbox is one queue for all)
//!   take turns through the store's own leases.
//! - The database should serve nothing but the suite meanwhile: another system's mail worker would take its mail.
//!
//! The same suite over two connections of one database shows that nothing depends on what one process remembers: wrap
//! both in [`Nodes`].

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "what a test kit finds wrong is a panic")]

mod authenticator;
pub mod cache;
pub mod clock;
pub mod entropy;
pub mod fault;
pub mod flow;
pub mod given;
pub mod hasher;
pub mod http;
pub mod idempotency;
pub mod inbox;
pub mod layer;
pub mod memory;
pub mod picture;
pub mod race;
pub mod show;
pub mod store;
mod suite;
pub mod throttle;

pub use authenticator::Authenticator;
pub use clock::FakeClock;
pub use entropy::SeededEntropy;
pub use fault::{Fault, Faulty};
pub use hasher::FastHasher;
pub use inbox::Inbox;
pub use layer::{Call, Counting, Nodes};
pub use memory::MemoryStore;
#[doc(hidden)]
pub use {auth_core::port as __port, suite::block_on};
