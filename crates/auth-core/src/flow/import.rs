//! Bringing accounts from elsewhere.

use crate::auth::{Auth, Fault};
use crate::domain::{Attributes, AuditKind, Context, Email, PasswordHash, Profile, Role, Timestamp, User, UserId};
use crate::flow::register;
use crate::port::{Change, CommitError, Rejected};

/// An account from elsewhere.
#[derive(Debug, Clone)]
pub struct Imported {
    /// Where mail goes, and what they sign in with.
    pub email: Email,
    /// Their password's hash, from [`PasswordHash::import`]; without one they ask for a reset.
    pub password: Option<PasswordHash>,
    /// Whether the address counts as proved.
    pub is_verified: bool,
    /// What they tell of themselves.
    pub profile: Profile,
    /// What they hold beside `user`.
    pub roles: Vec<Role>,
    /// The application's own fields.
    pub attributes: Attributes,
    /// When the account was made; now, if that isn't known.
    pub created_at: Option<Timestamp>,
}

/// Makes accounts, many in one commit; what came of each, in order. One whose address is taken keeps no other back.
///
/// # Errors
/// [`Fault`] when the store could not do it. Some may have been made by then; importing them again changes nothing.
pub async fn import(
    auth: &Auth,
    accounts: &[Imported],
    context: &Context,
) -> Result<Vec<Result<UserId, ImportError>>, Fault> {
    let made: Vec<(UserId, Vec<Change>)> = accounts.iter().map(|account| make(auth, account, context)).collect();
    if commit(auth, made.iter()).await? {
        return Ok(made.into_iter().map(|(user, _)| Ok(user)).collect());
    }
    // Some are in the way: the others together, without asking for more commits than that takes.
    let mut free = Vec::with_capacity(made.len());
    for account in accounts {
        free.push(auth.store.find_user_by_email(&account.email).await?.is_none());
    }
    let are_made = commit(auth, made.iter().zip(&free).filter(|(_, free)| **free).map(|(made, _)| made)).await?;
    let mut outcomes = Vec::with_capacity(made.len());
    for (made, free) in made.iter().zip(free) {
        // Two of them have one address, or somebody was faster: each by itself.
        let is_made = free && (are_made || commit(auth, [made]).await?);
        outcomes.push(if is_made { Ok(made.0) } else { Err(ImportError::EmailTaken) });
    }
    Ok(outcomes)
}

/// Whether all were made: otherwise an address is taken.
async fn commit(auth: &Auth, made: impl IntoIterator<Item = &(UserId, Vec<Change>)>) -> Result<bool, Fault> {
    let changes: Vec<Change> = made.into_iter().flat_map(|(_, changes)| changes.clone()).collect();
    if changes.is_empty() {
        return Ok(true);
    }
    match auth.commit(&changes).await {
        Ok(()) => Ok(true),
        Err(CommitError::Rejected(Rejected::EmailTaken)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn make(auth: &Auth, account: &Imported, context: &Context) -> (UserId, Vec<Change>) {
    let now = auth.now();
    let Imported { email, password, is_verified, profile, roles, attributes, created_at } = account.clone();
    let created_at = created_at.unwrap_or(now);
    let verified_at = is_verified.then_some(created_at);
    let mut user = register::new_user(auth, email, profile, attributes, verified_at, now);
    user.roles.extend(roles);
    user.roles.sort_unstable();
    user.roles.dedup();
    let user = User { created_at, ..user };
    let event = auth.event(AuditKind::UserImported, context, now).about(Some(user.id));
    (user.id, vec![Change::CreateUser { user, password }, Change::Record(event)])
}

/// An account was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The address has an account.
    #[error("the address has an account")]
    EmailTaken,
}
