//! Storage for Portcullis on diesel-async: [`PostgresStore`] with feature `postgres`, [`MysqlStore`] with feature `mysql`, for
//! MariaDB too, [`SqliteStore`] with feature `sqlite`.
//!
//! Each implements every part of [`Store`](auth_core::port::Store), from one source: a dialect's file states what is
//! particular to it and includes the shared modules.
//!
//! - A commit is one transaction in a task of its own: a caller that is dropped doesn't cut it short.
//! - Contention is retried, waits are bounded: five seconds for a connection and five for what is done with it. A
//!   database that is away is [`StoreError::Unavailable`](auth_core::port::StoreError).
//! - An application's own statements can go over the same pool: `new` takes the pool that the host brings.
//!
#![cfg_attr(all(feature = "postgres", feature = "migrate"), doc = "```no_run")]
#![cfg_attr(not(all(feature = "postgres", feature = "migrate")), doc = "```ignore")]
//! use auth_store_diesel::PostgresStore;
//! use auth_store_diesel::postgres::{self, Pool};
//!
//! # async fn store() -> Result<PostgresStore, Box<dyn std::error::Error + Send + Sync>> {
//! let pool = Pool::builder(postgres::manager("postgres://localhost/app")?).max_size(16).build()?;
//! let store = PostgresStore::new(pool.clone());
//! store.migrate().await?;
//! # Ok(store)
//! # }
//! ```
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
