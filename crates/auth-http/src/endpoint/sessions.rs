//! `GET /sessions`, `DELETE /sessions/{id}`.

use auth_core::Auth;
use auth_core::flow::sessions;
use http::StatusCode;
use serde_json::json;

use super::Outcome;
use crate::openapi::Description;
use crate::problem::{Problem, ProblemCode};
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

pub(super) fn list_description() -> Description {
    Description::new("List sessions", "The user's live sessions, newest first.")
        .reply::<Sessions>(StatusCode::OK, "The sessions.")
}

pub(super) fn end_description() -> Description {
    Description::new("End a session", "Another user's session, and one that is dead, is 404.")
        .path("id", "The session's id.", &json!({ "type": "string", "format": "uuid" }))
        .no_content("The session is dead.")
        .problems([ProblemCode::NotFound])
}
