//! `POST /verify/request`, `POST /verify/confirm`.

use auth_core::Auth;
use auth_core::flow::verify_email;
use http::StatusCode;

use super::proof::Presented;
use super::{Outcome, field};
use crate::fields::{Required, fields};
use crate::reply::{self, Nothing, UserOnly};
use crate::request::Incoming;

fields! {
    /// Which address is to be verified.
    struct RequestVerification {
        /// The account's address.
        email: Required<field::Email> = "email",
    }
}

/// `{email}` → 202 `{}`, always alike.
pub(super) async fn request(auth: &Auth, request: &Incoming) -> Outcome {
    let RequestVerification { email } = request.body()?;
    verify_email::request(auth, &email, &request.context).await?;
    Ok(reply::json(StatusCode::ACCEPTED, &Nothing {}))
}

/// `{token}` or `{email, code}` → 200 `{user}`.
pub(super) async fn confirm(auth: &Auth, request: &Incoming) -> Outcome {
    let proof: Presented = request.body()?;
    let user = verify_email::confirm(auth, &proof.parse()?, &request.context).await?;
    Ok(reply::json(StatusCode::OK, &UserOnly { user: (&user).into() }))
}
