//! Granting and revoking roles.

use crate::auth::Auth;
use crate::domain::{AuditKind, Context, Role, UserId};
use crate::flow::actor::{Actor, AdminError};
use crate::port::Change;

/// Gives a user a role, from their next request on. One that they hold already is fine; one that nobody ever held comes into
/// being.
///
/// Nobody grants anything to themselves: an administrator's stolen session must not be a way to more than it has.
///
/// # Errors
/// [`AdminError`]; nothing has changed then.
pub async fn grant(
    auth: &Auth,
    actor: Actor<'_>,
    user: UserId,
    role: Role,
    context: &Context,
) -> Result<(), AdminError> {
    actor.check(auth, context).await?;
    if actor.id() == Some(user) {
        return Err(actor.refused(auth, AdminError::Forbidden, context).await);
    }
    let event = actor.event(auth, AuditKind::RoleGranted, user, auth.now(), context).with("role", role.as_str());
    actor.commit_with(auth, event, vec![Change::GrantRole { user, role }], context).await
}

/// Takes a role from a user, from their next request on. One that they don't hold is fine.
///
/// The last active administrator stays one, whoever else is being demoted, suspended or deleted at the same moment.
///
/// # Errors
/// [`AdminError`]; nothing has changed then.
pub async fn revoke(
    auth: &Auth,
    actor: Actor<'_>,
    user: UserId,
    role: Role,
    context: &Context,
) -> Result<(), AdminError> {
    actor.check(auth, context).await?;
    let event = actor.event(auth, AuditKind::RoleRevoked, user, auth.now(), context).with("role", role.as_str());
    actor.commit_with(auth, event, vec![Change::RevokeRole { user, role }], context).await
}
