//! `POST /password/change`.

use auth_core::Auth;
use auth_core::flow::change_password;
use http::StatusCode;

use super::{Outcome, field, signed_for_change};
use crate::reply::{self, Authenticated};
use crate::request::Incoming;

/// `{currentPassword, newPassword}` → 200 *Authenticated*.
pub(super) async fn change(auth: &Auth, request: &Incoming) -> Outcome {
    let signed = signed_for_change(auth, &request.headers).await?;
    let mut body = request.fields()?;
    let current = body.required("currentPassword", field::password);
    let new = body.required("newPassword", field::password);
    body.check()?;

    let authenticated = change_password::change(auth, &signed, &current?, &new?, &request.context).await?;
    Ok(reply::json(StatusCode::OK, &Authenticated::from(&authenticated)))
}
