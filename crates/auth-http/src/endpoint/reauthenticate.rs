//! `POST /reauthenticate`.

use auth_core::flow::reauthenticate;

use super::{Outcome, field};
use crate::fields::{Required, fields};
use crate::mount::Mount;
use crate::openapi::Description;
use crate::reply;
use crate::request::Incoming;

fields! {
    /// What shows again who it is.
    struct Reauthenticate {
        /// The account's password.
        password: Required<field::Password> = "password",
    }
}

/// `{password}` → 200 *Authenticated*: the session goes on under a new credential, fresh for ten minutes.
pub(super) async fn reauthenticate(mount: &Mount, request: &Incoming) -> Outcome {
    let Reauthenticate { password } = request.body()?;
    let signed = request.signed()?;
    let authenticated = reauthenticate::with_password(&mount.auth, signed, &password, &request.context).await?;
    Ok(reply::authenticated(mount, request, &authenticated))
}

pub(super) fn description(mount: &Mount) -> Description {
    Description::new(
        "Prove again who you are",
        "The session goes on under a new credential, and for ten minutes may do what wants a fresh one.",
    )
    .body::<Reauthenticate>()
    .authenticated(mount)
}
