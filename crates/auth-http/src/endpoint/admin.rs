//! `/admin/…`: what administrators do to other users. Whoever gets here holds the role `admin`; the flows see to it that they
//! still do when it happens.

use auth_core::Auth;
use auth_core::domain::{AuditKind, Email, Role, UserId};
use auth_core::flow::{Actor, audit, roles, users};
use auth_core::port::{AuditQuery, UserQuery};
use http::StatusCode;

use super::Outcome;
use super::query::Query;
use crate::problem::Problem;
use crate::reply::{self, Events, UserOnly, Users};
use crate::request::Incoming;

/// `?query&cursor&limit` → 200 `{users, nextCursor}`: newest first; `query` is part of an address.
pub(super) async fn list_users(auth: &Auth, request: &Incoming) -> Outcome {
    let query = Query::parse(request.query());
    let limit = query.limit()?;
    let query = UserQuery {
        search: query.optional("query", "must be at most 254 characters", search)?,
        before: query.optional("cursor", "must be a nextCursor", |text| text.parse().ok())?,
        limit: limit + 1,
    };
    let mut users = users::list(auth, actor(request)?, &query, &request.context).await?;
    let next_cursor = cut(&mut users, limit).map(|user| user.id.to_string());
    let users = users.iter().map(Into::into).collect();
    Ok(reply::json(StatusCode::OK, &Users { users, next_cursor }))
}

/// Part of an address, as canonical addresses spell it.
fn search(text: &str) -> Option<String> {
    let canonical =
        Email::parse(text).map_or_else(|_| text.trim().to_lowercase(), |email| email.canonical().to_owned());
    (canonical.len() <= 254).then_some(canonical)
}

/// → 200 `{user}`.
pub(super) async fn show_user(auth: &Auth, request: &Incoming) -> Outcome {
    let user = users::show(auth, actor(request)?, subject(request)?, &request.context).await?;
    Ok(reply::json(StatusCode::OK, &UserOnly { user: (&user).into() }))
}

/// → 204, effective on the user's next request.
pub(super) async fn suspend(auth: &Auth, request: &Incoming) -> Outcome {
    users::suspend(auth, actor(request)?, subject(request)?, &request.context).await?;
    Ok(reply::no_content())
}

/// → 204.
pub(super) async fn reactivate(auth: &Auth, request: &Incoming) -> Outcome {
    users::reactivate(auth, actor(request)?, subject(request)?, &request.context).await?;
    Ok(reply::no_content())
}

/// → 204, effective on the user's next request.
pub(super) async fn grant_role(auth: &Auth, request: &Incoming) -> Outcome {
    roles::grant(auth, actor(request)?, subject(request)?, role(request)?, &request.context).await?;
    Ok(reply::no_content())
}

/// → 204, effective on the user's next request.
pub(super) async fn revoke_role(auth: &Auth, request: &Incoming) -> Outcome {
    roles::revoke(auth, actor(request)?, subject(request)?, role(request)?, &request.context).await?;
    Ok(reply::no_content())
}

/// → 204: every session of the user is dead.
pub(super) async fn end_sessions(auth: &Auth, request: &Incoming) -> Outcome {
    users::end_sessions(auth, actor(request)?, subject(request)?, &request.context).await?;
    Ok(reply::no_content())
}

/// `?user&kind&cursor&limit` → 200 `{events, nextCursor}`: newest first.
pub(super) async fn list_events(auth: &Auth, request: &Incoming) -> Outcome {
    let query = Query::parse(request.query());
    let limit = query.limit()?;
    let query = AuditQuery {
        user: query.optional("user", "must be a user's id", |text| text.parse().ok())?,
        kind: query.optional("kind", "must be a kind of event", AuditKind::parse)?,
        before: query.optional("cursor", "must be a nextCursor", |text| text.parse().ok())?,
        limit: limit + 1,
    };
    let mut events = audit::list(auth, actor(request)?, &query, &request.context).await?;
    let next_cursor = cut(&mut events, limit).map(|event| event.id.to_string());
    let events = events.iter().map(Into::into).collect();
    Ok(reply::json(StatusCode::OK, &Events { events, next_cursor }))
}

fn actor(request: &Incoming) -> Result<Actor<'_>, Problem> {
    Ok(Actor::Admin(request.signed()?))
}

/// Whom the path names. What is no id is nobody's.
fn subject(request: &Incoming) -> Result<UserId, Problem> {
    request.parameters.named("id").parse().map_err(|_| Problem::not_found())
}

/// Which role the path names. What can't be a role's name is no role.
fn role(request: &Incoming) -> Result<Role, Problem> {
    Role::parse(request.parameters.named("role")).ok_or_else(Problem::not_found)
}

/// Cuts a page of one more than was asked for; its last entry, where another page follows.
fn cut<T>(page: &mut Vec<T>, limit: u32) -> Option<&T> {
    let limit = limit as usize;
    if page.len() <= limit {
        return None;
    }
    page.truncate(limit);
    page.last()
}
