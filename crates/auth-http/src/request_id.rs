//! `X-Request-Id`: ties a client's report, the log and the audit entries together.

use http::{HeaderMap, HeaderName};

/// Names the request in both directions.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The client's id, if it sent one id of 1 to 128 visible ASCII characters.
///
/// Anything else could break out of a log line or flood it.
pub(crate) fn of(headers: &HeaderMap) -> Option<&str> {
    let mut ids = headers.get_all(X_REQUEST_ID).iter();
    let (Some(id), None) = (ids.next(), ids.next()) else { return None };
    let id = id.as_bytes();
    let is_id = (1..=128).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic);
    if is_id { std::str::from_utf8(id).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn takes_visible_ascii_only() {
        let longest = "x".repeat(128);
        let id = |value: &[u8]| {
            let headers = HeaderMap::from_iter([(X_REQUEST_ID, HeaderValue::from_bytes(value).unwrap())]);
            of(&headers).map(str::to_owned)
        };
        assert_eq!(id(b"abc-1~!").as_deref(), Some("abc-1~!"));
        assert_eq!(id(longest.as_bytes()), Some(longest.clone()));
        for refused in [&b""[..], b"a b", b"a\tb", "é".as_bytes(), "x".repeat(129).as_bytes()] {
            assert_eq!(id(refused), None);
        }
    }
}
