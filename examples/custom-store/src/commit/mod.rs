//! Applying lists of changes: [`auth_store::commit`] says what they mean, the files below are its statements.
//!
//! Each is one look and one write in a transaction that nobody else is in, and returns how many rows it changed.

mod credentials;
mod factors;
mod records;
mod users;

use async_trait::async_trait;
use auth_core::domain::UserId;
use auth_core::port::{Change, Commit, CommitError, StoreError};
use auth_store::commit::{Failure, Statements, apply_all};
use tokio::runtime::Handle;

use crate::transaction::{Failed, Tx};
use crate::{NAME, RedbStore, in_transaction};

#[async_trait]
impl Commit for RedbStore {
    async fn commit(&self, changes: &[Change]) -> Result<(), CommitError> {
        let changes = changes.to_vec();
        // The statements are asynchronous, for drivers that are. Ours wait for nothing.
        let runtime = Handle::current();
        let outcome = self.blocking(move |database| -> Result<(), Failure<Failed>> {
            in_transaction(database, |tx| runtime.block_on(apply_all(tx, &changes)))
        });
        outcome.await?.map_err(|failure| failure.into_commit_error(NAME, StoreError::from))
    }
}

#[async_trait]
impl Statements for Tx {
    type Error = Failed;

    async fn lock_user(&mut self, _: UserId) -> Result<(), Failed> {
        // All others wait already.
        Ok(())
    }
}
