//! `POST /email/change/request`, `POST /email/change/confirm`, `POST /email/change/undo`.

use auth_core::Auth;
use auth_core::domain::{self, Secret};
use auth_core::flow::change_email::{self, ChangeProof};
use http::StatusCode;

use super::{Outcome, field};
use crate::fields::{Required, fields};
use crate::identity::{self, Identified, Use};
use crate::mount::Mount;
use crate::openapi::Description;
use crate::problem::{Problem, ProblemCode};
use crate::reply::{self, Nothing, UserOnly};
use crate::request::Incoming;

fields! {
    /// Where the account is to move.
    struct RequestChange {
        /// The new address.
        email: Required<field::Email> = "email",
    }
}

/// `{email}` → 202 `{}`, also for an address that is taken.
pub(super) async fn request(auth: &Auth, request: &Incoming) -> Outcome {
    let RequestChange { email } = request.body()?;
    change_email::request(auth, request.signed()?, &email, &request.context).await?;
    Ok(reply::json(StatusCode::ACCEPTED, &Nothing {}))
}

fields! {
    /// What the mail to the new address carries: the token of its link, which anybody may hold, or its code, from the user
    /// who is signed in. The token wins where both are sent.
    enum ConfirmChange {
        Link {
            /// The token in the link.
            token: Required<field::LinkToken> = "token",
        },
        Code {
            /// The six digits.
            code: Required<field::Code> = "code",
        },
    }
}

/// `{token}`, or `{code}` signed in → 200 `{user}`.
pub(super) async fn confirm(mount: &Mount, request: &Incoming) -> Outcome {
    let auth = &mount.auth;
    let code = match request.body()? {
        ConfirmChange::Link { token } => {
            let secret = Secret::parse(&token).ok_or_else(Problem::token_invalid)?;
            return user(&change_email::confirm(auth, ChangeProof::Link(&secret), &request.context).await?);
        }
        ConfirmChange::Code { code } => code,
    };
    let identified = identity::identify(mount, &request.head, None, Use::Decide, &request.context).await?;
    let Identified { signed, set_cookies } = identified;
    let outcome = async {
        let code = domain::Code::parse(&code).ok_or_else(Problem::token_invalid)?;
        user(&change_email::confirm(auth, ChangeProof::Code(&signed, &code, None), &request.context).await?)
    };
    reply::carrying(set_cookies, outcome.await, request.context.request_id.as_deref().unwrap_or_default())
}

fields! {
    /// What the mail to the old address carries.
    struct UndoChange {
        /// The token in the link.
        token: Required<field::LinkToken> = "token",
    }
}

/// `{token}` → 200 `{user}`.
pub(super) async fn undo(auth: &Auth, request: &Incoming) -> Outcome {
    let UndoChange { token } = request.body()?;
    let secret = Secret::parse(&token).ok_or_else(Problem::token_invalid)?;
    user(&change_email::undo(auth, &secret, &request.context).await?)
}

fn user(user: &domain::User) -> Outcome {
    Ok(reply::json(StatusCode::OK, &UserOnly { user: user.into() }))
}

pub(super) fn request_description() -> Description {
    let details = "Mails a code and a link to the new address, and a notice with a link that undoes it to the old one. \
                   Wants a fresh session.";
    Description::new("Ask to move the account", details)
        .body::<RequestChange>()
        .reply::<Nothing>(StatusCode::ACCEPTED, "Alike for an address that has an account.")
        .problems([ProblemCode::Forbidden])
}

pub(super) fn confirm_description() -> Description {
    let details = "Moves the account to the new address. The link's token will do by itself; the code is good for the user \
                   who is signed in. Sessions stay.";
    Description::new("Move the account", details)
        .takes_credential()
        .body::<ConfirmChange>()
        .reply::<UserOnly>(StatusCode::OK, "The user, with the new address.")
        .problems([ProblemCode::TokenInvalid, ProblemCode::Unauthorized])
        .sets_cookies()
}

pub(super) fn undo_description() -> Description {
    let details = "Moves the account back to the old address, and keeps it there. Sessions stay.";
    Description::new("Move the account back", details)
        .body::<UndoChange>()
        .reply::<UserOnly>(StatusCode::OK, "The user, with the old address.")
        .problems([ProblemCode::TokenInvalid])
}
