//! Errors as clients see them: `application/problem+json` (RFC 9457).

mod flow;

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use auth_core::port::Limit;
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, Response, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

/// An error as a client sees it.
///
/// - Its status, title and `type` follow from its [`ProblemCode`]; the detail is a sentence for people.
/// - Says nothing of how the server works: the cause is kept for the log and never leaves.
///
/// A host application answers with the same shape through [`AuthHttp::reject`](crate::AuthHttp::reject).
#[derive(Debug)]
pub struct Problem {
    code: ProblemCode,
    detail: Cow<'static, str>,
    errors: Box<[FieldError]>,
    retry_after: Option<Duration>,
    limit: Option<Limit>,
    allow: Option<Box<str>>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FieldError {
    /// The field, as the client named it.
    pub field: Cow<'static, str>,
    /// What is wrong, for programs: `REQUIRED`, `WRONG_TYPE`, `INVALID`, or why a password was refused.
    pub code: &'static str,
    /// What is wrong, for people.
    pub message: Cow<'static, str>,
}

impl FieldError {
    /// An error of `field`.
    pub fn new(field: impl Into<Cow<'static, str>>, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), code, message: message.into() }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $status:ident, $title:literal;)*) => {
        /// What went wrong, as programs read it: the member `code`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ProblemCode { $($(#[$doc])* $name,)* }

        impl ProblemCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The status it is sent with.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// A short summary, the same each time.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    /// A body or header that can't be read, or holds values that won't do.
    ValidationFailed = "VALIDATION_FAILED", BAD_REQUEST, "The request is not valid";
    /// A mailed token or code that is unknown, spent, expired or for something else.
    TokenInvalid = "TOKEN_INVALID", BAD_REQUEST, "The token or code is not valid";
    /// Bad credentials, a suspended user, no credential or a dead one.
    Unauthorized = "UNAUTHORIZED", UNAUTHORIZED, "Authentication failed";
    /// A wrong code of a second factor, while its challenge lives.
    CodeInvalid = "CODE_INVALID", UNAUTHORIZED, "The code is not valid";
    /// Who asks is known, and may not.
    Forbidden = "FORBIDDEN", FORBIDDEN, "Not allowed";
    /// The request comes from another site.
    CsrfFailed = "CSRF_FAILED", FORBIDDEN, "The request comes from another site";
    /// Who asks is known, but proved it too long ago for this.
    ReauthenticationRequired = "REAUTHENTICATION_REQUIRED", FORBIDDEN, "Authenticate again";
    /// The password is right, but the address was never proved.
    EmailNotVerified = "EMAIL_NOT_VERIFIED", FORBIDDEN, "The e-mail address is not verified";
    /// Who asks is signed in already, and it is for those who aren't.
    GuestsOnly = "GUESTS_ONLY", FORBIDDEN, "Only for those who are not signed in";
    /// No such thing, or none that the caller may know of.
    NotFound = "NOT_FOUND", NOT_FOUND, "Not found";
    /// The path exists, the method doesn't.
    MethodNotAllowed = "METHOD_NOT_ALLOWED", METHOD_NOT_ALLOWED, "Method not allowed";
    /// The body did not arrive in time.
    RequestTimeout = "REQUEST_TIMEOUT", REQUEST_TIMEOUT, "The request took too long to arrive";
    /// It would contradict what is there.
    Conflict = "CONFLICT", CONFLICT, "Conflict";
    /// A request with this `Idempotency-Key` is under way.
    IdempotencyInProgress = "IDEMPOTENCY_IN_PROGRESS", CONFLICT, "The first request is still under way";
    /// The body is too large.
    PayloadTooLarge = "PAYLOAD_TOO_LARGE", PAYLOAD_TOO_LARGE, "The body is too large";
    /// The body isn't JSON, or is encoded.
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", UNSUPPORTED_MEDIA_TYPE, "The body must be application/json";
    /// A server with development defaults was asked under a name that isn't loopback's.
    Misdirected = "MISDIRECTED", MISDIRECTED_REQUEST, "Misdirected request";
    /// This `Idempotency-Key` was used with another body.
    IdempotencyMismatch = "IDEMPOTENCY_MISMATCH", UNPROCESSABLE_ENTITY, "The key was used with another body";
    /// Too often.
    RateLimited = "RATE_LIMITED", TOO_MANY_REQUESTS, "Too many requests";
    /// It can't be done for now.
    Unavailable = "UNAVAILABLE", SERVICE_UNAVAILABLE, "Temporarily unavailable";
    /// It went wrong.
    Internal = "INTERNAL", INTERNAL_SERVER_ERROR, "Internal error";
}

/// The media type of problems.
pub(crate) const PROBLEM: &str = "application/problem+json";

/// The two fields of draft-ietf-httpapi-ratelimit-headers-10.
const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

impl Problem {
    /// A problem of that code. `detail` is shown to whoever asked.
    pub fn new(code: ProblemCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Box::default(),
            retry_after: None,
            limit: None,
            allow: None,
            cause: None,
        }
    }

