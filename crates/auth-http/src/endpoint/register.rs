//! `POST /register`.

use auth_core::Auth;
use auth_core::flow::register::{self, Registration};
use http::StatusCode;

use super::{Outcome, field};
use crate::reply::{self, UserOnly};
use crate::request::Incoming;

/// `{email, password, name?, locale?}` → 201 `{user}`.
pub(super) async fn register(auth: &Auth, request: &Incoming) -> Outcome {
    let mut body = request.fields()?;
    let email = body.required("email", field::email);
    let password = body.required("password", field::password);
    let name = body.optional("name", field::name);
    let locale = body.optional("locale", field::locale);
    body.check()?;

    let registration = Registration { email: email?, password: password?, name: name?, locale: locale? };
    let user = register::register(auth, registration, &request.context).await?;
    Ok(reply::json(StatusCode::CREATED, &UserOnly { user: (&user).into() }))
}
