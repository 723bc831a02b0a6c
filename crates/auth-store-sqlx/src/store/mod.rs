//! The store that all dialects share. Each dialect's file includes this module and tells it, as `dialect`, what is
//! particular to it.
//!
//! *Architecture Invariant:* one statement a change and one transaction in one place (`commit`); a precondition is a
//! conditional write whose row count is the verdict, never a read.

mod audit_log;
mod commit;
mod factors;
mod housekeeping;
mod idempotency;
mod keys;
#[cfg(feature = "migrate")]
mod migrate;
mod outbox;
mod participant;
mod parts;
mod pendings;
mod readers;
mod row;
mod schema;
mod sessions;
mod tokens;
mod users;

use std::io;
use std::sync::Arc;

use auth_core::port::StoreError;
use auth_store::retry::{self, PATIENCE};
use auth_store::trouble::Trouble;
use auth_store::usage::PoolUsage;
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::{Database, Pool};

use super::{self as dialect, Db};
use crate::error::{self, source};
#[cfg(feature = "migrate")]
#[allow(unused_imports, reason = "not every dialect has transactions about tables")]
pub(super) use migrate::{in_one_transaction, is_applied};
pub use participant::{Participant, Refusal};
pub(super) use readers::Readers;
use readers::fetch;

/// A connection to this database.
pub type Connection = <Db as Database>::Connection;
pub(super) type Row = <Db as Database>::Row;
pub(super) type Statement = Query<'static, Db, <Db as Database>::Arguments>;

/// Users, sessions, tokens, mail, keys and audit entries in a database.
///
/// Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Store {
    /// Need not ping a connection before it is used: see [`Store::rows`].
    pub(super) reads: Readers,
    pub(super) writes: Pool<Db>,
    /// In the order that they are called in.
    participants: Arc<Vec<Arc<dyn Participant>>>,
}

impl Store {
    pub(super) fn over(reads: Readers, writes: Pool<Db>) -> Self {
        Self { reads, writes, participants: Arc::default() }
    }

    /// Ends all connections once they are free.
    pub async fn close(&self) {
        self.reads.close().await;
        self.writes.close().await;
    }

    /// What the connections for reading and those for writing are doing. They are the same where the host brought one
    /// pool for both.
    pub fn usage(&self) -> (PoolUsage, PoolUsage) {
        (self.reads.usage(), readers::usage(&self.writes, 0))
    }

    /// All rows of a query.
    ///
    /// A connection that died while idle is only found dead by using it. The query, which changes nothing, is then asked
    /// again, once, over the pool that tests its connections.
    async fn rows(&self, query: impl Fn() -> Statement + Send) -> Result<Vec<Row>, StoreError> {
        let outcome = match self.reads.fetch(query()).await {
            Err(error) if judge(&error) == Trouble::Cut => fetch(&self.writes, query()).await,
            outcome => outcome,
        };
        outcome.map_err(store_error)
    }

    /// Runs a statement that writes, by itself, and returns how many rows it changed.
    pub(super) async fn execute(&self, query: impl Fn() -> Statement + Send) -> Result<u64, StoreError> {
        self.try_execute(query).await.map_err(store_error)
    }

    pub(super) async fn try_execute(&self, query: impl Fn() -> Statement + Send) -> sqlx::Result<u64> {
        let execute = async |query: Statement| {
            bounded(&mut self.writes.acquire().await?, async |connection| query.execute(connection).await).await
        };
        Ok(patiently(|| execute(query())).await?.rows_affected())
    }

    /// All rows of a query that writes, or that has to see what was just written.
    pub(super) async fn written(&self, query: impl Fn() -> Statement + Send) -> Result<Vec<Row>, StoreError> {
        patiently(|| fetch(&self.writes, query())).await.map_err(store_error)
    }
}

/// Does `work` until it meets no contention, within bounds.
pub(super) async fn patiently<T, F: Future<Output = sqlx::Result<T>>>(work: impl Fn() -> F) -> sqlx::Result<T> {
    retry::patiently(judge, work).await
}

/// Runs `work` within [`PATIENCE`].
async fn bounded<T, E: From<sqlx::Error>>(
    connection: &mut PoolConnection<Db>,
    work: impl AsyncFnOnce(&mut Connection) -> Result<T, E>,
) -> Result<T, E> {
    match tokio::time::timeout(PATIENCE, work(connection)).await {
        Ok(outcome) => outcome,
        Err(elapsed) => {
            // Not back into the pool: the connection is in the middle of something, perhaps of a transaction.
            connection.close_on_drop();
            Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, elapsed)).into())
        }
    }
}

/// A statement with placeholders `$1`, `$2` and so on, each once and in order: a dialect that knows only `?` can
/// replace them one by one.
pub(super) fn sql(text: &'static str) -> Statement {
    debug_assert!(
        text.split('$').skip(1).zip(1..).all(|(rest, n): (&str, usize)| {
            rest.split(|c: char| !c.is_ascii_digit()).next() == Some(n.to_string().as_str())
        }),
        "placeholders are out of order: {text}"
    );
    dialect::query(text)
}

fn judge(error: &sqlx::Error) -> Trouble {
    error::judge(error, dialect::trouble)
}

pub(super) fn store_error(error: sqlx::Error) -> StoreError {
    let store = dialect::DIALECT.as_str();
    match judge(&error) {
        Trouble::Failure => StoreError::Failed { store, source: source(error, dialect::message) },
        Trouble::Contention | Trouble::Cut | Trouble::Away => {
            StoreError::Unavailable { store, source: source(error, dialect::message) }
        }
    }
}
