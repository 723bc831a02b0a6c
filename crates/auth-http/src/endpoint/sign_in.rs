//! `POST /login`.

use auth_core::flow::sign_in::{self, Credentials};
use auth_core::flow::sign_out;
use auth_core::settings::UnverifiedSignIn;

use super::{Outcome, field};
use crate::fields::{Optional, Required, fields};
use crate::mount::Mount;
use crate::openapi::Description;
use crate::problem::{Problem, ProblemCode};
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
            end_before(mount, request).await?;
            Ok(reply::authenticated(mount, request, &authenticated))
        }
        sign_in::SignIn::SecondStep(challenge) => Ok(reply::second_step(mount, &challenge)),
        step => Err(Problem::internal(format!("a step of signing in without a reply: {step:?}"))),
    }
}

/// Whoever was signed in in this browser isn't any more: that credential must not live on unseen (ASVS 7.2.4).
pub(super) async fn end_before(mount: &Mount, request: &Incoming) -> Result<(), Problem> {
    let Some(cookies) = &mount.cookies else { return Ok(()) };
    let headers = &request.head.headers;
    match &cookies.refresh {
        Some(refresh) => {
            if let Some(before) = refresh.read(headers) {
                sign_out::by_refresh_token(&mount.auth, before, &request.context).await?;
            }
        }
        None => {
            if let Some(before) = cookies.session.read(headers) {
                sign_out::by_secret(&mount.auth, before, &request.context).await?;
            }
        }
    }
    Ok(())
}

pub(super) fn description(mount: &Mount) -> Description {
    let is_strict = mount.auth.settings().unverified_sign_in == UnverifiedSignIn::Refuse;
    Description::new(
        "Sign in",
        "Starts a session with address and password. An unknown address, a wrong password and a suspended user are \
         answered alike. Where the user has a second factor on, or the server demands one, the answer is a challenge for \
         the second step instead.",
    )
    .body::<SignIn>()
    .authenticated_or_asked(mount)
    .problems([ProblemCode::Unauthorized, ProblemCode::Forbidden])
    .problems(is_strict.then_some(ProblemCode::EmailNotVerified))
}
