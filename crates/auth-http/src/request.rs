//! Requests as endpoints see them: a body decoded by one set of rules, and who asks.

use std::fmt;
use std::sync::Arc;

use auth_core::domain::{Context, Signed};
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};

use crate::body::Fields;
use crate::field_names::FieldNames;
use crate::fields::FromFields;
use crate::page;
use crate::problem::{Problem, ProblemCode};
use crate::route::Parameters;

/// A request that may be decoded: not too large, and JSON if anything.
pub(crate) struct Incoming {
    /// Method, path and headers.
    pub(crate) head: Parts,
    /// Who asks, for audit entries and throttles.
    pub(crate) context: Context,
    /// The path's segments that the route has in braces.
    pub(crate) parameters: Parameters,
    /// Whose credential it carries, where the operation wants one.
    pub(crate) signed: Option<Arc<Signed>>,
    /// Its body, as sent.
    pub(crate) body: Bytes,
    /// What the profile calls some of its fields.
    pub(crate) names: FieldNames,
}

impl Incoming {
    /// What the operation reads of the body. An empty body has no fields.
    ///
    /// # Errors
    /// 400 when the body is no JSON object, or with every field that is wrong.
    pub(crate) fn body<T: FromFields>(&self) -> Result<T, Problem> {
        Fields::parse(&self.body)?.called(self.names).read()
    }

    /// Who is signed in.
    ///
    /// # Errors
    /// 401 where the operation is said to be open to everybody.
    pub(crate) fn signed(&self) -> Result<&Signed, Problem> {
        self.signed.as_deref().ok_or_else(Problem::unauthorized)
    }

    /// What the operation reads of the query.
    ///
    /// # Errors
    /// 400 with everything that is wrong.
    pub(crate) fn query<T: FromFields>(&self) -> Result<T, Problem> {
        Fields::of_query(self.query_text())?.read()
    }

    /// What follows the path's question mark, or nothing.
    pub(crate) fn query_text(&self) -> &str {
        self.head.uri.query().unwrap_or_default()
    }
}

/// Shows who asks: among headers and body are credentials.
impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("context", &self.context).finish_non_exhaustive()
    }
}

/// Lets a body through that is small enough and, unless it is empty, plainly of `media_type`.
///
/// The media type is compared whole, so that a form or a `text/plain` page can't pass for JSON (ASVS 3.5.2); parameters
/// may follow. A body that is compressed is refused: what it unpacks to isn't bounded by what arrived.
pub(crate) fn check_body(headers: &HeaderMap, body: &[u8], max: usize, media_type: &str) -> Result<(), Problem> {
    if body.len() > max {
        return Err(Problem::payload_too_large(max));
    }
    if body.is_empty() {
        return Ok(());
    }
    let unsupported = |detail| Err(Problem::new(ProblemCode::UnsupportedMediaType, detail));
    if headers.get_all(CONTENT_ENCODING).iter().any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return unsupported("An encoded body is not taken. Send it as it is.");
    }
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(sent), None) = (types.next(), types.next()) else {
        return unsupported("Send one Content-Type header.");
    };
    if is_of_type(sent, media_type) { Ok(()) } else { unsupported("Send the body as application/json.") }
}

/// Whether the body is said to be a form's, and nothing else.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    matches!((types.next(), types.next()), (Some(sent), None) if is_of_type(sent, page::FORM))
}

fn is_of_type(sent: &HeaderValue, media_type: &str) -> bool {
    let essence = sent.as_bytes().split(|&byte| byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(media_type.as_bytes())
}

/// The media type of all bodies but the pages' forms.
pub(crate) const JSON: &str = "application/json";

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(headers: &[(http::HeaderName, &'static str)], body: &[u8]) -> Option<ProblemCode> {
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        check_body(&headers, body, 10, JSON).err().map(|problem| problem.code())
    }

    // SC1: neither headers nor body are for a log.
    #[test]
    fn sc1_requests_do_not_print() {
        let request = http::Request::get("/reset?token=hunter2").header("authorization", "Bearer hunter2");
        let request = Incoming {
            head: request.body(()).unwrap().into_parts().0,
            context: Context::new(None, Some("curl"), None),
            parameters: Parameters::default(),
            signed: None,
            body: Bytes::from_static(b"{\"password\":\"hunter2\"}"),
            names: FieldNames::default(),
        };
        let shown = format!("{request:?}");
        assert!(shown.contains("curl") && !shown.contains("hunter2") && !shown.contains("104, 117"), "{shown}");
    }

    // CS4: exactly one media type, and it is JSON's.
    #[test]
    fn cs4_only_json_is_a_body() {
        let unsupported = Some(ProblemCode::UnsupportedMediaType);
        for json in ["application/json", "Application/JSON", "application/json; charset=utf-8", "application/json ;x=1"]
        {
            assert_eq!(refusal(&[(CONTENT_TYPE, json)], b"{}"), None, "{json}");
        }
        for other in [
            "text/plain; application/json",
            "application/json, text/plain",
            "application/jsonp",
            "",
            "multipart/form-data",
            "application/x-www-form-urlencoded",
            "application/problem+json",
        ] {
            assert_eq!(refusal(&[(CONTENT_TYPE, other)], b"{}"), unsupported, "{other}");
        }
        assert_eq!(refusal(&[], b"{}"), unsupported);
        assert_eq!(refusal(&[], b""), None);
        assert_eq!(refusal(&[(CONTENT_TYPE, "application/json"), (CONTENT_TYPE, "text/plain")], b"{}"), unsupported);
    }

    // IN3: what unpacks to more than it seems is not unpacked.
    #[test]
    fn in3_encoded_and_large_bodies_are_refused() {
        let json = (CONTENT_TYPE, "application/json");
        assert_eq!(
            refusal(&[json.clone(), (CONTENT_ENCODING, "gzip")], b"{}"),
            Some(ProblemCode::UnsupportedMediaType)
        );
        assert_eq!(refusal(&[json.clone(), (CONTENT_ENCODING, "identity")], b"{}"), None);
        assert_eq!(refusal(&[json], b"{          }"), Some(ProblemCode::PayloadTooLarge));
    }
}
