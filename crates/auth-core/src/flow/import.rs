//! Bringing accounts from elsewhere.

use crate::auth::{Auth, Fault, fault_into};
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

/// Makes accounts, many in one commit; what came of each, in order. One that can't be made keeps no other back.
///
/// # Errors
/// [`Fault`] when the store could not do it; none of them has been made then.
pub async fn import(
    auth: &Auth,
    accounts: &[Imported],
    context: &Context,
) -> Result<Vec<Result<UserId, ImportError>>, Fault> {
    let made: Vec<(UserId, Vec<Change>)> = accounts.iter().map(|account| make(auth, account, context)).collect();
    let all: Vec<Change> = made.iter().flat_map(|(_, changes)| changes.clone()).collect();
    match auth.commit(&all).await {
        Ok(()) => return Ok(made.into_iter().map(|(user, _)| Ok(user)).collect()),
        Err(CommitError::Rejected(_)) => {}
        Err(error) => return Err(error.into()),
    }
    // One of them is in the way: each by itself.
    let mut outcomes = Vec::with_capacity(made.len());
    for (user, changes) in made {
        outcomes.push(match auth.commit(&changes).await {
            Ok(()) => Ok(user),
            Err(CommitError::Rejected(Rejected::EmailTaken)) => Err(ImportError::EmailTaken),
            Err(error) => Err(error.into()),
        });
    }
    Ok(outcomes)
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
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The address has an account.
    #[error("the address has an account")]
    EmailTaken,
    /// The core could not do its work.
    #[error(transparent)]
    Fault(Fault),
}
fault_into!(ImportError);
