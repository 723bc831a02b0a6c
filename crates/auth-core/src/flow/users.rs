//! Administering users.

use crate::auth::{Auth, Fault, fault_into};
use crate::domain::{Attributes, AuditKind, Context, Email, Password, Profile, Role, Session, Status, User, UserId};
use crate::flow::actor::{Actor, AdminError};
use crate::flow::{judge_password, register, sessions};
use crate::port::{Change, CommitError, Rejected, UserQuery};
use crate::rules::password::WeakPassword;

/// Users by page, newest first; see [`UserQuery`].
///
/// # Errors
/// [`AdminError`].
pub async fn list(
    auth: &Auth,
    actor: Actor<'_>,
    query: &UserQuery,
    context: &Context,
) -> Result<Vec<User>, AdminError> {
    actor.check(auth, context).await?;
    Ok(auth.store.users(query).await?)
}

/// One user.
///
/// # Errors
/// [`AdminError`].
pub async fn show(auth: &Auth, actor: Actor<'_>, user: UserId, context: &Context) -> Result<User, AdminError> {
    actor.check(auth, context).await?;
    let account = auth.store.find_user(user).await?;
    account.map(|account| account.user).ok_or(AdminError::NotFound)
}

/// The user of an address.
///
/// # Errors
/// [`AdminError`].
pub async fn find(auth: &Auth, actor: Actor<'_>, email: &Email, context: &Context) -> Result<User, AdminError> {
    actor.check(auth, context).await?;
    let account = auth.store.find_user_by_email(email).await?;
    account.map(|account| account.user).ok_or(AdminError::NotFound)
}

/// The live sessions of a user, newest first.
///
/// # Errors
/// [`AdminError`].
pub async fn sessions(
    auth: &Auth,
    actor: Actor<'_>,
    user: UserId,
    context: &Context,
) -> Result<Vec<Session>, AdminError> {
    let user = show(auth, actor, user, context).await?;
    Ok(sessions::live(auth, &user).await?)
}

/// Keeps a user out from their next request on, and ends every session of theirs. One who is suspended already is fine.
///
/// # Errors
/// [`AdminError`]; nothing has changed then.
pub async fn suspend(auth: &Auth, actor: Actor<'_>, user: UserId, context: &Context) -> Result<(), AdminError> {
    set_status(auth, actor, user, Status::Suspended, AuditKind::UserSuspended, context).await
}

/// Lets a suspended user in again; their earlier sessions stay dead. One who is active already is fine.
///
/// # Errors
/// [`AdminError`]; nothing has changed then.
pub async fn reactivate(auth: &Auth, actor: Actor<'_>, user: UserId, context: &Context) -> Result<(), AdminError> {
    set_status(auth, actor, user, Status::Active, AuditKind::UserReactivated, context).await
}

async fn set_status(
    auth: &Auth,
    actor: Actor<'_>,
    user: UserId,
    status: Status,
    kind: AuditKind,
    context: &Context,
) -> Result<(), AdminError> {
    actor.check(auth, context).await?;
    match actor.commit(auth, kind, user, vec![Change::SetStatus { user, status }], context).await {
        // No such user, or none of another status.
        Err(AdminError::NotFound) => show(auth, actor, user, context).await.map(drop),
        outcome => outcome,
    }
}

/// Ends every session of a user.
///
/// # Errors
/// [`AdminError`]; they may still live then.
pub async fn end_sessions(auth: &Auth, actor: Actor<'_>, user: UserId, context: &Context) -> Result<(), AdminError> {
    actor.check(auth, context).await?;
    actor.commit(auth, AuditKind::SessionsEnded, user, vec![Change::AdvanceEpoch { user }], context).await
}

/// Ends every session of every user: what a restored backup brought back to life, for one.
///
/// # Errors
/// [`Fault`]; they may still live then.
pub async fn end_all_sessions(auth: &Auth, context: &Context) -> Result<(), Fault> {
    let event = auth.event(AuditKind::AllSessionsEnded, context, auth.now());
    Ok(auth.commit(&[Change::AdvanceAllEpochs, Change::Record(event)]).await?)
}

/// An account as an operator makes it.
#[derive(Debug)]
pub struct NewUser {
    /// Where mail goes, and what they will sign in with. Counts as proved.
    pub email: Email,
    /// What they will sign in with; without one they ask for a reset.
    pub password: Option<Password>,
    /// What they hold beside `user`.
    pub roles: Vec<Role>,
}

/// Makes an account whose address counts as proved. No mail is sent.
///
/// # Errors
/// [`CreateError`]; nothing has been made then.
pub async fn create(auth: &Auth, actor: Actor<'_>, new: NewUser, context: &Context) -> Result<User, CreateError> {
    actor.check(auth, context).await.map_err(|error| match error {
        AdminError::Fault(fault) => CreateError::Fault(fault),
        _ => CreateError::Forbidden,
    })?;
    let now = auth.now();
    let NewUser { email, password, roles } = new;
    let password = match password {
        Some(password) => {
            judge_password(auth, &password, &email, None).await?;
            Some(auth.hasher.hash(&password).await?)
        }
        None => None,
    };
    let mut user = register::new_user(auth, email, Profile::default(), Attributes::default(), Some(now), now);
    user.roles.extend(roles);
    user.roles.sort_unstable();
    user.roles.dedup();
    let names = user.roles.iter().map(Role::as_str).collect::<Vec<_>>().join(" ");
    let event = actor.event(auth, AuditKind::UserCreated, user.id, now, context).with("roles", &names);
    let changes = [
        Change::CreateUser { user: user.clone(), password },
        Change::DropPendings { email: user.email.clone() },
        Change::Record(event),
    ];
    match auth.commit(&changes).await {
        Ok(()) => Ok(user),
        Err(CommitError::Rejected(Rejected::EmailTaken)) => Err(CreateError::EmailTaken),
        Err(error) => Err(error.into()),
    }
}

/// The account was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The address has an account.
    #[error("the address has an account")]
    EmailTaken,
    /// The password is not good enough.
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    /// Whoever asks isn't an administrator.
    #[error("not allowed")]
    Forbidden,
    /// The core could not do its work.
    #[error(transparent)]
    Fault(Fault),
}
fault_into!(CreateError);
