//! Changing who holds which role, and counting the active holders of roles that somebody must hold.
//!
//! Of two commits that take a role from its last two holders, one finds that the number of holders has become one.

use async_trait::async_trait;
use auth_core::domain::{Role, UserId};
use auth_core::port::Rejected;

use super::{Failure, Statements, Transaction, guard};

/// Statements about roles.
#[async_trait]
pub trait RoleStatements: Statements {
    /// Whether the user is active and holds the role.
    async fn is_active_holder(&mut self, user: UserId, role: &Role) -> Result<bool, Self::Error>;

    /// The user holds the role from now on.
    async fn insert_holder(&mut self, user: UserId, role: &Role) -> Result<Hold, Self::Error>;

    /// The role comes into being, uncounted; nothing, for a store where a role is but a name. Where another commit is adding it, this waits, and keeps the one that is there.
    async fn insert_role(&mut self, role: &Role) -> Result<(), Self::Error>;

    /// The user doesn't hold the role any more.
    async fn delete_holder(&mut self, user: UserId, role: &Role) -> Result<u64, Self::Error>;

    /// The names of the roles whose holders are counted, which is `admin` alone, from no holder on, and that the user, being active, counts as a holder of. In order of
    /// name: two commits that count several don't wait for each other.
    async fn counted_roles(&mut self, user: UserId) -> Result<Vec<String>, Self::Error>;

    /// One active holder more.
    async fn count_holder_in(&mut self, role: &str) -> Result<u64, Self::Error>;

    /// One active holder less, where more than one is left.
    async fn count_holder_out(&mut self, role: &str) -> Result<u64, Self::Error>;

    /// Advances the user's `roles_version` by one.
    async fn advance_roles_version(&mut self, user: UserId) -> Result<u64, Self::Error>;
}

/// What came of giving somebody a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// They hold it, and didn't before.
    New,
    /// Nothing: they held it already, or there is no such role.
    Unchanged,
    /// Nothing: there is no such user.
    NoUser,
}

pub(super) async fn require<T: Transaction>(tx: &mut T, user: UserId, role: &Role) -> Result<(), Failure<T::Error>> {
    let holds = tx.is_active_holder(user, role).await?;
    if holds { Ok(()) } else { Err(Failure::Rejected(Rejected::Role)) }
}

pub(super) async fn grant<T: Transaction>(tx: &mut T, user: UserId, role: &Role) -> Result<(), Failure<T::Error>> {
    if !hold(tx, user, role).await? {
        return Ok(());
    }
    guard(tx.advance_roles_version(user).await, Rejected::User)?;
    if is_counted(tx, user, role).await? {
        tx.count_holder_in(role.as_str()).await?;
    }
    Ok(())
}

pub(super) async fn revoke<T: Transaction>(tx: &mut T, user: UserId, role: &Role) -> Result<(), Failure<T::Error>> {
    let is_counted = is_counted(tx, user, role).await?;
    if tx.delete_holder(user, role).await? == 0 {
        let is_there = tx.has_user(user, None).await?;
        return if is_there { Ok(()) } else { Err(Failure::Rejected(Rejected::User)) };
    }
    if is_counted {
        guard(tx.count_holder_out(role.as_str()).await, Rejected::LastHolder)?;
    }
    guard(tx.advance_roles_version(user).await, Rejected::User)
}

/// The user holds a role, which comes into being where it isn't yet. Whether they didn't hold it before.
pub(super) async fn hold<T: Transaction>(tx: &mut T, user: UserId, role: &Role) -> Result<bool, Failure<T::Error>> {
    let mut hold = tx.insert_holder(user, role).await?;
    if hold == Hold::Unchanged {
        tx.insert_role(role).await?;
        hold = tx.insert_holder(user, role).await?;
    }
    match hold {
        Hold::New => Ok(true),
        Hold::Unchanged => Ok(false),
        Hold::NoUser => Err(Failure::Rejected(Rejected::User)),
    }
}

/// Counts the user in as a holder of what they hold, now that they are active.
pub(super) async fn count_in<T: Transaction>(tx: &mut T, user: UserId) -> Result<(), Failure<T::Error>> {
    for role in tx.counted_roles(user).await? {
        tx.count_holder_in(&role).await?;
    }
    Ok(())
}

/// Counts the user out as a holder of what they hold, while they are active.
pub(super) async fn count_out<T: Transaction>(tx: &mut T, user: UserId) -> Result<(), Failure<T::Error>> {
    for role in tx.counted_roles(user).await? {
        guard(tx.count_holder_out(&role).await, Rejected::LastHolder)?;
    }
    Ok(())
}

async fn is_counted<T: Transaction>(tx: &mut T, user: UserId, role: &Role) -> Result<bool, Failure<T::Error>> {
    Ok(tx.counted_roles(user).await?.iter().any(|name| name == role.as_str()))
}
