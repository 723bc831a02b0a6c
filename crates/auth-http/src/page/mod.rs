//! Small pages of our own for the links in mail, where no frontend is configured.
//!
//! Self-contained and usable without JavaScript: a form that posts to its own address, which it names relatively, since a
//! proxy may have taken a prefix off it. Opening a page spends nothing, so that mail scanners may.

pub(crate) mod change_email;
pub(crate) mod report_session;
pub(crate) mod reset_password;
pub(crate) mod verify_email;

use auth_core::domain::{Digest, Secret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY, X_FRAME_OPTIONS};
use http::{Response, StatusCode};
use serde_json::{Value, json};

use crate::problem::{Problem, ProblemCode};

/// The media type of the pages' forms.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// Makes a page of `body`, HTML that is ours from end to end.
fn page(status: StatusCode, title: &str, body: &str) -> Response<Bytes> {
    let html = SHELL.replace("{title}", title).replace("{style}", STYLE).replace("{body}", body);
    html_bytes(status, html.into(), STYLE)
}

/// A reply with HTML whose one style is `style`.
pub(crate) fn html_bytes(status: StatusCode, html: Bytes, style: &str) -> Response<Bytes> {
    let mut response = Response::new(html);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &str| headers.extend(HeaderValue::from_str(value).ok().map(|v| (name, v)));
    set(CONTENT_TYPE, "text/html; charset=utf-8");
    set(CONTENT_SECURITY_POLICY, &policy(style));
    // The address holds a secret: it goes to no other site. Not `no-referrer`, under which browsers send the form with
    // `Origin: null`.
    set(REFERRER_POLICY, "same-origin");
    set(X_FRAME_OPTIONS, "DENY");
    response
}

/// A problem, as a page: the same status and headers, other words.
pub(crate) fn of_problem(problem: Problem, request_id: &str) -> Response<Bytes> {
    let (title, text) = match problem.code() {
        ProblemCode::TokenInvalid => (
            "This link doesn't work",
            "It was used before, has expired, or was replaced by a newer one. Please ask for a new mail.",
        ),
        ProblemCode::RateLimited => ("Too many attempts", "Please wait a while, then try again."),
        ProblemCode::Unavailable => ("Not possible just now", "Please try again in a moment."),
        ProblemCode::CsrfFailed => ("Not possible from here", "Please open the link in the mail again."),
        _ => ("Something went wrong", "Please open the link in the mail again."),
    };
    let html = page(problem.code().status(), title, &format!("<h1>{title}</h1>\n<p>{text}</p>"));
    let mut response = problem.into_response(request_id);
    response.headers_mut().remove(CONTENT_TYPE);
    let (head, body) = html.into_parts();
    response.headers_mut().extend(head.headers);
    *response.body_mut() = body;
    response
}

/// The token in a page's form, as JSON Schema.
fn describe_token() -> Value {
    json!({ "type": "string", "description": "The token in the link." })
}

/// The token in a link's query or in a form.
///
/// # Errors
/// `TOKEN_INVALID` where there is none, or none that could ever work.
fn token(fields: &str) -> Result<Secret, Problem> {
    field(fields, "token").and_then(|token| Secret::parse(&token)).ok_or_else(Problem::token_invalid)
}

fn field(fields: &str, name: &str) -> Option<String> {
    url::form_urlencoded::parse(fields.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// A form's body as text.
///
/// # Errors
/// 400 where it isn't UTF-8.
fn form(body: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(body).map_err(|_| Problem::invalid("The form can't be read."))
}

const SHELL: &str = include_str!("shell.html");
const STYLE: &str = include_str!("style.css");

/// Nothing but the page itself: no scripts, no other sites, no frames; forms go where they came from.
fn policy(style: &str) -> String {
    let style = STANDARD.encode(Digest::of(&[style.as_bytes()]).as_bytes());
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
}
