//! `GET /sessions`, `DELETE /sessions/{id}`.

use auth_core::Auth;
use auth_core::flow::sessions;
use http::StatusCode;

use super::Outcome;
use crate::problem::Problem;
use crate::reply::{self, Session, Sessions};
use crate::request::Incoming;

/// → 200 `{sessions}`: the live ones, newest first.
pub(super) async fn list(auth: &Auth, request: &Incoming) -> Outcome {
    let signed = request.signed()?;
    let sessions = sessions::list(auth, signed).await?;
    let sessions = sessions.iter().map(|session| Session::of(session, signed.session.id)).collect();
    Ok(reply::json(StatusCode::OK, &Sessions { sessions }))
}

/// → 204. Another user's session, one that is dead, and what is no id at all: 404.
pub(super) async fn end(auth: &Auth, request: &Incoming) -> Outcome {
    let signed = request.signed()?;
    let id = request.parameters.named("id").parse().map_err(|_| Problem::not_found())?;
    sessions::end(auth, signed, id, &request.context).await?;
    Ok(reply::no_content())
}
