//! `POST /reauthenticate`.

use auth_core::flow::reauthenticate;

use super::{Outcome, field};
use crate::fields::{Required, fields};
use crate::mount::Mount;
use crate::reply;
use crate::request::Incoming;

fields! {
    /// What proves again who the user is.
    struct Reauthenticate {
        /// The password that counts now.
        password: Required<field::Password> = "password",
    }
}

/// `{password}` → 200 *Authenticated*, fresh for ten minutes; the credential before is dead.
pub(super) async fn with_password(mount: &Mount, request: &Incoming) -> Outcome {
    let Reauthenticate { password } = request.body()?;
    let signed = request.signed()?;
    let authenticated = reauthenticate::with_password(&mount.auth, signed, &password, &request.context).await?;
    reply::authenticated(mount, &authenticated)
}
