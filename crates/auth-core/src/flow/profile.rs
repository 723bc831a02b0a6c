//! Editing one's profile.

use crate::auth::{Auth, Fault, fault_into};
use crate::domain::{AuditKind, Context, Signed, User};
use crate::port::Change;

/// What to change. The outer `None` leaves a field as it is, the inner one clears it. Texts come from the parsers of
/// [`domain::profile`](crate::domain::profile).
#[derive(Debug, Clone, Default)]
pub struct ProfileEdit {
    /// What to call the user.
    pub name: Option<Option<String>>,
    /// Where their picture is.
    pub image_url: Option<Option<String>>,
    /// Their telephone number.
    pub phone_number: Option<Option<String>>,
    /// Their language.
    pub locale: Option<Option<String>>,
}

/// Changes the profile, and records which fields.
///
/// # Errors
/// [`EditError`]; nothing has changed then.
pub async fn edit(auth: &Auth, signed: &Signed, edit: ProfileEdit, context: &Context) -> Result<User, EditError> {
    let mut user = signed.user.clone();
    let mut changed = Vec::new();
    let mut apply = |field: &mut Option<String>, edit: Option<Option<String>>, name: &'static str| {
        if let Some(value) = edit.filter(|value| value != field) {
            *field = value;
            changed.push(name);
        }
    };
    apply(&mut user.profile.name, edit.name, "name");
    apply(&mut user.profile.image_url, edit.image_url, "imageUrl");
    apply(&mut user.profile.phone_number, edit.phone_number, "phoneNumber");
    apply(&mut user.profile.locale, edit.locale, "locale");
    if !changed.is_empty() {
        let event = auth.event(AuditKind::ProfileChanged, context, auth.now()).by(user.id);
        let event = event.with("fields", &changed.join(" "));
        let profile = user.profile.clone();
        auth.commit(&[Change::SetProfile { user: user.id, profile }, Change::Record(event)]).await?;
    }
    Ok(user)
}

/// The profile was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The core could not do its work.
    #[error(transparent)]
    Fault(Fault),
}
fault_into!(EditError);
