//! `GET /me`, `PATCH /me`.

use auth_core::Auth;
use auth_core::domain::ProfileEdit;
use auth_core::flow::profile;
use http::StatusCode;

use super::{Outcome, field};
use crate::fields::{Change, fields};
use crate::openapi::Description;
use crate::reply::{self, Session, UserAndSession, UserOnly};
use crate::request::Incoming;

/// → 200 `{user, session}`.
pub(super) fn show(request: &Incoming) -> Outcome {
    let signed = request.signed()?;
    let session = Session::of(&signed.session, signed.session.id);
    Ok(reply::json(StatusCode::OK, &UserAndSession { user: (&signed.user).into(), session }))
}

fields! {
    /// What users tell of themselves. What is absent stays; `null` clears.
    struct EditProfile {
        /// What to call the user, without control characters.
        name: Change<field::Name> = "name",
        /// A picture: an `https` URL without credentials.
        image_url: Change<field::ImageUrl> = "imageUrl",
        /// An international number. Blanks, dots, hyphens and brackets in it are dropped.
        phone_number: Change<field::PhoneNumber> = "phoneNumber",
        /// A language tag (BCP 47): the language of mail.
        locale: Change<field::Locale> = "locale",
    }
}

/// `{name?, imageUrl?, phoneNumber?, locale?}` → 200 `{user}`. What is absent stays; `null` clears.
pub(super) async fn edit(auth: &Auth, request: &Incoming) -> Outcome {
    let EditProfile { name, image_url, phone_number, locale } = request.body()?;
    let edit = ProfileEdit { name, image_url, phone_number, locale };
    let user = profile::edit(auth, request.signed()?, edit, &request.context).await?;
    Ok(reply::json(StatusCode::OK, &UserOnly { user: (&user).into() }))
}

pub(super) fn show_description() -> Description {
    Description::new("Show the profile", "Who is signed in, and with which session.")
        .reply::<UserAndSession>(StatusCode::OK, "The user and the session that asks.")
}

pub(super) fn edit_description() -> Description {
    Description::new("Edit the profile", "Changes what the user tells of themselves.")
        .body::<EditProfile>()
        .reply::<UserOnly>(StatusCode::OK, "The user, as changed.")
}
