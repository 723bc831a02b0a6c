//! What clients are answered: the shapes of the wire, made from what the core decided.

mod audit;
mod export;
mod factors;
mod user;

use std::fmt;

use auth_core::device_token::DEVICE_LIFETIME;
use auth_core::domain::{self, Secret};
use auth_core::flow::second_step::Challenge;
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
pub(crate) use factors::{FactorsOn, RecoveryCodesOnly, SwitchedOn, TotpEnrolment};
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

/// What a browser is told whose tokens are in cookies.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokensInCookies {
    /// Seconds that the access token lives.
    pub expires_in: u64,
    /// Who signed in.
    pub user: User,
}

/// The password was right, and a second step is to be taken.
#[derive(Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecondStepAsked {
    /// `true`.
    #[schemars(extend("const" = true))]
    pub mfa_required: bool,
    /// Stands for the first step; opaque.
    pub challenge: String,
    /// How the second may be taken, the usual one first.
    #[schemars(extend("items" = { "type": "string", "enum": ["totp", "email", "recovery"] }))]
    pub methods: Vec<&'static str>,
    /// Seconds that the challenge lives.
    pub expires_in: u64,
}

/// Shows how, never the challenge.
impl fmt::Debug for SecondStepAsked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecondStepAsked").field("methods", &self.methods).finish_non_exhaustive()
    }
}

/// The same, in the manner of the profile `service`.
#[derive(Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SecondStepInToken {
    /// `true`.
    #[schemars(extend("const" = true))]
    mfa_required: bool,
    /// The challenge: stands for the first step; opaque.
    token: String,
    /// How the second may be taken, the usual one first.
    #[schemars(extend("items" = { "type": "string", "enum": ["totp", "email", "recovery"] }))]
    methods: Vec<&'static str>,
    /// Seconds that the challenge lives.
    expires_in: u64,
}

impl From<&Challenge> for SecondStepInToken {
    fn from(challenge: &Challenge) -> Self {
        let SecondStepAsked { mfa_required, challenge: token, methods, expires_in } = challenge.into();
        Self { mfa_required, token, methods, expires_in }
    }
}

impl From<&Challenge> for SecondStepAsked {
    fn from(challenge: &Challenge) -> Self {
        Self {
            mfa_required: true,
            challenge: challenge.secret.expose(),
            methods: challenge.steps.iter().map(|step| step.as_str()).collect(),
            expires_in: challenge.expires_in.as_secs(),
        }
    }
}

/// `{token}`: the record that a mailed code belongs to.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Switched {
    #[schemars(extend("format" = "uuid"))]
    pub(crate) token: String,
}

/// `{tokenId}`: the record that a mailed code belongs to; one that nobody has where no mail was sent.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    #[schemars(extend("format" = "uuid"))]
    token_id: String,
}

impl From<domain::TokenId> for Record {
    fn from(id: domain::TokenId) -> Self {
        Self { token_id: id.to_string() }
    }
}

/// `{user, tokenId}`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserAndRecord {
    pub(crate) user: User,
    /// The record that the mailed code belongs to.
    #[schemars(extend("format" = "uuid"))]
    pub(crate) token_id: String,
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
            let headers = response.headers_mut();
            cookie::append(headers, doubtful(cookies, request));
            cookie::append(headers, session_cookie(mount, cookies, session, secret));
            cookie::append(headers, csrf_cookie(mount, cookies, session));
            cookie::append(headers, cookies.device.set(device.expose(), DEVICE_LIFETIME));
            response
        }
        (Fresh::Tokens { access, access_ttl, refresh }, Some(cookies)) => {
            let body = TokensInCookies { expires_in: access_ttl.as_secs(), user: user.into() };
            let mut response = json(StatusCode::OK, &body);
            let headers = response.headers_mut();
            cookie::append(headers, doubtful(cookies, request));
            cookie::append(headers, cookies.session.set(access.expose(), *access_ttl));
            let left = session.ends_at.since(mount.auth.now()).min(mount.auth.settings().lifetimes.refresh);
            cookie::append(headers, cookies.refresh.as_ref().and_then(|cookie| cookie.set(refresh.expose(), left)));
            let challenge = cookies.challenge.as_ref().filter(|cookie| cookie.is_present(&request.head.headers));
            cookie::append(headers, challenge.into_iter().flat_map(Definition::clear));
            cookie::append(headers, cookies.device.set(device.expose(), DEVICE_LIFETIME));
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
        (Fresh::Cookie(_), None) => {
            Problem::internal("a credential that the profile doesn't deliver").into_response("")
        }
    }
}

/// What clears the namesakes from elsewhere that would make a new cookie count as none. One cookie may be such a one, unless it
/// was just good for a session; of two, one is.
fn doubtful(cookies: &Cookies, request: &Incoming) -> Vec<HeaderValue> {
    let headers = &request.head.headers;
    let is_doubtful = |cookie: &&Definition| {
        cookie.is_present(headers) && (request.signed.is_none() || cookie.read(headers).is_none())
    };
    // The challenge isn't set anew with them.
    let anew = cookies.all().filter(|cookie| Some(*cookie) != cookies.challenge.as_ref());
    anew.filter(is_doubtful).flat_map(Definition::clear_shadows).collect()
}

/// A challenge, the way of `mount`'s profile.
pub(crate) fn second_step(mount: &Mount, challenge: &Challenge) -> Response<Bytes> {
    let body = SecondStepAsked::from(challenge);
    let cookie = mount.cookies.as_ref().and_then(|cookies| cookies.challenge.as_ref());
    // A namesake that a sibling host set would make it count as none.
    let cookies = cookie
        .into_iter()
        .flat_map(|cookie| cookie.clear_shadows().chain(cookie.set(&body.challenge, challenge.expires_in)));
    let mut response = json(StatusCode::OK, &body);
    cookie::append(response.headers_mut(), cookies);
    response
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
    cookies.csrf.as_ref()?.set(&mount.auth.csrf_token(session), session.ends_at.since(mount.auth.now()))
}

/// 204, and nothing left in the browser that was good for the session. The device cookie stays: it outlives sessions.
pub(crate) fn signed_out(mount: &Mount) -> Response<Bytes> {
    let mut response = no_content();
    if let Some(cookies) = &mount.cookies {
        cookie::append(response.headers_mut(), cookies.of_session().flat_map(Definition::clear));
    }
    response
}

/// 204, and nothing of ours left in the browser.
pub(crate) fn forgotten(mount: &Mount) -> Response<Bytes> {
    let mut response = no_content();
    if let Some(cookies) = &mount.cookies {
        cookie::append(response.headers_mut(), cookies.all().flat_map(Definition::clear));
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
