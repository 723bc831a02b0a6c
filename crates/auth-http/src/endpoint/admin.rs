//! `/admin/…`: other people's accounts, and the audit log. All are for administrators.

use auth_core::Auth;
use auth_core::domain::{Role, UserId};
use auth_core::flow::{Actor, audit, roles, users};
use auth_core::port::{AuditQuery, UserQuery};
use http::StatusCode;
use serde_json::json;

use super::{Outcome, field};
use crate::fields::{Optional, Text, fields};
use crate::openapi::Description;
use crate::problem::{Problem, ProblemCode};
use crate::reply::{self, AuditEvents, UserOnly, Users};
use crate::request::Incoming;

/// Entries of a page where nothing else is asked for.
const PAGE: u32 = 50;

fields! {
    /// Which users to list.
    struct ListUsers {
        /// Those whose address contains this text.
        query: Optional<field::Search> = "query",
        /// The `nextCursor` of the page before.
        cursor: Optional<field::UserId> = "cursor",
        /// How many at most: 50 unless said otherwise.
        limit: Optional<field::Limit> = "limit",
    }
}

/// → 200 `{users, nextCursor}`: newest first.
pub(super) async fn list_users(auth: &Auth, request: &Incoming) -> Outcome {
    let ListUsers { query: search, cursor: before, limit } = request.query()?;
    let limit = limit.unwrap_or(PAGE);
    let actor = Actor::Admin(request.signed()?);
    // One more than asked for shows whether there is another page.
    let query = UserQuery { search, before, limit: limit + 1 };
    let found = users::list(auth, actor, &query, &request.context).await?;
    let (page, next_cursor) = page(&found, limit, |user| user.id.to_string());
    Ok(reply::json(StatusCode::OK, &Users { users: page.iter().map(Into::into).collect(), next_cursor }))
}

/// → 200 `{user}`.
pub(super) async fn show_user(auth: &Auth, request: &Incoming) -> Outcome {
    let user = users::show(auth, Actor::Admin(request.signed()?), user(request)?, &request.context).await?;
    Ok(reply::json(StatusCode::OK, &UserOnly { user: (&user).into() }))
}

/// → 204: from the next request on. Whoever is suspended stays so.
pub(super) async fn suspend(auth: &Auth, request: &Incoming) -> Outcome {
    users::suspend(auth, Actor::Admin(request.signed()?), user(request)?, &request.context).await?;
    Ok(reply::no_content())
}

/// → 204. Earlier sessions stay dead.
pub(super) async fn reactivate(auth: &Auth, request: &Incoming) -> Outcome {
    users::reactivate(auth, Actor::Admin(request.signed()?), user(request)?, &request.context).await?;
    Ok(reply::no_content())
}

/// → 204: from the next request on.
pub(super) async fn grant_role(auth: &Auth, request: &Incoming) -> Outcome {
    let (actor, user, role) = (Actor::Admin(request.signed()?), user(request)?, role(request)?);
    roles::grant(auth, actor, user, role, &request.context).await?;
    Ok(reply::no_content())
}

/// → 204, likewise.
pub(super) async fn revoke_role(auth: &Auth, request: &Incoming) -> Outcome {
    let (actor, user, role) = (Actor::Admin(request.signed()?), user(request)?, role(request)?);
    roles::revoke(auth, actor, user, role, &request.context).await?;
    Ok(reply::no_content())
}

/// → 204: every session of theirs is dead.
pub(super) async fn end_sessions(auth: &Auth, request: &Incoming) -> Outcome {
    users::end_sessions(auth, Actor::Admin(request.signed()?), user(request)?, &request.context).await?;
    Ok(reply::no_content())
}

fields! {
    /// Which entries to list.
    struct ListAuditEvents {
        /// Those about or by this user.
        user: Optional<field::UserId> = "user",
        /// Those of this kind.
        kind: Optional<field::AuditKind> = "kind",
        /// The `nextCursor` of the page before.
        cursor: Optional<field::EventId> = "cursor",
        /// How many at most: 50 unless said otherwise.
        limit: Optional<field::Limit> = "limit",
    }
}

/// → 200 `{events, nextCursor}`: newest first.
pub(super) async fn list_audit_events(auth: &Auth, request: &Incoming) -> Outcome {
    let ListAuditEvents { user, kind, cursor: before, limit } = request.query()?;
    let limit = limit.unwrap_or(PAGE);
    let actor = Actor::Admin(request.signed()?);
    let query = AuditQuery { user, kind, before, limit: limit + 1 };
    let found = audit::list(auth, actor, &query, &request.context).await?;
    let (page, next_cursor) = page(&found, limit, |event| event.id.to_string());
    Ok(reply::json(StatusCode::OK, &AuditEvents { events: page.iter().map(Into::into).collect(), next_cursor }))
}

/// What of `found` is the page, and where the next one begins, if there is one.
fn page<T>(found: &[T], limit: u32, cursor: impl Fn(&T) -> String) -> (&[T], Option<String>) {
    let page = found.get(..limit as usize).unwrap_or(found);
    (page, page.last().filter(|_| page.len() < found.len()).map(cursor))
}

/// The user in the path. What is no id is nobody's.
fn user(request: &Incoming) -> Result<UserId, Problem> {
    request.parameters.named("id").parse().map_err(|_| Problem::not_found())
}

/// The role in the path.
fn role(request: &Incoming) -> Result<Role, Problem> {
    Role::parse(request.parameters.named("role")).ok_or_else(Problem::not_found)
}

pub(super) fn list_users_description() -> Description {
    Description::new("List users", "Newest first, a page at a time.")
        .query::<ListUsers>()
        .reply::<Users>(StatusCode::OK, "A page of users.")
}

pub(super) fn show_user_description() -> Description {
    about_user("Show a user", "As that user sees it.").reply::<UserOnly>(StatusCode::OK, "The user.")
}

pub(super) fn suspend_description() -> Description {
    about_user("Suspend a user", "Ends every session of theirs and lets them in no more. The last administrator stays.")
        .no_content("From the next request on.")
        .problems([ProblemCode::Conflict])
}

pub(super) fn reactivate_description() -> Description {
    about_user("Let a suspended user in again", "Earlier sessions stay dead.").no_content("They may sign in.")
}

pub(super) fn grant_role_description() -> Description {
    about_role("Give a user a role", "Nobody gives themselves one.").no_content("From the next request on.")
}

pub(super) fn revoke_role_description() -> Description {
    about_role("Take a role from a user", "Not the role `admin` from its last holder.")
        .no_content("From the next request on.")
        .problems([ProblemCode::Conflict])
}

pub(super) fn end_sessions_description() -> Description {
    about_user("Sign a user out everywhere", "Ends every session of theirs.").no_content("Every session is dead.")
}

pub(super) fn list_audit_events_description() -> Description {
    Description::new("List audit events", "Newest first, a page at a time.")
        .query::<ListAuditEvents>()
        .reply::<AuditEvents>(StatusCode::OK, "A page of events.")
}

fn about_user(summary: &'static str, details: &'static str) -> Description {
    Description::new(summary, details)
        .path("id", "The user's id.", &field::UserId::schema())
        .problems([ProblemCode::NotFound])
}

fn about_role(summary: &'static str, details: &'static str) -> Description {
    about_user(summary, details).path("role", "The role's name.", &json!({ "type": "string" }))
}
