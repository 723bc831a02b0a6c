//! Keeps a server with development defaults to itself.

use std::net::IpAddr;
use std::sync::Once;

use http::header::{FORWARDED, HOST};
use http::{HeaderMap, HeaderName, Uri, uri::Authority};

use crate::problem::{Problem, ProblemCode};

/// What only proxies add. Where there is one, the name that was asked for may be the proxy's word for us: nginx writes the
/// address of its upstream unless it is told otherwise.
const OF_PROXIES: [HeaderName; 4] = [
    FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
];

/// Lets a request through that was sent to a loopback name, and by no proxy.
///
/// A development server prints codes and links where anybody can read them, and listens without TLS. Behind a tunnel or
/// a proxy it would face the network; and a page elsewhere can point its own name at 127.0.0.1 (DNS rebinding). Both
/// show in the name that was asked for, or in what the proxy adds.
pub(crate) fn check(uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = match (uri.authority(), hosts.next(), hosts.next()) {
        // HTTP/2, or a request in absolute form: the name in the target wins (RFC 9112 §3.2.2).
        (Some(authority), ..) => Some(authority.clone()),
        (None, Some(host), None) => Authority::try_from(host.as_bytes()).ok(),
        (None, ..) => None,
    };
    let proxy = OF_PROXIES.into_iter().find(|name| headers.contains_key(name));
    if proxy.is_none() && host.as_ref().is_some_and(|host| is_loopback(host.host())) {
        return Ok(());
    }
    // Once: who is refused must not fill the log, and whoever reads it needs to know but once.
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        tracing::warn!(
            host = host.as_ref().map(Authority::as_str),
            proxy = proxy.as_ref().map(HeaderName::as_str),
            "refused with 421, as will be all that follow: development defaults answer loopback names only, and no \
             proxies; set PUBLIC_URL and a mailer"
        );
    });
    Err(Problem::new(ProblemCode::Misdirected, "This server runs with development defaults and answers loopback only."))
}

/// Whether `host`, of an address or a `Host` header without its port, is this machine's own name.
pub(crate) fn is_loopback(host: &str) -> bool {
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

    /// Counts log lines.
    struct Lines(std::sync::atomic::AtomicUsize);

    impl tracing::Subscriber for Lines {
        fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }
        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
        fn event(&self, _: &tracing::Event<'_>) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
        fn enter(&self, _: &tracing::span::Id) {}
        fn exit(&self, _: &tracing::span::Id) {}
    }

    // SC5: who is refused doesn't fill the log.
    #[test]
    fn sc5_refusals_are_logged_once() {
        let lines = std::sync::Arc::new(Lines(0.into()));
        tracing::subscriber::with_default(lines.clone(), || {
            for _ in 0..3 {
                assert!(!passes("example.com"));
            }
        });
        // None where another test of this process was refused before.
        assert!(lines.0.load(std::sync::atomic::Ordering::SeqCst) <= 1);
    }

    // SC5: behind a proxy the name may well be loopback's, and the client anybody.
    #[test]
    fn sc5_proxies_are_not_answered() {
        for name in ["forwarded", "X-Forwarded-For", "x-forwarded-host", "x-forwarded-proto"] {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            for value in ["", "127.0.0.1", "localhost"] {
                let headers = [(HOST, "127.0.0.1:8080"), (name.clone(), value)];
                let headers = headers.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value)));
                assert!(check(&Uri::from_static("/me"), &headers.collect()).is_err(), "{name}: {value}");
            }
        }
    }
}
