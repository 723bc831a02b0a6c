//! Editing one's profile.

use crate::auth::{Auth, Fault};
use crate::domain::{AuditKind, Context, ProfileEdit, Signed, User};
use crate::port::Change;

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
