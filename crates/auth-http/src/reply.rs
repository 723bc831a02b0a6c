//! What clients are answered: the shapes of the wire, made from what the core decided.

mod export;

use std::collections::BTreeMap;
use std::fmt;

pub(crate) use self::export::Export;
use auth_core::domain;
use auth_core::flow::session::{self, Fresh};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use serde::Serialize;

use crate::mount::Mount;
use crate::problem::Problem;
use crate::{cookie, device, span};

/// A user, as that user sees it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// A UUID.
    pub id: String,
    /// The address, as typed.
    pub email: String,
    /// Whether the address is proved.
    pub email_verified: bool,
    /// What to call the user.
    pub name: Option<String>,
    /// A picture.
    pub image_url: Option<String>,
    /// In E.164 form.
    pub phone_number: Option<String>,
    /// A language tag.
    pub locale: Option<String>,
    /// `active` or `suspended`.
    pub status: &'static str,
    /// Roles held.
    pub roles: Vec<String>,
    /// Whether a second factor is on. No factor can be switched on yet, so it never is.
    pub mfa_enabled: bool,
    /// RFC 3339, UTC.
    pub created_at: String,
}

impl From<&domain::User> for User {
    fn from(user: &domain::User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.as_str().to_owned(),
            email_verified: user.email_verified_at.is_some(),
            name: user.profile.name.clone(),
            image_url: user.profile.image_url.clone(),
            phone_number: user.profile.phone_number.clone(),
            locale: user.profile.locale.clone(),
            status: user.status.as_str(),
            roles: user.roles.iter().map(|role| role.as_str().to_owned()).collect(),
            mfa_enabled: false,
            created_at: user.created_at.to_rfc3339(),
        }
    }
}

/// A session, as its user sees it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// A UUID: a handle, no credential.
    pub id: String,
    /// Whether it is the one that asks.
    pub current: bool,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC; true to the minute.
    pub last_seen_at: String,
    /// When it ends if nobody uses it: the earlier of both deadlines. RFC 3339, UTC.
    pub expires_at: String,
    /// The address that signed in.
    pub ip: Option<String>,
    /// The `User-Agent` that signed in.
    pub user_agent: Option<String>,
    /// A readable name of it: `Firefox on Linux`.
    pub device: Option<String>,
}

impl Session {
    /// `session`, as seen from the session `current`.
    pub fn of(session: &domain::Session, current: domain::SessionId) -> Self {
        Self {
            id: session.id.to_string(),
            current: session.id == current,
            created_at: session.created_at.to_rfc3339(),
            last_seen_at: session.last_seen_at.to_rfc3339(),
            expires_at: session.idle_until.min(session.ends_at).to_rfc3339(),
            ip: session.ip.map(|ip| ip.to_string()),
            user_agent: session.user_agent.clone(),
            device: session.user_agent.as_deref().map(device::name),
        }
    }
}

/// New credentials, delivered in the body.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Authenticated {
    /// A JWT for `Authorization: Bearer`.
    pub access_token: String,
    /// For the next refresh; opaque.
    pub refresh_token: String,
    /// `Bearer`.
    pub token_type: &'static str,
    /// Seconds that the access token lives.
    pub expires_in: u64,
    /// Says that this client signed in to this account before. Authenticates nothing.
    pub device_token: String,
    /// Who signed in.
    pub user: User,
}

/// Shows whose they are, never what they are.
impl fmt::Debug for Authenticated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticated").field("user", &self.user.id).finish_non_exhaustive()
    }
}

/// `{user}`.
#[derive(Debug, Serialize)]
pub(crate) struct UserOnly {
    pub(crate) user: User,
}

/// `{user, session}`.
#[derive(Debug, Serialize)]
pub(crate) struct UserAndSession {
    pub(crate) user: User,
    pub(crate) session: Session,
}

/// `{sessions}`.
#[derive(Debug, Serialize)]
pub(crate) struct Sessions {
    pub(crate) sessions: Vec<Session>,
}

/// `{users, nextCursor}`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Users {
    pub(crate) users: Vec<User>,
    /// Where the next page begins; `null` at the end.
    pub(crate) next_cursor: Option<String>,
}

/// An audit entry.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// A UUID.
    pub id: String,
    /// RFC 3339, UTC.
    pub at: String,
    /// What happened: `session.opened`.
    pub kind: &'static str,
    /// Who did it, where that is known.
    pub actor_id: Option<String>,
    /// To whose account it happened, where that is known.
    pub subject_id: Option<String>,
    /// The client's address.
    pub ip: Option<String>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// The request it happened in.
    pub request_id: Option<String>,
    /// More, by kind.
    pub detail: BTreeMap<String, String>,
}

impl From<&domain::AuditEvent> for Event {
    fn from(event: &domain::AuditEvent) -> Self {
        Self {
            id: event.id.to_string(),
            at: event.at.to_rfc3339(),
            kind: event.kind.as_str(),
            actor_id: event.actor.map(|user| user.to_string()),
            subject_id: event.subject.map(|user| user.to_string()),
            ip: event.ip.map(|ip| ip.to_string()),
            user_agent: event.user_agent.clone(),
            request_id: event.request_id.clone(),
            detail: event.detail.clone(),
        }
    }
}

/// `{events, nextCursor}`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Events {
    pub(crate) events: Vec<Event>,
    /// Where the next page begins; `null` at the end.
    pub(crate) next_cursor: Option<String>,
}

/// `{}`: all there is to say.
#[derive(Debug, Serialize)]
pub(crate) struct Nothing {}

/// New credentials, the way of `mount`'s profile.
pub(crate) fn authenticated(
    _mount: &Mount,
    authenticated: &session::Authenticated,
) -> Result<Response<Bytes>, Problem> {
    span::note_user(authenticated.user.id);
    match &authenticated.credential {
        Fresh::Tokens { access, access_ttl, refresh } => Ok(json(
            StatusCode::OK,
            &Authenticated {
                access_token: access.expose().to_owned(),
                refresh_token: refresh.expose().to_owned(),
                token_type: "Bearer",
                expires_in: access_ttl.as_secs(),
                device_token: authenticated.device.expose().to_owned(),
                user: (&authenticated.user).into(),
            },
        )),
        Fresh::Cookie(_) => Err(Problem::internal("a credential without a delivery")),
    }
}

/// 204, and nothing left in the browser that was good for the session. The device cookie stays: it outlives sessions.
pub(crate) fn signed_out(mount: &Mount) -> Response<Bytes> {
    let mut response = no_content();
    if let Some(cookies) = &mount.cookies {
        cookie::append(response.headers_mut(), cookies.session.clear().chain(cookies.csrf.clear()));
    }
    response
}

/// A reply with a JSON body.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response<Bytes> {
    // The types above hold nothing that JSON can't say; an empty body would show at once if one ever did.
    json_bytes(status, serde_json::to_vec(body).unwrap_or_default().into())
}

/// A reply with a body that is JSON already.
pub(crate) fn json_bytes(status: StatusCode, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// 204.
pub(crate) fn no_content() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// A reply with a body that is a problem already.
pub(crate) fn problem_bytes(status: StatusCode, body: Bytes) -> Response<Bytes> {
    let mut response = json_bytes(status, body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}
