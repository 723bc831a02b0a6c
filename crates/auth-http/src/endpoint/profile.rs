//! `GET /me`, `PATCH /me`.

use auth_core::Auth;
use auth_core::domain::ProfileEdit;
use auth_core::flow::profile;
use http::StatusCode;

use super::{Outcome, field};
use crate::reply::{self, Session, UserAndSession, UserOnly};
use crate::request::Incoming;

/// → 200 `{user, session}`.
pub(super) fn show(request: &Incoming) -> Outcome {
    let signed = request.signed()?;
    let session = Session::of(&signed.session, signed.session.id);
    Ok(reply::json(StatusCode::OK, &UserAndSession { user: (&signed.user).into(), session }))
}

/// `{name?, imageUrl?, phoneNumber?, locale?}` → 200 `{user}`. What is absent stays; `null` clears.
pub(super) async fn edit(auth: &Auth, request: &Incoming) -> Outcome {
    let signed = request.signed()?;
    let mut body = request.fields()?;
    let name = body.change("name", field::name);
    let image_url = body.change("imageUrl", field::image_url);
    let phone_number = body.change("phoneNumber", field::phone_number);
    let locale = body.change("locale", field::locale);
    body.check()?;

    let edit = ProfileEdit { name: name?, image_url: image_url?, phone_number: phone_number?, locale: locale? };
    let user = profile::edit(auth, signed, edit, &request.context).await?;
    Ok(reply::json(StatusCode::OK, &UserOnly { user: (&user).into() }))
}
