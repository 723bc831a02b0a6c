//! `POST /login`.

use auth_core::flow::sign_in::{self, Credentials};

use super::{Outcome, field};
use crate::fields::{Optional, Required, fields};
use crate::mount::Mount;
use crate::problem::Problem;
use crate::reply;
use crate::request::Incoming;

fields! {
    /// Address and password.
    struct SignIn {
        /// The account's address.
        email: Required<field::Email> = "email",
        /// The account's password.
        password: Required<field::Password> = "password",
        /// Of an earlier sign-in from this client.
        device: Optional<field::OpaqueToken> = "deviceToken",
    }
}

/// `{email, password, deviceToken?}` → 200 *Authenticated*.
pub(super) async fn sign_in(mount: &Mount, request: &Incoming) -> Outcome {
    let SignIn { email, password, device } = request.body()?;
    // A browser has it in a cookie.
    let kept = || mount.cookies.as_ref()?.device.read(&request.head.headers).map(str::to_owned);
    let credentials = Credentials { email, password, device: device.or_else(kept) };
    match sign_in::sign_in(&mount.auth, credentials, &request.context).await? {
        sign_in::SignIn::Complete(authenticated) => {
            Ok(reply::authenticated(mount, &request.head.headers, &authenticated))
        }
        step => Err(Problem::internal(format!("a step of signing in without a reply: {step:?}"))),
    }
}
