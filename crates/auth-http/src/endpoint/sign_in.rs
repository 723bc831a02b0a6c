//! `POST /login`.

use auth_core::Auth;
use auth_core::flow::sign_in::{self, Credentials, SignIn};
use http::StatusCode;

use super::{Outcome, field};
use crate::problem::Problem;
use crate::reply::{self, Authenticated};
use crate::request::Incoming;
use crate::span;

/// `{email, password, deviceToken?}` → 200 *Authenticated*.
pub(super) async fn sign_in(auth: &Auth, request: &Incoming) -> Outcome {
    let mut body = request.fields()?;
    let email = body.required("email", field::email);
    let password = body.required("password", field::password);
    let device = body.optional("deviceToken", field::text);
    body.check()?;

    let credentials = Credentials { email: email?, password: password?, device: device? };
    match sign_in::sign_in(auth, credentials, &request.context).await? {
        SignIn::Complete(authenticated) => {
            span::note_user(authenticated.user.id);
            Ok(reply::json(StatusCode::OK, &Authenticated::from(&*authenticated)))
        }
        step => Err(Problem::internal(format!("a step of signing in without a reply: {step:?}"))),
    }
}
