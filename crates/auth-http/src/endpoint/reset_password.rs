//! `POST /password/reset/request`, `POST /password/reset/confirm`.

use auth_core::Auth;
use auth_core::flow::reset_password;
use http::StatusCode;

use super::proof::Presented;
use super::{Outcome, field};
use crate::fields::{Required, fields};
use crate::reply::{self, Nothing};
use crate::request::Incoming;

fields! {
    /// Whose password is to be reset.
    struct RequestReset {
        /// The account's address.
        email: Required<field::Email> = "email",
    }
}

fields! {
    /// What proves the address, and the new password.
    struct ConfirmReset {
        /// The password that counts from now on.
        password: Required<field::NewPassword> = "password",
        ..proof: Presented,
    }
}

/// `{email}` → 202 `{}`, always alike.
pub(super) async fn request(auth: &Auth, request: &Incoming) -> Outcome {
    let RequestReset { email } = request.body()?;
    reset_password::request(auth, &email, &request.context).await?;
    Ok(reply::json(StatusCode::ACCEPTED, &Nothing {}))
}

/// `{token, password}` or `{email, code, password}` → 204.
pub(super) async fn confirm(auth: &Auth, request: &Incoming) -> Outcome {
    let ConfirmReset { password, proof } = request.body()?;
    reset_password::confirm(auth, &proof.parse()?, &password, &request.context).await?;
    Ok(reply::no_content())
}
