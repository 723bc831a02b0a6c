//! `POST /reauthenticate/request`, `POST /reauthenticate`.

use auth_core::Auth;
use auth_core::flow::reauthenticate;
use http::StatusCode;

use super::{Outcome, field};
use crate::fields::{Optional, Required, fields};
use crate::mount::Mount;
use crate::openapi::Description;
use crate::reply::{self, Nothing};
use crate::request::Incoming;

fields! {
    /// What shows again who it is: the password, or a code.
    enum Reauthenticate {
        Password {
            /// The account's password.
            password: Required<field::Password> = "password",
        },
        Code {
            /// The six digits of the authenticator app, those that were mailed, or a recovery code.
            code: Required<field::FactorCode> = "code",
            /// What the code is of. Without it six digits are of the authenticator app where one is on, else of the mail; and
            /// anything else is a recovery code.
            method: Optional<field::SecondStep> = "method",
        },
    }
}

/// → 202 `{}`: a code is mailed.
pub(super) async fn request(auth: &Auth, request: &Incoming) -> Outcome {
    reauthenticate::request(auth, request.signed()?, &request.context).await?;
    Ok(reply::json(StatusCode::ACCEPTED, &Nothing {}))
}

/// `{password}` or `{code, method?}` → 200 *Authenticated*: the session goes on under a new credential, fresh for ten minutes.
pub(super) async fn reauthenticate(mount: &Mount, request: &Incoming) -> Outcome {
    let (auth, signed, context) = (&mount.auth, request.signed()?, &request.context);
    let authenticated = match request.body()? {
        Reauthenticate::Password { password } => {
            reauthenticate::with_password(auth, signed, &password, context).await?
        }
        Reauthenticate::Code { code, method } => {
            reauthenticate::with_code(auth, signed, method, &code, context).await?
        }
    };
    Ok(reply::authenticated(mount, request, &authenticated))
}

pub(super) fn request_description() -> Description {
    Description::new(
        "Ask for a code that proves again who you are",
        "Mails a code, for this session only. None is mailed where an authenticator app is on: then its codes will do.",
    )
    .reply::<Nothing>(StatusCode::ACCEPTED, "It is on its way.")
}

pub(super) fn description(mount: &Mount) -> Description {
    Description::new(
        "Prove again who you are",
        "The session goes on under a new credential, and for ten minutes may do what wants a fresh one.",
    )
    .body::<Reauthenticate>()
    .authenticated(mount)
}
