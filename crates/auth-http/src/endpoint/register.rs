//! `POST /register`.

use auth_core::Auth;
use auth_core::domain::Attributes;
use auth_core::flow::register::{self, Registered, Registration};
use auth_core::settings::ExistingAddress;
use http::StatusCode;

use super::{Outcome, field};
use crate::fields::{Optional, Required, fields};
use crate::idempotency;
use crate::mount::Mount;
use crate::openapi::Description;
use crate::problem::ProblemCode;
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
        Registered::Created(user, _) => reply::json(StatusCode::CREATED, &UserOnly { user: (&*user).into() }),
        Registered::Concealed => reply::json(StatusCode::ACCEPTED, &Nothing {}),
    })
}

pub(super) fn description(mount: &Mount) -> Description {
    let description = idempotency::describe(Description::new(
        "Make an account",
        "A mail is on its way, whose code and link prove the address. With an `Idempotency-Key` a repeated request \
         happens once, and is answered as the first was.",
    ))
    .body::<Register>()
    .problems([ProblemCode::Forbidden]);
    match mount.auth.settings().existing_address {
        ExistingAddress::Conflict => description
            .reply::<UserOnly>(StatusCode::CREATED, "The account, its address not verified yet.")
            .problems([ProblemCode::Conflict]),
        ExistingAddress::Conceal => description
            .reply::<Nothing>(StatusCode::ACCEPTED, "Always alike, whether or not the address has an account."),
    }
}
