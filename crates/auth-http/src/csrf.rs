//! CSRF tokens on the wire: a request that a browser authenticates by cookie shows that its page could read a reply of
//! ours.
//!
//! The token is bound to the session ([`Auth::csrf_token`](auth_core::Auth::csrf_token)). Scripts send it in the header
//! `X-CSRF-Token`; a host's own forms carry it in the field `csrf_token`:
//!
//! ```
//! # fn page(http: &auth_http::AuthHttp, signed: &auth_core::domain::Signed) -> String {
//! use auth_http::csrf;
//!
//! let field = csrf::hidden_input(&http.csrf_token(signed));
//! format!("<form method=post>{field}<button>Publish</button></form>")
//! # }
//! ```

use std::borrow::Cow;
use std::fmt;

use auth_core::Auth;
use auth_core::domain::{Session, Signed};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use url::form_urlencoded;

use crate::auth_http::AuthHttp;
use crate::problem::{Problem, ProblemCode};

/// The header that scripts send it in.
pub const HEADER: HeaderName = HeaderName::from_static("x-csrf-token");

/// The field that forms carry it in.
pub const FIELD: &str = "csrf_token";

/// A session's token, for a page to send along with what changes something.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// The session's.
    pub fn of(http: &AuthHttp, signed: &Signed) -> Self {
        Self(http.csrf_token(signed))
    }

    /// The token.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The field of a form, as HTML.
    pub fn hidden_input(&self) -> String {
        hidden_input(&self.0)
    }
}

/// Not the token.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CsrfToken")
    }
}

/// The field of a form, as HTML.
pub fn hidden_input(token: &str) -> String {
    let mut value = String::with_capacity(token.len());
    for character in token.chars() {
        match character {
            '&' => value.push_str("&amp;"),
            '<' => value.push_str("&lt;"),
            '>' => value.push_str("&gt;"),
            '"' => value.push_str("&quot;"),
            '\'' => value.push_str("&#39;"),
            other => value.push(other),
        }
    }
    format!("<input type=\"hidden\" name=\"{FIELD}\" value=\"{value}\">")
}

/// What a form's body, `application/x-www-form-urlencoded`, has in that field; `None` also where it stands twice.
pub fn form_field(body: &[u8]) -> Option<Cow<'_, str>> {
    let mut values = form_urlencoded::parse(body).filter(|(name, _)| name == FIELD).map(|(_, value)| value);
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    Some(value)
}

/// Lets a request through that needs no token, or whose token, in the header or else in `field`, is its session's.
pub(crate) fn check(auth: &Auth, session: &Session, head: &Parts, field: Option<&str>) -> Result<(), Problem> {
    let shows = |token: &str| auth.is_csrf_token(session, token);
    let is_shown = match header(&head.headers) {
        Some(token) => token.is_some_and(shows),
        None => field.is_some_and(shows),
    };
    if head.method.is_safe() || is_shown {
        Ok(())
    } else {
        Err(Problem::new(ProblemCode::CsrfFailed, "The CSRF token is missing or not this session's."))
    }
}

/// The header's value; the inner `None` where it can't be read or stands twice.
fn header(headers: &HeaderMap) -> Option<Option<&str>> {
    let mut values = headers.get_all(HEADER).iter();
    match (values.next(), values.next()) {
        (None, _) => None,
        (Some(value), None) => Some(value.to_str().ok()),
        (Some(_), Some(_)) => Some(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // CS2: whatever a token holds, a page's markup stays the page's.
    #[test]
    fn cs2_the_hidden_field_is_escaped() {
        assert_eq!(
            hidden_input("a\"><script>'&"),
            "<input type=\"hidden\" name=\"csrf_token\" value=\"a&quot;&gt;&lt;script&gt;&#39;&amp;\">"
        );
    }

    // CS2: one field, or none.
    #[test]
    fn cs2_a_forms_field_is_read_once() {
        assert_eq!(form_field(b"a=1&csrf_token=x%2By&b=2").as_deref(), Some("x+y"));
        for none in [&b""[..], b"a=1", b"csrf_token=x&csrf_token=x", b"CSRF_TOKEN=x", b"csrf_token[]=x"] {
            assert_eq!(form_field(none), None);
        }
    }
}
