//! What clients are answered: the shapes of the wire, made from what the core decided.

mod audit;
mod export;
mod user;

use std::fmt;

use auth_core::device_token::DEVICE_LIFETIME;
use auth_core::domain::{self, Secret};
use auth_core::flow::session::{Authenticated, Fresh};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, SET_COOKIE};
use http::{Response, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use crate::cookie::{Cookies, Definition};
use crate::mount::Mount;
use crate::problem::{PROBLEM, Problem};
use crate::request::Incoming;
use crate::request::JSON;
use crate::{cookie, span};

pub use audit::AuditEvent;
pub(crate) use export::Export;
pub use user::{Session, User};

/// New credentials, delivered in the body.
#[derive(Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    /// A JWT for `Authorization: Bearer`.
    pub access_token: String,
    /// For the next refresh; opaque.
    pub refresh_token: String,
    /// `Bearer`.
    #[schemars(extend("const" = "Bearer"))]
    pub token_type: &'static str,
    /// Seconds that the access token lives.
    pub expires_in: u64,
    /// Says that this client signed in to this account before. Authenticates nothing.
    pub device_token: String,
    /// Who signed in.
    pub user: User,
}

/// Shows whose they are, never what they are.
impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("user", &self.user.id).finish_non_exhaustive()
    }
}

/// What a browser is told whose credentials are in cookies.
#[derive(Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignedIn {
    /// Who signed in.
    pub user: User,
    /// For the header `X-CSRF-Token`; the CSRF cookie has it too.
    pub csrf_token: String,
}

/// Shows who, never the token.
impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn").field("user", &self.user.id).finish_non_exhaustive()
    }
}

/// `{csrfToken}`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CsrfToken {
    /// For the header `X-CSRF-Token`; the CSRF cookie has it too.
    pub(crate) csrf_token: String,
}

/// `{user}`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct UserOnly {
    pub(crate) user: User,
}

/// `{user, session}`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct UserAndSession {
    pub(crate) user: User,
    pub(crate) session: Session,
}

/// `{sessions}`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Sessions {
    pub(crate) sessions: Vec<Session>,
}

/// `{users, nextCursor}`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Users {
    /// Newest first.
    pub(crate) users: Vec<User>,
    /// Where the next page begins, if there is one.
    pub(crate) next_cursor: Option<String>,
}

/// `{events, nextCursor}`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditEvents {
    /// Newest first.
    pub(crate) events: Vec<AuditEvent>,
    /// Where the next page begins, if there is one.
    pub(crate) next_cursor: Option<String>,
}

/// `{}`: all there is to say.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Nothing {}

/// New credentials, the way of `mount`'s profile.
pub(crate) fn authenticated(mount: &Mount, request: &Incoming, authenticated: &Authenticated) -> Response<Bytes> {
    let Authenticated { user, session, credential, device } = authenticated;
    span::note_user(user.id);
    match (credential, &mount.cookies) {
        (Fresh::Cookie(secret), Some(cookies)) => {
            let csrf_token = mount.auth.csrf_token(session);
            let mut response = json(StatusCode::OK, &SignedIn { user: user.into(), csrf_token });
            // A namesake from elsewhere would make the new cookie count as none. One cookie may be such a one, unless it
            // was just good for a session; of two, one is.
            let headers = &request.head.headers;
            let is_doubtful = |cookie: &&Definition| {
                cookie.is_present(headers) && (request.signed.is_none() || cookie.read(headers).is_none())
            };
            let doubtful = cookies.all().into_iter().filter(is_doubtful);
            cookie::append(response.headers_mut(), doubtful.flat_map(Definition::clear_shadows));
            cookie::append(response.headers_mut(), session_cookie(mount, cookies, session, secret));
            cookie::append(response.headers_mut(), csrf_cookie(mount, cookies, session));
            cookie::append(response.headers_mut(), cookies.device.set(device.expose(), DEVICE_LIFETIME));
            response
        }
        (Fresh::Tokens { access, access_ttl, refresh }, None) => json(
            StatusCode::OK,
            &Tokens {
                access_token: access.expose().to_owned(),
                refresh_token: refresh.expose().to_owned(),
                token_type: "Bearer",
                expires_in: access_ttl.as_secs(),
                device_token: device.expose().to_owned(),
                user: user.into(),
            },
        ),
        // A mount's core issues what its profile delivers.
        _ => Problem::internal("a credential that the profile doesn't deliver").into_response(""),
    }
}

/// The session's secret, for as long as the session may live.
pub(crate) fn session_cookie(
    mount: &Mount,
    cookies: &Cookies,
    session: &domain::Session,
    secret: &Secret,
) -> Option<HeaderValue> {
    cookies.session.set(&secret.expose(), session.ends_at.since(mount.auth.now()))
}

/// The session's CSRF token, where scripts can read it.
pub(crate) fn csrf_cookie(mount: &Mount, cookies: &Cookies, session: &domain::Session) -> Option<HeaderValue> {
    cookies.csrf.set(&mount.auth.csrf_token(session), session.ends_at.since(mount.auth.now()))
}

/// 204, and nothing left in the browser that was good for the session. The device cookie stays: it outlives sessions.
pub(crate) fn signed_out(mount: &Mount) -> Response<Bytes> {
    let mut response = no_content();
    if let Some(cookies) = &mount.cookies {
        cookie::append(response.headers_mut(), cookies.session.clear().chain(cookies.csrf.clear()));
    }
    response
}

/// 204, and nothing of ours left in the browser.
pub(crate) fn forgotten(mount: &Mount) -> Response<Bytes> {
    let mut response = no_content();
    if let Some(cookies) = &mount.cookies {
        cookie::append(response.headers_mut(), cookies.all().into_iter().flat_map(Definition::clear));
    }
    response
}

/// `outcome`, with cookies that the browser must get whatever came of the request.
pub(crate) fn carrying(
    set_cookies: Vec<HeaderValue>,
    outcome: Result<Response<Bytes>, Problem>,
    request_id: &str,
) -> Result<Response<Bytes>, Problem> {
    if set_cookies.is_empty() {
        return outcome;
    }
    let mut response = outcome.unwrap_or_else(|problem| {
        problem.log(request_id);
        problem.into_response(request_id)
    });
    // In front: where the reply has the same cookie, that one is newer, and the last one counts.
    let newer: Vec<HeaderValue> = response.headers().get_all(SET_COOKIE).iter().cloned().collect();
    response.headers_mut().remove(SET_COOKIE);
    cookie::append(response.headers_mut(), set_cookies.into_iter().chain(newer));
    Ok(response)
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
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
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
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
    response
}
