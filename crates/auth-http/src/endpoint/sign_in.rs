//! `POST /login`.

use auth_core::flow::sign_in::{self, Credentials, SignIn};

use super::{Outcome, field};
use crate::mount::Mount;
use crate::problem::Problem;
use crate::reply;
use crate::request::Incoming;

/// `{email, password, deviceToken?}` → 200 *Authenticated*.
pub(super) async fn sign_in(mount: &Mount, request: &Incoming) -> Outcome {
    let mut body = request.fields()?;
    let email = body.required("email", field::email);
    let password = body.required("password", field::password);
    let device = body.optional("deviceToken", field::text);
    body.check()?;

    let credentials = Credentials { email: email?, password: password?, device: device? };
    match sign_in::sign_in(&mount.auth, credentials, &request.context).await? {
        SignIn::Complete(authenticated) => Ok(reply::authenticated(mount, &authenticated)),
        step => Err(Problem::internal(format!("a step of signing in without a reply: {step:?}"))),
    }
}
