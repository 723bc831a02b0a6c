//! `POST /email/change/request`, `POST /email/change/confirm`, `POST /email/change/undo`.

use auth_core::Auth;
use auth_core::domain::{Code, Secret};
use auth_core::flow::change_email::{self, ChangeProof};
use http::StatusCode;

use super::{Outcome, field};
use crate::fields::{Required, fields};
use crate::problem::Problem;
use crate::reply::{self, Nothing, UserOnly};
use crate::request::Incoming;

fields! {
    /// Where the account is to move.
    struct RequestEmailChange {
        /// The new address.
        email: Required<field::Email> = "email",
    }
}

/// Fresh; `{email}` → 202 `{}`, also for an address that is taken.
pub(super) async fn request(auth: &Auth, request: &Incoming) -> Outcome {
    let RequestEmailChange { email } = request.body()?;
    change_email::request(auth, request.signed()?, &email, &request.context).await?;
    Ok(reply::json(StatusCode::ACCEPTED, &Nothing {}))
}

fields! {
    /// What was mailed to the new address: the token of its link, from anybody, or its code, from the user. The token wins
    /// where both are sent.
    enum ConfirmEmailChange {
        Link {
            /// The token in the link.
            token: Required<field::LinkToken> = "token",
        },
        Code {
            /// The six digits in the mail.
            code: Required<field::Code> = "code",
        },
    }
}

/// `{token}`, or signed in and `{code}` → 200 `{user}`.
pub(super) async fn confirm(auth: &Auth, request: &Incoming) -> Outcome {
    let user = match request.body()? {
        ConfirmEmailChange::Link { token } => {
            let secret = Secret::parse(&token).ok_or_else(Problem::token_invalid)?;
            change_email::confirm(auth, ChangeProof::Link(&secret), &request.context).await?
        }
        ConfirmEmailChange::Code { code } => {
            let signed = request.signed()?;
            let code = Code::parse(&code).ok_or_else(Problem::token_invalid)?;
            change_email::confirm(auth, ChangeProof::Code(signed, &code), &request.context).await?
        }
    };
    Ok(reply::json(StatusCode::OK, &UserOnly { user: (&user).into() }))
}

fields! {
    /// What was mailed to the address before.
    struct UndoEmailChange {
        /// The token in the link.
        token: Required<field::LinkToken> = "token",
    }
}

/// `{token}` → 200 `{user}`, who is at the address before again.
pub(super) async fn undo(auth: &Auth, request: &Incoming) -> Outcome {
    let UndoEmailChange { token } = request.body()?;
    let secret = Secret::parse(&token).ok_or_else(Problem::token_invalid)?;
    let user = change_email::undo(auth, &secret, &request.context).await?;
    Ok(reply::json(StatusCode::OK, &UserOnly { user: (&user).into() }))
}
