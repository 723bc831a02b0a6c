//! `POST /refresh`.

use auth_core::Auth;
use auth_core::flow::refresh;
use http::StatusCode;

use super::{Outcome, field};
use crate::reply::{self, Authenticated};
use crate::request::Incoming;
use crate::span;

/// `{refreshToken}` → 200 *Authenticated*.
pub(super) async fn refresh(auth: &Auth, request: &Incoming) -> Outcome {
    let mut body = request.fields()?;
    let token = body.required("refreshToken", field::text);
    body.check()?;

    let authenticated = refresh::refresh(auth, &token?, &request.context).await?;
    span::note_user(authenticated.user.id);
    Ok(reply::json(StatusCode::OK, &Authenticated::from(&authenticated)))
}
