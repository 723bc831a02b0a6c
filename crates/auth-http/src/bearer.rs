//! Bearer credentials (RFC 6750 §2.1).

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// The token of the one `Authorization: Bearer` header.
///
/// Two such headers count as none: which of them a proxy, a framework and we each look at need not be the same one.
pub(crate) fn token(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && !token.contains(' ')).then_some(token)
}

/// Whether the client means to be somebody, rightly or not.
pub(crate) fn is_present(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn of(values: &[&str]) -> Option<String> {
        let headers = values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_str(value).unwrap())).collect();
        token(&headers).map(str::to_owned)
    }

    #[test]
    fn takes_one_bearer() {
        assert_eq!(of(&["Bearer abc"]).as_deref(), Some("abc"));
        assert_eq!(of(&["bEARER  abc"]).as_deref(), Some("abc"));
        for refused in [&[][..], &["abc"], &["Basic abc"], &["Bearer "], &["Bearer a b"], &["Bearer a", "Bearer a"]] {
            assert_eq!(of(refused), None, "{refused:?}");
        }
    }
}
