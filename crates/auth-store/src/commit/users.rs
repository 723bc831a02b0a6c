//! Changing users.

use async_trait::async_trait;
use auth_core::domain::{Attributes, Email, Epoch, PasswordHash, ProfileEdit, Status, Timestamp, User, UserId};
use auth_core::port::Rejected;

use super::{Failure, Statements, Transaction, Written, guard, roles, unless_taken};

/// Statements about users.
#[async_trait]
pub trait UserStatements: Statements {
    /// Inserts a user, without roles. [`Written::Taken`]: the address is. An id that exists is an error, never written over.
    ///
    /// What is stored as their epoch is `user.epoch` less everybody's, so that both come to it; it may be below zero.
    async fn insert_user(&mut self, user: &User, password: Option<&PasswordHash>) -> Result<Written, Self::Error>;

    /// Changes the fields that the edit names.
    async fn edit_profile(&mut self, user: UserId, edit: &ProfileEdit) -> Result<u64, Self::Error>;

    /// Marks the address as proved at `at`, unless it was before, where it is still `email`.
    async fn verify_email(&mut self, user: UserId, email: &Email, at: Timestamp) -> Result<u64, Self::Error>;

    /// Moves the account to `to`, proved at `at`, where its address is still `from`. [`Written::Taken`]: somebody else has `to`;
    /// but no row where the address isn't `from`, whoever has `to`.
    async fn change_email(
        &mut self,
        user: UserId,
        from: &Email,
        to: &Email,
        at: Timestamp,
    ) -> Result<Written, Self::Error>;

    /// Replaces the password and advances the epoch by one, where the user's epoch (their own and everybody's) is `epoch`.
    async fn set_password(&mut self, user: UserId, epoch: Epoch, password: &PasswordHash) -> Result<u64, Self::Error>;

    /// Replaces the hash where it is still `from`.
    async fn rehash(&mut self, user: UserId, from: &PasswordHash, to: &PasswordHash) -> Result<u64, Self::Error>;

    /// Replaces the application's own fields where they are still `from`.
    async fn set_attributes(&mut self, user: UserId, from: &Attributes, to: &Attributes) -> Result<u64, Self::Error>;

    /// Gives the user another status and advances the epoch by `epochs`, where the status isn't that one already.
    async fn set_status(&mut self, user: UserId, status: Status, epochs: u32) -> Result<u64, Self::Error>;

    /// Deletes the user, and with them their sessions, one-time tokens and roles, and mail about their account however far it
    /// got. Budgets and the audit log are statements of their own.
    async fn delete_user(&mut self, user: UserId) -> Result<u64, Self::Error>;

    /// Takes address, agent, request and detail out of the audit entries by or about the user.
    async fn pseudonymise(&mut self, user: UserId) -> Result<u64, Self::Error>;

    /// Advances the user's epoch by one.
    async fn advance_epoch(&mut self, user: UserId) -> Result<u64, Self::Error>;

    /// Advances everybody's epoch by one. One row, not everybody's: that would take longer than a statement may, and lock
    /// all others out meanwhile.
    async fn advance_all_epochs(&mut self) -> Result<u64, Self::Error>;

    /// Whether the user's address is `email`, and was never proved.
    async fn is_unverified(&mut self, user: UserId, email: &Email) -> Result<bool, Self::Error>;

    /// Whether the user exists, with `address` where one is named.
    async fn has_user(&mut self, user: UserId, address: Option<&Email>) -> Result<bool, Self::Error>;
}

pub(super) async fn create<T: Transaction>(
    tx: &mut T,
    user: &User,
    password: Option<&PasswordHash>,
) -> Result<(), Failure<T::Error>> {
    unless_taken(tx.insert_user(user, password).await, Rejected::EmailTaken)?;
    for role in &user.roles {
        roles::hold(tx, user.id, role).await?;
    }
    roles::count_in(tx, user.id).await
}

pub(super) async fn change_email<T: Transaction>(
    tx: &mut T,
    user: UserId,
    [from, to]: [&Email; 2],
    at: Timestamp,
) -> Result<(), Failure<T::Error>> {
    let rows = unless_taken(tx.change_email(user, from, to, at).await, Rejected::EmailTaken)?;
    guard(Ok(rows), Rejected::EmailChanged)
}

pub(super) async fn require_unverified<T: Transaction>(
    tx: &mut T,
    user: UserId,
    email: &Email,
) -> Result<(), Failure<T::Error>> {
    let is_unverified = tx.is_unverified(user, email).await?;
    if is_unverified { Ok(()) } else { Err(Failure::Rejected(Rejected::EmailTaken)) }
}

/// Counted out before and in afterwards: only active users count.
pub(super) async fn set_status<T: Transaction>(
    tx: &mut T,
    user: UserId,
    status: Status,
) -> Result<(), Failure<T::Error>> {
    match status {
        Status::Active => {
            guard(tx.set_status(user, status, 0).await, Rejected::User)?;
            roles::count_in(tx, user).await
        }
        Status::Suspended => {
            roles::count_out(tx, user).await?;
            guard(tx.set_status(user, status, 1).await, Rejected::User)
        }
    }
}

/// What refers to the user goes with them. The audit log doesn't: it keeps what happened, without what tells of a person.
pub(super) async fn delete<T: Transaction>(tx: &mut T, user: UserId) -> Result<(), Failure<T::Error>> {
    roles::count_out(tx, user).await?;
    guard(tx.delete_user(user).await, Rejected::User)?;
    tx.delete_budgets(&user.into()).await?;
    tx.pseudonymise(user).await?;
    Ok(())
}
