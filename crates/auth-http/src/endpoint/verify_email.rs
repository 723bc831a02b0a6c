//! `POST /verify/request`, `POST /verify/confirm`.

use auth_core::Auth;
use auth_core::flow::verify_email;
use http::StatusCode;

use super::proof::Presented;
use super::{Outcome, field};
use crate::fields::{Required, fields};
use crate::openapi::Description;
use crate::problem::ProblemCode;
use crate::reply::{self, Nothing, UserOnly};
use crate::request::Incoming;

fields! {
    /// Which address is to be verified.
    struct RequestVerification {
        /// The account's address.
        email: Required<field::Email> = "email",
    }
}

fields! {
    /// What proves the address.
    struct ConfirmVerification {
        ..proof: Presented,
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
    let ConfirmVerification { proof } = request.body()?;
    let user = verify_email::confirm(auth, &proof.parse()?, &request.context).await?;
    Ok(reply::json(StatusCode::OK, &UserOnly { user: (&user).into() }))
}

pub(super) fn request_description() -> Description {
    Description::new(
        "Ask for a verification mail",
        "Mails a code and a link to the address, if there is anything to prove.",
    )
    .body::<RequestVerification>()
    .reply::<Nothing>(StatusCode::ACCEPTED, "Always alike, whether or not the address has an account.")
}

pub(super) fn confirm_description() -> Description {
    Description::new(
        "Verify an address",
        "Proves the address with what was mailed to it: the link's token, or the code.",
    )
    .body::<ConfirmVerification>()
    .reply::<UserOnly>(StatusCode::OK, "The account, its address verified.")
    .problems([ProblemCode::TokenInvalid])
}
