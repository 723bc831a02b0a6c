//! Refuses what another site makes a browser send.

use std::fmt;

use http::header::ORIGIN;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use crate::problem::{Problem, ProblemCode};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A web origin, `https://app.example.com`: scheme, host and port, in the spelling that browsers send (RFC 6454 §6.2).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Origin(Box<str>);

/// The text is no origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidOrigin;

impl Origin {
    /// Reads an origin; a path, a query, a user name or a scheme other than `http` and `https` is refused.
    ///
    /// # Errors
    /// [`InvalidOrigin`] when the text is anything but an origin.
    pub fn parse(text: &str) -> Result<Self, InvalidOrigin> {
        let url = Url::parse(text).map_err(|_| InvalidOrigin)?;
        let origin = Self::of(&url);
        if matches!(url.scheme(), "http" | "https") && *origin.0 == *text { Ok(origin) } else { Err(InvalidOrigin) }
    }

    /// The origin that `url` belongs to.
    pub fn of(url: &Url) -> Self {
        Self(url.origin().ascii_serialization().into())
    }

    /// As browsers send it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({})", self.0)
    }
}

impl fmt::Display for InvalidOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an origin like https://app.example.com")
    }
}

impl std::error::Error for InvalidOrigin {}

/// Lets a request through unless a browser sent it for another site.
///
/// An `Origin` that is present decides alone. Without it `Sec-Fetch-Site: cross-site` is refused; a client that sends
/// neither is no browser, and nobody else's page can drive it. Safe methods pass: they change nothing.
pub(crate) fn check(method: &Method, headers: &HeaderMap, allowed: &[Origin]) -> Result<(), Problem> {
    let mut origins = headers.get_all(ORIGIN).iter();
    let is_ours = match (origins.next(), origins.next()) {
        _ if method.is_safe() => true,
        (None, _) => headers.get_all(SEC_FETCH_SITE).iter().all(|site| site != HeaderValue::from_static("cross-site")),
        // Compared whole and byte by byte: prefixes and suffixes are where `https://app.example.evil.net` gets in.
        (Some(origin), None) => allowed.iter().any(|ours| ours.as_str().as_bytes() == origin.as_bytes()),
        (Some(_), Some(_)) => false,
    };
    if is_ours {
        Ok(())
    } else {
        Err(Problem::new(ProblemCode::CsrfFailed, "This site may not send requests on your behalf."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(method: &Method, headers: &[(&'static str, &str)]) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect();
        check(method, &headers, &[Origin::parse("https://app.example").unwrap()]).is_ok()
    }

    // CS3: an origin decides alone, and exactly.
    #[test]
    fn cs3_an_origin_decides_alone() {
        assert!(passes(&Method::POST, &[("origin", "https://app.example")]));
        assert!(passes(&Method::POST, &[("origin", "https://app.example"), ("sec-fetch-site", "cross-site")]));
        for foreign in [
            "null",
            "",
            "http://app.example",
            "https://app.example.evil.net",
            "https://evil-app.example",
            "https://app.example:8443",
            "https://app.example/",
            "https://APP.example",
        ] {
            assert!(!passes(&Method::POST, &[("origin", foreign)]), "{foreign}");
            assert!(!passes(&Method::DELETE, &[("origin", foreign), ("sec-fetch-site", "same-origin")]), "{foreign}");
        }
        assert!(!passes(&Method::POST, &[("origin", "https://app.example"), ("origin", "https://evil.net")]));
    }

    // CS3: without an origin, browsers tell by `Sec-Fetch-Site`; other clients tell nothing and pass.
    #[test]
    fn cs3_without_an_origin() {
        assert!(passes(&Method::PATCH, &[]));
        assert!(passes(&Method::POST, &[("sec-fetch-site", "same-origin")]));
        assert!(!passes(&Method::POST, &[("sec-fetch-site", "cross-site")]));
        assert!(passes(&Method::GET, &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.net")]));
    }

    #[test]
    fn parses_origins_only() {
        assert!(Origin::parse("http://localhost:3000").is_ok());
        for text in
            ["https://app.example/", "https://app.example:443", "app.example", "https://a@b.example", "null", "*"]
        {
            assert_eq!(Origin::parse(text), Err(InvalidOrigin), "{text}");
        }
    }
}
