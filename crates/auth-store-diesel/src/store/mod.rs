//! The store that all dialects share. Each dialect's file includes this module and tells it, as `dialect`, what is
//! particular to it.
//!
//! *Architecture Invariant:* one statement a change and one transaction in one place (`commit`); a precondition is a
//! conditional write whose row count is the verdict, never a read.

mod audit_log;
mod commit;
mod factors;
mod housekeeping;
mod id;
mod idempotency;
mod keys;
#[cfg(feature = "migrate")]
mod migrate;
mod outbox;
mod participant;
mod parts;
mod pendings;
mod pool;
mod query;
mod readers;
mod row;
mod schema;
mod sessions;
mod tables;
mod tokens;
mod users;

use std::fmt;
use std::sync::Arc;

use auth_core::port::StoreError;
use auth_store::retry;
use auth_store::trouble::Trouble;
use auth_store::usage::PoolUsage;
use diesel::QueryResult;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super as dialect;
use super::{Connection, Readers};
use crate::error::Error;
#[cfg(feature = "migrate")]
#[allow(unused_imports, reason = "MySQL's migrations need no transaction")]
pub(super) use commit::end;
pub(super) use id::Id;
#[cfg(feature = "migrate")]
pub(super) use migrate::is_applied;
pub(super) use outbox::LeasedRow;
pub use participant::{Participant, Refusal};
pub(super) use parts::Parts;
pub(super) use pool::{Hello, Pool, with};
use pool::{close, usage};
#[allow(unused_imports, reason = "each is what one dialect does by itself")]
pub(super) use pool::{reached, taken, with_patience};
pub(super) use query::{Prepared, Select};
pub(super) use readers::PoolReaders;
pub(super) use tables::*;

/// Users, sessions, tokens, mail, keys and audit entries in a database.
///
/// Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Store {
    /// Need not test a connection before it is used: see [`Store::rows`].
    pub(super) reads: Readers,
    pub(super) writes: Pool,
    /// In the order that they are called in.
    participants: Arc<Vec<Arc<dyn Participant>>>,
}

impl Store {
    pub(super) fn over(reads: Readers, writes: Pool) -> Self {
        Self { reads, writes, participants: Arc::default() }
    }

    /// Ends all connections once they are free.
    pub async fn close(&self) {
        self.reads.close().await;
        close(&self.writes).await;
    }

    /// What the connections for reading and those for writing are doing. They are the same where the host brought one
    /// pool for both.
    pub fn usage(&self) -> (PoolUsage, PoolUsage) {
        (self.reads.usage(), usage(&self.writes))
    }

    /// All rows of a query that finds few, and finds them soon.
    ///
    /// A connection that died while idle is only found dead by using it. The query, which changes nothing, is then asked
    /// again, once, over one that answers.
    async fn rows<U: Send + 'static, Q: Select<U>>(&self, query: impl Fn() -> Q + Send) -> Result<Vec<U>, StoreError> {
        let outcome = match self.reads.fetch(query()).await {
            Err(error) if judge(&error) == Trouble::Cut || error.is_unknown() => self.written(query()).await,
            outcome => outcome,
        };
        outcome.map_err(store_error)
    }

    /// All rows of a query that may have to look for them: nobody waits for it who wants something else.
    async fn list<U: Send + 'static, Q: Select<U>>(&self, query: impl Fn() -> Q + Send) -> Result<Vec<U>, StoreError> {
        if dialect::LISTS_GO_APART { self.written(query()).await.map_err(store_error) } else { self.rows(query).await }
    }

    /// All rows of a query, over a connection that writes.
    async fn written<U: Send + 'static, Q: Select<U>>(&self, query: Q) -> Result<Vec<U>, Error> {
        with(&self.writes, dialect::HELLO, judge, move |connection| {
            query.all(dialect::reader(connection)).map(|rows| rows.map_err(Error::from)).boxed()
        })
        .await
    }

    /// Does `work`, which writes one thing, by itself.
    async fn execute<T: Send + 'static>(
        &self,
        work: impl for<'c> Fn(&'c mut Connection) -> BoxFuture<'c, QueryResult<T>> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        let work = Arc::new(work);
        let attempt = || {
            let work = work.clone();
            with(&self.writes, dialect::HELLO, judge, move |connection| {
                work(connection).map(|outcome| outcome.map_err(Error::from)).boxed()
            })
        };
        patiently(attempt).await.map_err(store_error)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (reads, writes) = self.usage();
        f.debug_struct("Store").field("reads", &reads).field("writes", &writes).finish()
    }
}

/// Does `work` until it meets no contention, within bounds.
pub(super) async fn patiently<T, F: Future<Output = Result<T, Error>>>(work: impl Fn() -> F) -> Result<T, Error> {
    retry::patiently(judge_for_retry, work).await
}

pub(super) fn judge(error: &Error) -> Trouble {
    error.judge(dialect::trouble)
}

/// What the server says in words that aren't known may be a deadlock, told in another language: trying again does no harm,
/// since nothing has happened.
fn judge_for_retry(error: &Error) -> Trouble {
    if error.is_unknown() && judge(error) == Trouble::Failure { Trouble::Contention } else { judge(error) }
}

pub(super) fn store_error(error: Error) -> StoreError {
    let store = dialect::DIALECT.as_str();
    match judge(&error) {
        Trouble::Failure => StoreError::Failed { store, source: error.source(dialect::message) },
        Trouble::Contention | Trouble::Cut | Trouble::Away => {
            StoreError::Unavailable { store, source: error.source(dialect::message) }
        }
    }
}
