//! `POST /password/change`.

use auth_core::flow::change_password;

use super::{Outcome, field};
use crate::fields::{Required, fields};
use crate::mount::Mount;
use crate::openapi::Description;
use crate::reply;
use crate::request::Incoming;

fields! {
    /// The password to be replaced, and the new one.
    struct ChangePassword {
        /// The password that counts now.
        current: Required<field::Password> = "currentPassword",
        /// The password that counts from now on.
        new: Required<field::NewPassword> = "newPassword",
    }
}

/// `{currentPassword, newPassword}` → 200 *Authenticated*.
pub(super) async fn change(mount: &Mount, request: &Incoming) -> Outcome {
    let ChangePassword { current, new } = request.body()?;
    let signed = request.signed()?;
    let authenticated = change_password::change(&mount.auth, signed, &current, &new, &request.context).await?;
    Ok(reply::authenticated(mount, request, &authenticated))
}

pub(super) fn description(mount: &Mount) -> Description {
    Description::new(
        "Change the password",
        "Ends all other sessions; this one goes on under a new credential. A wrong current password is 401.",
    )
    .body::<ChangePassword>()
    .authenticated(mount)
}
