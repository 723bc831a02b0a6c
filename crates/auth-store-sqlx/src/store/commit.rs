//! Applying lists of changes: [`auth_store::commit`] says what they mean, the files below are its statements.

mod factors;
mod keys;
mod pendings;
mod records;
mod roles;
mod sessions;
mod tokens;
mod users;

use async_trait::async_trait;
use auth_core::domain::UserId;
use auth_core::port::{Change, Commit, CommitError};
use auth_store::commit::{Failure, Statements, Written, apply_all, detached};
use auth_store::retry;
use sqlx::Connection as _;

use super::{Connection, Statement, Store, bounded, dialect, judge, sql, store_error};

#[async_trait]
impl Commit for Store {
    async fn commit(&self, changes: &[Change]) -> Result<(), CommitError> {
        let (store, changes) = (self.clone(), changes.to_vec());
        let name = dialect::DIALECT.as_str();
        let commit = async move {
            let outcome = retry::patiently(|failure: &Failure<_>| failure.trouble(judge), || store.transact(&changes));
            outcome.await.map_err(|failure| failure.into_commit_error(name, store_error))
        };
        detached(name, commit).await
    }
}

impl Store {
    /// One transaction: all of `changes` or none.
    async fn transact(&self, changes: &[Change]) -> Result<(), Failure<sqlx::Error>> {
        let mut connection = self.writes.acquire().await?;
        bounded(&mut connection, async |connection| {
            let mut tx = connection.begin_with(dialect::BEGIN).await?;
            match self.take_part(&mut tx, changes).await {
                Ok(()) => Ok(tx.commit().await?),
                Err(failure) => {
                    // Now, not when the connection is back in the pool: others wait for these locks.
                    tx.rollback().await.ok();
                    Err(failure)
                }
            }
        })
        .await
    }
}

impl Store {
    /// All that happens between begin and commit: first ours, then whatever the application adds.
    async fn take_part(&self, tx: &mut Connection, changes: &[Change]) -> Result<(), Failure<sqlx::Error>> {
        apply_all(&mut Tx(tx), changes).await?;
        for participant in &*self.participants {
            participant.take_part(changes, tx).await?;
        }
        Ok(())
    }
}

/// A transaction that is open on a connection.
struct Tx<'c>(&'c mut Connection);

impl Tx<'_> {
    /// Runs `query`, and tells how many rows it changed.
    async fn run(&mut self, query: Statement) -> sqlx::Result<u64> {
        Ok(query.execute(&mut *self.0).await?.rows_affected())
    }

    /// The same, for one that may find a `unique` value taken.
    async fn run_unless_taken(&mut self, query: Statement, unique: &str) -> sqlx::Result<Written> {
        match self.run(query).await {
            Err(sqlx::Error::Database(error)) if dialect::violates(error.as_ref(), unique) => Ok(Written::Taken),
            outcome => outcome.map(Written::Rows),
        }
    }

    /// Whether `query` finds anything.
    async fn finds(&mut self, query: Statement) -> sqlx::Result<bool> {
        Ok(query.fetch_optional(&mut *self.0).await?.is_some())
    }
}

#[async_trait]
impl Statements for Tx<'_> {
    type Error = sqlx::Error;

    async fn lock_user(&mut self, user: UserId) -> sqlx::Result<()> {
        match dialect::LOCK_USER {
            Some(lock) => self.run(sql(lock).bind(user.as_uuid())).await.map(drop),
            None => Ok(()),
        }
    }
}
