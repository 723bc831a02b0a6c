//! Changing registrations that wait.

use async_trait::async_trait;
use auth_core::domain::{Email, Pending, TokenId};
use auth_core::port::Rejected;

use super::{Failure, Statements, Transaction, guard};

/// Statements about registrations that wait.
#[async_trait]
pub trait PendingStatements: Statements {
    /// Inserts a registration. [`Written::Taken`](super::Written::Taken): the slot of its address is. An id or a link's digest
    /// that exists is an error.
    async fn insert_pending(&mut self, pending: &Pending) -> Result<super::Written, Self::Error>;

    /// Locks every registration of that one's address, in order of id, where the database has more than one writer: each click
    /// on one of their mails ends the others, and two that took them in different orders would deadlock.
    async fn lock_pendings(&mut self, pending: TokenId) -> Result<(), Self::Error>;

    /// Counts one attempt, where there were fewer than `limit`.
    async fn claim_pending(&mut self, pending: TokenId, limit: u32) -> Result<u64, Self::Error>;

    /// Deletes a registration.
    async fn delete_pending(&mut self, pending: TokenId) -> Result<u64, Self::Error>;

    /// Deletes all registrations of an address.
    async fn delete_pendings(&mut self, email: &Email) -> Result<u64, Self::Error>;
}

pub(super) async fn claim<T: Transaction>(tx: &mut T, pending: TokenId, limit: u32) -> Result<(), Failure<T::Error>> {
    tx.lock_pendings(pending).await?;
    guard(tx.claim_pending(pending, limit).await, Rejected::Attempts)
}

pub(super) async fn spend<T: Transaction>(tx: &mut T, pending: TokenId) -> Result<(), Failure<T::Error>> {
    tx.lock_pendings(pending).await?;
    guard(tx.delete_pending(pending).await, Rejected::Token)
}
