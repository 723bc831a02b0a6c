//! Applying lists of changes: [`auth_store::commit`] says what they mean, the files below are its statements.

mod factors;
mod keys;
mod pendings;
mod records;
mod roles;
mod sessions;
mod tokens;
mod users;

use std::sync::Arc;

use async_trait::async_trait;
use auth_core::domain::UserId;
use auth_core::port::{Change, Commit, CommitError};
use auth_store::commit::{Failure, Statements, Written, apply_all, detached};
use auth_store::retry;
use auth_store::trouble::Trouble;
use diesel::query_builder::QueryFragment;
use diesel::result::Error as QueryError;
use diesel_async::{AsyncConnection, RunQueryDsl, TransactionManager as _};
use futures_util::FutureExt as _;

use super::dialect::{self, Connection, Db};
use super::{Id, Participant, Prepared, Refusal, Store, judge, judge_for_retry, store_error, with};
use crate::error::Error;

#[async_trait]
impl Commit for Store {
    async fn commit(&self, changes: &[Change]) -> Result<(), CommitError> {
        let (store, changes) = (self.clone(), Arc::<[Change]>::from(changes));
        let name = dialect::DIALECT.as_str();
        let commit = async move {
            let judge = |failure: &Failure<Error>| failure.trouble(judge_for_retry);
            let outcome = retry::patiently(judge, || store.transact(&changes)).await;
            outcome.map_err(|failure| failure.into_commit_error(name, store_error))
        };
        detached(name, commit).await
    }
}

impl Store {
    /// One transaction: all of `changes` or none. It begins with the connection's first word: where that finds the
    /// connection dead, nothing has happened, and another takes its place.
    async fn transact(&self, changes: &Arc<[Change]>) -> Result<(), Failure<Error>> {
        let (changes, participants) = (changes.clone(), self.participants.clone());
        let judge: fn(&Failure<Error>) -> Trouble = |failure| failure.trouble(judge);
        with(&self.writes, Some(dialect::begin), judge, move |connection| {
            async move {
                let outcome = take_part(connection, &changes, &participants).await;
                end(connection, outcome).await
            }
            .boxed()
        })
        .await
    }
}

/// All that happens between begin and commit: first ours, then whatever the application adds.
async fn take_part(
    connection: &mut Connection,
    changes: &[Change],
    participants: &[Arc<dyn Participant>],
) -> Result<(), Failure<Error>> {
    apply_all(&mut Tx(connection), changes).await?;
    for participant in participants {
        participant.take_part(changes, connection).await.map_err(|refusal| match refusal {
            Refusal::Database(error) => Failure::Database(error.into()),
            Refusal::Other(reason) => Failure::Participant(reason),
        })?;
    }
    Ok(())
}

/// Commits what went well, and rolls back the rest: now, not when the connection ends, since others wait for these locks.
pub(in super::super) async fn end<T, E: From<Error>>(
    connection: &mut Connection,
    outcome: Result<T, E>,
) -> Result<T, E> {
    type Transactions = <Connection as AsyncConnection>::TransactionManager;

    let outcome = match outcome {
        Ok(value) => Transactions::commit_transaction(connection)
            .await
            .map(|()| value)
            .map_err(|error| Error::from(error).into()),
        Err(error) => Err(error),
    };
    if outcome.is_err() {
        match Transactions::rollback_transaction(connection).await {
            // A commit that failed has rolled back already.
            Ok(()) | Err(QueryError::NotInTransaction) => {}
            Err(error) => return Err(Error::from(error).into()),
        }
    }
    outcome
}

/// A transaction that is open on a connection.
struct Tx<'c>(&'c mut Connection);

impl Tx<'_> {
    /// Runs `statement`, and tells how many rows it changed.
    async fn run(&mut self, statement: impl QueryFragment<Db> + Send) -> Result<u64, Error> {
        let rows = Prepared(statement).execute(self.0).await?;
        Ok(u64::try_from(rows).unwrap_or(u64::MAX))
    }

    /// The same, for one that may find a `unique` value taken.
    async fn run_unless_taken(
        &mut self,
        statement: impl QueryFragment<Db> + Send,
        unique: &str,
    ) -> Result<Written, Error> {
        match self.run(statement).await {
            Err(Error::Query(QueryError::DatabaseError(kind, said))) if dialect::violates(&kind, &*said, unique) => {
                Ok(Written::Taken)
            }
            outcome => outcome.map(Written::Rows),
        }
    }
}

#[async_trait]
impl Statements for Tx<'_> {
    type Error = Error;

    async fn lock_user(&mut self, user: UserId) -> Result<(), Error> {
        Ok(dialect::lock_user(self.0, Id(user.as_uuid())).await?)
    }
}
