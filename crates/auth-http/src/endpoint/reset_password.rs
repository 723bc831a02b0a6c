//! `POST /password/reset/request`, `POST /password/reset/confirm`.

use auth_core::Auth;
use auth_core::flow::reset_password;
use http::StatusCode;

use super::proof::Presented;
use super::{Outcome, field};
use crate::fields::{Required, fields};
use crate::openapi::Description;
use crate::problem::ProblemCode;
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

pub(super) fn request_description() -> Description {
    Description::new("Ask for a reset mail", "Mails a code and a link to the address, if it has an account.")
        .body::<RequestReset>()
        .reply::<Nothing>(StatusCode::ACCEPTED, "Always alike, whether or not the address has an account.")
}

pub(super) fn confirm_description() -> Description {
    Description::new(
        "Reset the password",
        "Sets a password with what was mailed: the link's token, or the code. Ends every session, verifies the address, \
         and signs nobody in. A refused password spends nothing.",
    )
    .body::<ConfirmReset>()
    .no_content("The new password counts.")
    .problems([ProblemCode::TokenInvalid])
}
