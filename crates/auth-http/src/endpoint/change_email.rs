//! `POST /email/change/request`, `POST /email/change/confirm`, `POST /email/change/undo`.

use auth_core::Auth;
use auth_core::domain::{self, Secret};
use auth_core::flow::change_email::{self, ChangeProof};
use http::StatusCode;

use super::{Outcome, field};
use crate::fields::{Required, fields};
use crate::identity::{self, Identified};
use crate::mount::Mount;
use crate::problem::Problem;
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
    let identified = identity::identify(mount, &request.head, None, true, &request.context).await?;
    let Identified { signed, set_cookies } = identified;
    let outcome = async {
        let code = domain::Code::parse(&code).ok_or_else(Problem::token_invalid)?;
        user(&change_email::confirm(auth, ChangeProof::Code(&signed, &code), &request.context).await?)
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
