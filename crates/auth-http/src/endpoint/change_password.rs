//! `POST /password/change`.

use auth_core::flow::change_password;

use super::{Outcome, field};
use crate::mount::Mount;
use crate::reply;
use crate::request::Incoming;

/// `{currentPassword, newPassword}` → 200 *Authenticated*.
pub(super) async fn change(mount: &Mount, request: &Incoming) -> Outcome {
    let signed = request.signed()?;
    let mut body = request.fields()?;
    let current = body.required("currentPassword", field::password);
    let new = body.required("newPassword", field::password);
    body.check()?;

    let authenticated = change_password::change(&mount.auth, signed, &current?, &new?, &request.context).await?;
    Ok(reply::authenticated(mount, &authenticated))
}
