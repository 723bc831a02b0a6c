//! `POST /verify/request`, `POST /verify/confirm`.

use auth_core::Auth;
use auth_core::flow::verify_email;
use http::StatusCode;

use super::proof::Presented;
use super::{Outcome, field};
use crate::reply::{self, Nothing, UserOnly};
use crate::request::Incoming;

/// `{email}` → 202 `{}`, always alike.
pub(super) async fn request(auth: &Auth, request: &Incoming) -> Outcome {
    let mut body = request.fields()?;
    let email = body.required("email", field::email);
    body.check()?;

    verify_email::request(auth, &email?, &request.context).await?;
    Ok(reply::json(StatusCode::ACCEPTED, &Nothing {}))
}

/// `{token}` or `{email, code}` → 200 `{user}`.
pub(super) async fn confirm(auth: &Auth, request: &Incoming) -> Outcome {
    let mut body = request.fields()?;
    let proof = Presented::read(&mut body);
    body.check()?;

    let user = verify_email::confirm(auth, &proof?.parse()?, &request.context).await?;
    Ok(reply::json(StatusCode::OK, &UserOnly { user: (&user).into() }))
}
