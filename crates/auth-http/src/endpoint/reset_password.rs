//! `POST /password/reset/request`, `POST /password/reset/confirm`.

use auth_core::Auth;
use auth_core::flow::reset_password;
use http::StatusCode;

use super::proof::Presented;
use super::{Outcome, field};
use crate::reply::{self, Nothing};
use crate::request::Incoming;

/// `{email}` → 202 `{}`, always alike.
pub(super) async fn request(auth: &Auth, request: &Incoming) -> Outcome {
    let mut body = request.fields()?;
    let email = body.required("email", field::email);
    body.check()?;

    reset_password::request(auth, &email?, &request.context).await?;
    Ok(reply::json(StatusCode::ACCEPTED, &Nothing {}))
}

/// `{token, password}` or `{email, code, password}` → 204.
pub(super) async fn confirm(auth: &Auth, request: &Incoming) -> Outcome {
    let mut body = request.fields()?;
    let proof = Presented::read(&mut body);
    let password = body.required("password", field::password);
    body.check()?;

    reset_password::confirm(auth, &proof?.parse()?, &password?, &request.context).await?;
    Ok(reply::no_content())
}
