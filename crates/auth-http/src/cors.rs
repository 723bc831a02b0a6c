//! Lets pages of allowed origins read replies (Fetch standard, "CORS protocol").

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    HeaderValue, ORIGIN, VARY,
};
use http::{HeaderMap, Method, Response, StatusCode};

use crate::origin::Origin;

/// The origin to name in the reply: the request's, if it sent one that is on the list. Never reflected otherwise.
pub(crate) fn allowed(headers: &HeaderMap, origins: &[Origin]) -> Option<HeaderValue> {
    let mut sent = headers.get_all(ORIGIN).iter();
    let (Some(origin), None) = (sent.next(), sent.next()) else { return None };
    origins.iter().any(|ours| ours.as_str().as_bytes() == origin.as_bytes()).then(|| origin.clone())
}

/// Whether the request asks what it may send, rather than sending it.
pub(crate) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS && headers.contains_key(ORIGIN) && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a preflight for a path that takes `methods`.
pub(crate) fn preflight(methods: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.extend(HeaderValue::from_str(methods).ok().map(|methods| (ACCESS_CONTROL_ALLOW_METHODS, methods)));
    let sendable = "authorization, content-type, idempotency-key, x-csrf-token, x-request-id";
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(sendable));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}

/// Marks a reply as depending on the origin, and as readable by `origin` where it is allowed; also where the browser sent
/// cookies along, if there are any of ours.
pub(crate) fn mark(headers: &mut HeaderMap, origin: Option<HeaderValue>, has_cookies: bool) {
    // Also where no origin is named: a cache must not hand that reply to a page that would be allowed.
    headers.insert(VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if has_cookies {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        let readable = "x-request-id, retry-after, ratelimit, ratelimit-policy";
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(readable));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // CS5: a list, compared exactly, never a reflection.
    #[test]
    fn cs5_only_listed_origins_may_read() {
        let ours = [Origin::parse("https://app.example").unwrap()];
        let allows = |origin: &'static str| {
            let headers = HeaderMap::from_iter([(ORIGIN, HeaderValue::from_static(origin))]);
            allowed(&headers, &ours).is_some()
        };
        assert!(allows("https://app.example"));
        for foreign in ["http://app.example", "https://evil-app.example", "https://app.example.com", "null", "*", ""] {
            assert!(!allows(foreign), "{foreign}");
        }
        let mut headers = HeaderMap::new();
        mark(&mut headers, None, true);
        assert!(!headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
        assert!(!headers.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS));
        assert_eq!(headers[VARY], "origin");
    }
}
