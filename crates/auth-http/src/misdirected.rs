//! Keeps a server with development defaults to itself.

use std::net::IpAddr;

use http::header::HOST;
use http::{HeaderMap, Uri, uri::Authority};

use crate::problem::{Problem, ProblemCode};

/// Lets a request through that was sent to a loopback name.
///
/// A development server prints codes and links where anybody can read them, and listens without TLS. Behind a tunnel or
/// a proxy it would face the network; and a page elsewhere can point its own name at 127.0.0.1 (DNS rebinding). Both
/// show in the name that was asked for. `X-Forwarded-Host` says nothing: whoever asks can write it.
pub(crate) fn check(uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = match (uri.authority(), hosts.next(), hosts.next()) {
        // HTTP/2, or a request in absolute form: the name in the target wins (RFC 9112 §3.2.2).
        (Some(authority), ..) => Some(authority.clone()),
        (None, Some(host), None) => Authority::try_from(host.as_bytes()).ok(),
        (None, ..) => None,
    };
    if host.as_ref().is_some_and(|host| is_loopback(host.host())) {
        return Ok(());
    }
    tracing::warn!(
        host = host.as_ref().map(Authority::as_str),
        "refused with 421: development defaults answer loopback names only; set PUBLIC_URL and a mailer"
    );
    Err(Problem::new(ProblemCode::Misdirected, "This server runs with development defaults and answers loopback only."))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let is_local = |name: &str| name == "localhost" || name.ends_with(".localhost");
    bare.parse::<IpAddr>().map_or_else(|_| is_local(&bare.to_ascii_lowercase()), |ip| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn passes(host: &str) -> bool {
        let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_str(host).unwrap())]);
        check(&Uri::from_static("/me"), &headers).is_ok()
    }

    // SC5: development defaults never face the network.
    #[test]
    fn sc5_only_loopback_names_are_answered() {
        for host in ["localhost", "LOCALHOST:8080", "app.localhost", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080"] {
            assert!(passes(host), "{host}");
        }
        for host in ["example.com", "localhost.example.com", "127.0.0.1.example.com", "10.0.0.1", "notlocalhost", ""] {
            assert!(!passes(host), "{host}");
        }
        assert!(check(&Uri::from_static("/me"), &HeaderMap::new()).is_err());
        assert!(check(&Uri::from_static("http://example.com/me"), &HeaderMap::new()).is_err());
    }
}