    /// A request that is wrong as a whole.
    pub fn invalid(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ProblemCode::ValidationFailed, detail)
    }

    /// A request with wrong fields, all named at once.
    pub fn invalid_fields(errors: Vec<FieldError>) -> Self {
        Self { errors: errors.into(), ..Self::invalid("One or more fields are not valid.") }
    }

    /// One answer for bad credentials, no credential, a dead one, and a suspended user.
    pub fn unauthorized() -> Self {
        Self::new(ProblemCode::Unauthorized, "The credentials are missing or not valid.")
    }

    /// A wrong code, while the challenge that it is for lives.
    pub(crate) fn code_invalid() -> Self {
        Self::new(ProblemCode::CodeInvalid, "The code is not valid. Try again, or ask for another.")
    }

    /// The same, with another name for a field.
    #[must_use]
    pub(crate) fn about(mut self, field: &str, called: &'static str) -> Self {
        self.errors.iter_mut().filter(|error| error.field == field).for_each(|error| error.field = called.into());
        self
    }

    /// Who asks is known, and may not.
    pub fn forbidden() -> Self {
        Self::new(ProblemCode::Forbidden, "You may not do this.")
    }

    /// Who asks is signed in already, and it is for those who aren't.
    pub fn guests_only() -> Self {
        Self::new(ProblemCode::GuestsOnly, "You are signed in already.")
    }

    /// Who asks is known, but the address was never proved.
    pub fn email_not_verified() -> Self {
        Self::new(ProblemCode::EmailNotVerified, "Prove your e-mail address first.")
    }

    /// The user has to prove again who they are.
    pub fn reauthentication_required() -> Self {
        Self::new(ProblemCode::ReauthenticationRequired, "Prove again who you are, at most ten minutes before this.")
    }

    /// Nobody would be an administrator any more.
    pub(crate) fn last_admin() -> Self {
        Self::new(ProblemCode::Conflict, "Nobody else would be an administrator.")
    }

    /// No such thing.
    pub fn not_found() -> Self {
        Self::new(ProblemCode::NotFound, "There is nothing here.")
    }

