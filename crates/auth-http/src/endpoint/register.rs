//! `POST /register`.

use auth_core::Auth;
use auth_core::domain::Attributes;
use auth_core::flow::register::{self, Registered, Registration};
use http::StatusCode;

use super::{Outcome, field};
use crate::fields::{Optional, Required, fields};
use crate::reply::{self, Nothing, UserOnly};
use crate::request::Incoming;

fields! {
    /// What an account is made of.
    struct Register {
        /// Where mail goes, and what the user signs in with.
        email: Required<field::Email> = "email",
        /// Not a common one, not easy to guess, and not made of the user's own address or name.
        password: Required<field::NewPassword> = "password",
        /// What to call the user, without control characters.
        name: Optional<field::Name> = "name",
        /// A language tag (BCP 47): the language of mail.
        locale: Optional<field::Locale> = "locale",
    }
}

/// `{email, password, name?, locale?}` → 201 `{user}`; concealed: 202 `{}`, always alike.
pub(super) async fn register(auth: &Auth, request: &Incoming) -> Outcome {
    let Register { email, password, name, locale } = request.body()?;
    let registration = Registration { email, password, name, locale, attributes: Attributes::default() };
    Ok(match register::register(auth, registration, &request.context).await? {
        Registered::Created(user) => reply::json(StatusCode::CREATED, &UserOnly { user: (&*user).into() }),
        Registered::Concealed => reply::json(StatusCode::ACCEPTED, &Nothing {}),
    })
}
