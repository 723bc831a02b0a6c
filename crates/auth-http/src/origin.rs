//! Refuses what another site makes a browser send.

use std::fmt;

use http::header::{ORIGIN, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use crate::auth_http::SetupError;
use crate::misdirected::is_loopback;
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
        Self::of(&url).filter(|origin| *origin.0 == *text).ok_or(InvalidOrigin)
    }

    /// The origin that `url` belongs to; `None` for any scheme but `http` and `https`.
    ///
    /// Pages of other schemes send `Origin: null`, and so does every sandboxed frame: that one must never be on a list.
    pub fn of(url: &Url) -> Option<Self> {
        matches!(url.scheme(), "http" | "https").then(|| Self(url.origin().ascii_serialization().into()))
    }

    /// What people call the origin of `url` too, where that is this machine: they type `localhost` for 127.0.0.1.
    fn aliases(url: &Url) -> impl Iterator<Item = Self> {
        let names: &[&str] =
            if url.host_str().is_some_and(is_loopback) { &["localhost", "127.0.0.1", "[::1]"] } else { &[] };
        names.iter().filter_map(|name| {
            let mut url = url.clone();
            url.set_host(Some(name)).ok()?;
            Self::of(&url)
        })
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

/// The origins of a system with those addresses. One for development goes by all of loopback's names.
///
/// Links in mail may lead into an app, `myapp://open`: such an address has no origin, and adds none.
pub(crate) fn own(public_url: &str, frontend_url: &str, is_development: bool) -> Result<Vec<Origin>, SetupError> {
    let parse = |address: &str| Url::parse(address).map_err(|_| SetupError::Address(address.to_owned()));
    let (public, frontend) = (parse(public_url)?, parse(frontend_url)?);
    let mut origins = vec![Origin::of(&public).ok_or_else(|| SetupError::Address(public_url.to_owned()))?];
    origins.extend(Origin::of(&frontend));
    if is_development {
        origins.extend(Origin::aliases(&public).chain(Origin::aliases(&frontend)));
    }
    Ok(origins)
}

/// Lets a request through unless a browser sent it for another site.
///
/// An `Origin` that is present decides alone. Without it `Sec-Fetch-Site: cross-site` is refused; a client that sends
/// neither is no browser, and nobody else's page can drive it. Safe methods pass: they change nothing, unless they open a
/// WebSocket, which browsers let any page do, cookies included (RFC 6455 §10.2).
pub(crate) fn check(method: &Method, headers: &HeaderMap, allowed: &[Origin]) -> Result<(), Problem> {
    let mut origins = headers.get_all(ORIGIN).iter();
    let is_ours = match (origins.next(), origins.next()) {
        _ if method.is_safe() && !headers.contains_key(UPGRADE) => true,
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

    // CS3: a page of any site may open a WebSocket, and its browser sends our cookies along.
    #[test]
    fn cs3_websockets_are_judged_by_their_origin() {
        let upgrade = ("upgrade", "websocket");
        assert!(passes(&Method::GET, &[upgrade, ("origin", "https://app.example")]));
        assert!(passes(&Method::GET, &[upgrade]), "no browser");
        assert!(!passes(&Method::GET, &[upgrade, ("origin", "https://evil.example")]));
        assert!(passes(&Method::GET, &[("origin", "https://evil.example")]), "reading is CORS's");
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

    fn ours(public_url: &str, frontend_url: &str, is_development: bool) -> Vec<String> {
        let origins = own(public_url, frontend_url, is_development).unwrap();
        origins.iter().map(|origin| origin.as_str().to_owned()).collect()
    }

    // CS3: what has no origin adds none, and above all not `null`, which is every sandboxed frame's.
    #[test]
    fn cs3_app_schemes_have_no_origin() {
        let public = "https://auth.example";
        for app in ["myapp://open", "com.example.app:/links", "file:///index.html", "ftp://app.example"] {
            assert_eq!(ours(public, app, false), [public], "{app}");
            assert_eq!(own(app, public, false), Err(SetupError::Address(app.into())), "{app}");
        }
        assert_eq!(ours(public, "https://app.example/login", false), [public, "https://app.example"]);
        assert!(own(public, "app.example", false).is_err());
    }

    // In development a page is ours under each of loopback's names; on the same port, and nowhere else.
    #[test]
    fn loopback_goes_by_several_names() {
        let bound = "http://127.0.0.1:8080";
        let names = ["http://localhost:8080", bound, "http://[::1]:8080"];
        let of = |url| ours(url, url, true);
        for name in names {
            assert!(names.iter().all(|name| of(bound).contains(&(*name).to_owned())), "{name}");
            assert!(of(name).iter().all(|origin| names.contains(&&**origin)), "{name}");
        }
        assert!(ours(bound, "http://localhost:3000", true).contains(&"http://127.0.0.1:3000".into()));
        assert_eq!(ours(bound, bound, false), [bound, bound]);
        assert_eq!(of("https://auth.example"), ["https://auth.example", "https://auth.example"]);
    }
}