    /// It went wrong; `cause` is for the log.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { cause: Some(cause.into()), ..Self::new(ProblemCode::Internal, "Something went wrong.") }
    }

    /// It can't be done for now; `cause` is for the log.
    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let detail = "The service can't answer for the moment. Try again.";
        let retry_after = Some(Duration::from_secs(2));
        Self { cause: Some(cause.into()), retry_after, ..Self::new(ProblemCode::Unavailable, detail) }
    }

    /// What the store is known to be from a moment ago; the log has the cause from then.
    pub(crate) fn not_ready() -> Self {
        Self { cause: None, ..Self::unavailable("the store did not answer") }
    }

    /// One answer for a mailed link or code that is unknown, spent, expired or meant for something else.
    pub fn token_invalid() -> Self {
        Self::new(ProblemCode::TokenInvalid, "The link or code is not valid, or not any more. Ask for a new one.")
    }

    /// A body over `max` bytes, for adapters that stop reading there.
    pub fn payload_too_large(max: usize) -> Self {
        Self::new(ProblemCode::PayloadTooLarge, format!("A body may have {max} bytes here."))
    }

    /// A body that did not arrive in time, for adapters that stop waiting.
    pub fn request_timeout() -> Self {
        Self::new(ProblemCode::RequestTimeout, "The body did not arrive in time.")
    }

    pub(crate) fn method_not_allowed(allow: String) -> Self {
        let detail = "This address doesn't take that method.";
        Self { allow: Some(allow.into()), ..Self::new(ProblemCode::MethodNotAllowed, detail) }
    }

    /// What went wrong.
    pub const fn code(&self) -> ProblemCode {
        self.code
    }

    /// The problem as a reply. What every reply carries is added by [`AuthHttp`](crate::AuthHttp).
    pub(crate) fn into_response(self, request_id: &str) -> Response<Bytes> {
        let body = Body {
            kind: format!("urn:portcullis:problem:{}", self.code.as_str().to_ascii_lowercase().replace('_', "-")),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: &self.detail,
            code: self.code.as_str(),
            request_id,
            errors: &self.errors,
        };
        // Strings and numbers only: writing them as JSON can't fail.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = self.code.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
        if self.code.status() == StatusCode::UNAUTHORIZED {
            // RFC 9110 §15.5.2 demands a challenge; RFC 6750 §3 gives its form.
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // Rounded up: a client that comes back at the second it was told must find the window over.
        let pause = self.retry_after.map_or(0, |pause| pause.as_secs() + u64::from(pause.subsec_nanos() > 0)).max(1);
        if self.retry_after.is_some() {
            headers.insert(RETRY_AFTER, HeaderValue::from(pause));
        }
        if let Some(limit) = self.limit {
            let policy = format!("\"default\";q={};w={}", limit.uses, limit.window.as_secs());
            for (name, value) in [(RATELIMIT_POLICY, policy), (RATELIMIT, format!("\"default\";r=0;t={pause}"))] {
                headers.extend(HeaderValue::from_str(&value).ok().map(|value| (name, value)));
            }
        }
        headers.extend(self.allow.and_then(|allow| HeaderValue::from_str(&allow).ok()).map(|allow| (ALLOW, allow)));
        response
    }

    /// Writes the cause to the log, where the problem is the server's and not the client's.
    pub(crate) fn log(&self, request_id: &str) {
        if let Some(cause) = &self.cause {
            let chain = std::iter::successors(cause.source(), |&error| error.source());
            let causes: String = chain.map(|error| format!(": {error}")).collect();
            tracing::error!(request_id, code = self.code.as_str(), "{cause}{causes}");
        }
    }
}

/// What went wrong (RFC 9457).
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Problem")]
pub(crate) struct Body<'a> {
    /// The kind of problem, as a URN that ends in its code.
    #[serde(rename = "type")]
    #[schemars(extend("format" = "uri"))]
    kind: String,
    /// A short summary, the same for each problem of a code.
    title: &'static str,
    /// The reply's status.
    status: u16,
    /// What to make of it, for people.
    detail: &'a str,
    /// What went wrong, for programs.
    #[schemars(extend("enum" = ProblemCode::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>()))]
    code: &'static str,
    /// The reply's `X-Request-Id`.
    request_id: &'a str,
    /// Each field that is wrong, where fields are.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl Error for Problem {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // ER1: the body's status is the reply's, and the cause stays inside.
    #[test]
    fn er1_every_code_is_a_problem_without_internals() {
        for &code in ProblemCode::ALL {
            let mut problem = Problem::new(code, "Detail.");
            problem.cause = Some("select * from users".into());
            let response = problem.into_response("id-1");
            let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
            assert_eq!(response.status(), code.status());
            assert_eq!(body["status"], code.status().as_u16());
            assert_eq!(body["code"], code.as_str());
            assert_eq!(body["requestId"], "id-1");
            assert!(!body.to_string().contains("select"));
        }
    }

    #[test]
    fn a_throttled_reply_says_when_to_come_back() {
        let limit = Limit { uses: 10, window: Duration::from_secs(900) };
        let problem = Problem {
            limit: Some(limit),
            retry_after: Some(Duration::from_millis(1500)),
            ..Problem::new(ProblemCode::RateLimited, "Too many.")
        };
        let response = problem.into_response("id");
        assert_eq!(response.headers()[RETRY_AFTER], "2");
        assert_eq!(response.headers()[RATELIMIT], "\"default\";r=0;t=2");
        assert_eq!(response.headers()[RATELIMIT_POLICY], "\"default\";q=10;w=900");
    }
}
