//! Editing one's profile, and the application's own fields.

use serde::Serialize;

use crate::auth::{Auth, Fault, fault_into};
use crate::domain::{Attributes, AuditKind, Context, InvalidAttribute, ProfileEdit, Signed, User, UserId};
use crate::port::{Change, CommitError, Rejected};

/// Changes the fields that `edit` names, and no others: two edits at once don't undo each other. Its texts come from the
/// parsers of [`domain::profile`](crate::domain::profile).
///
/// # Errors
/// [`Fault`]; nothing has changed then.
pub async fn edit(auth: &Auth, signed: &Signed, edit: ProfileEdit, context: &Context) -> Result<User, Fault> {
    let mut user = signed.user.clone();
    let fields = edit.fields().collect::<Vec<_>>().join(" ");
    user.profile = user.profile.after(&edit);
    if !fields.is_empty() {
        let event = auth.event(AuditKind::ProfileChanged, context, auth.now()).by(user.id).with("fields", &fields);
        auth.commit(&[Change::EditProfile { user: user.id, edit }, Change::Record(event)]).await?;
    }
    Ok(user)
}

/// Sets one of the application's own fields of a user. Others set at the same moment stay set.
///
/// # Errors
/// [`AttributeError`]; nothing has changed then.
pub async fn set_attribute(
    auth: &Auth,
    user: UserId,
    name: &str,
    value: &(impl Serialize + Sync + ?Sized),
    context: &Context,
) -> Result<Attributes, AttributeError> {
    edit_attributes(auth, user, name, |attributes| attributes.with(name, value), context).await
}

/// Removes one of the application's own fields of a user. One that isn't there is fine.
///
/// # Errors
/// [`AttributeError`]; nothing has changed then.
pub async fn remove_attribute(
    auth: &Auth,
    user: UserId,
    name: &str,
    context: &Context,
) -> Result<Attributes, AttributeError> {
    edit_attributes(auth, user, name, |attributes| Ok(attributes.without(name)), context).await
}

async fn edit_attributes(
    auth: &Auth,
    user: UserId,
    name: &str,
    edit: impl Fn(Attributes) -> Result<Attributes, InvalidAttribute>,
    context: &Context,
) -> Result<Attributes, AttributeError> {
    // A round is rejected where another field was set meanwhile.
    for _ in 0..5 {
        let account = auth.store.find_user(user).await?.ok_or(AttributeError::NotFound)?;
        let from = account.user.attributes;
        let to = edit(from.clone())?;
        let event = auth.event(AuditKind::AttributesChanged, context, auth.now()).about(Some(user));
        let event = event.with("attribute", name);
        match auth.commit(&[Change::SetAttributes { user, from, to: to.clone() }, Change::Record(event)]).await {
            Ok(()) => return Ok(to),
            Err(CommitError::Rejected(Rejected::Attributes)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(AttributeError::Fault(Fault::Contended))
}

/// A field was not set.
#[derive(Debug, thiserror::Error)]
pub enum AttributeError {
    /// There is no such user.
    #[error("no such user")]
    NotFound,
    /// The value can't be kept.
    #[error(transparent)]
    Invalid(#[from] InvalidAttribute),
    /// The core could not do its work.
    #[error(transparent)]
    Fault(Fault),
}
fault_into!(AttributeError);
