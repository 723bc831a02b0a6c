//! Storage for Portcullis on sqlx: [`PostgresStore`] with feature `postgres`, [`MysqlStore`] with feature `mysql`,
//! [`SqliteStore`] with feature `sqlite`.
//!
//! All implement every part of [`Store`](auth_core::port::Store), from one source: a dialect's file states what is
//! particular to it and includes the shared modules.
//!
//! - A commit is one transaction in a task of its own: a caller that is dropped doesn't cut it short.
//! - Contention is retried, waits are bounded: five seconds for a connection and five for what is done with it. A
//!   database that is away is [`StoreError::Unavailable`](auth_core::port::StoreError).
//! - Statements are logged by sqlx at level `debug` under the target `sqlx::query`, without their values.
//!
//! The tables are those of [`auth_schema`]. With feature `migrate` a store makes them; without it, it can say which
//! migrations are missing.

#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
mod error;
#[cfg(feature = "mysql")]
pub mod mysql;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;

pub use auth_store::usage::PoolUsage;
#[cfg(feature = "mysql")]
pub use mysql::MysqlStore;
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
