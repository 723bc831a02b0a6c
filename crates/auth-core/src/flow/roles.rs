//! Granting and revoking roles.

use crate::auth::Auth;
use crate::domain::{AuditKind, Context, Role, UserId};
use crate::flow::actor::{Actor, AdminError};
use crate::port::Change;

/// Gives a user a role, from their next request on. One that they hold already is fine; one that nobody ever held comes into
/// being.
///
/// A role that demands a second factor ([`Settings::second_factor_roles`](crate::settings::Settings::second_factor_roles)) ends the
/// user's sessions: whoever holds it has taken the step.
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
    let mut changes = Vec::new();
    if auth.settings.second_factor_roles.contains(&role) {
        // A session that was opened without the second step that the role demands must not come into it.
        changes.push(Change::AdvanceEpoch { user });
    }
    changes.push(Change::GrantRole { user, role });
    actor.commit_with(auth, event, changes, context).await
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
