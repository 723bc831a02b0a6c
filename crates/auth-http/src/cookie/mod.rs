//! Cookies: one definition of each, by which it is set, read and cleared.

mod settings;

use std::time::Duration;

use ::cookie::Cookie;
use http::header::{COOKIE, HeaderValue};
use http::{HeaderMap, header};

pub use settings::{CookieSettings, SameSite};

/// The cookies of a profile whose credentials are a browser's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cookies {
    /// What requests are authenticated by: the session's secret, or an access token.
    pub(crate) session: Definition,
    /// The refresh token, where there are tokens.
    pub(crate) refresh: Option<Definition>,
    /// The challenge between the two steps of a sign-in, where it travels in a cookie.
    pub(crate) challenge: Option<Definition>,
    /// The CSRF token, for scripts to read, where there is one.
    pub(crate) csrf: Option<Definition>,
    /// The device token.
    pub(crate) device: Definition,
}

impl Cookies {
    /// A cookie that both have, each with its own idea of it: what one sets the other could not clear. Profiles may share the
    /// device cookie, which authenticates nothing, whatever requests it goes along with.
    pub(crate) fn contradiction<'a>(&'a self, other: &Self) -> Option<&'a Definition> {
        let same_site = other.device.same_site;
        let is_shared = Definition { same_site, ..self.device.clone() } == other.device;
        let clashes = |one: &&Definition| {
            let is_device = |cookie: &Definition| is_shared && cookie.name == self.device.name;
            other.all().any(|other| one.name == other.name && *one != other && !is_device(one))
        };
        self.all().find(clashes)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Definition> {
        self.of_session().chain([&self.device])
    }

    /// Those that are good for one session, and go with it. The device outlives sessions.
    pub(crate) fn of_session(&self) -> impl Iterator<Item = &Definition> {
        let others = [&self.refresh, &self.challenge, &self.csrf];
        std::iter::once(&self.session).chain(others.into_iter().flatten())
    }
}

/// All that is said of a cookie but its value, so that setting and clearing can't differ over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Definition {
    name: String,
    is_http_only: bool,
    is_secure: bool,
    same_site: SameSite,
    /// `None`: the host that set it, and no other.
    domain: Option<String>,
    /// The other domains that a cookie of this name may have been set for, under earlier settings or by a sibling host.
    /// A browser keeps one for each, and sends them all.
    shadows: Vec<Option<String>>,
}

impl Definition {
    /// Its name, as browsers know it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Gives the browser a value, for `max_age` and not longer.
    pub(crate) fn set(&self, value: &str, max_age: Duration) -> Option<HeaderValue> {
        self.header(self.domain.as_deref(), value, max_age)
    }

    /// Takes it from the browser, wherever it may have been set for.
    pub(crate) fn clear(&self) -> impl Iterator<Item = HeaderValue> {
        self.clear_shadows().chain(self.header(self.domain.as_deref(), "", Duration::ZERO))
    }

    /// Takes its namesakes from the browser: beside one of them the cookie would count as none.
    pub(crate) fn clear_shadows(&self) -> impl Iterator<Item = HeaderValue> {
        self.shadows.iter().filter_map(|domain| self.header(domain.as_deref(), "", Duration::ZERO))
    }

    /// The value that the request carries; `None` also where it carries several.
    ///
    /// A sibling host can plant a second cookie of the name, and which of them a browser sends first is the attacker's
    /// choice of path (RFC 6265 §8.6).
    pub(crate) fn read<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let mut values = self.values(headers);
        let (Some(value), None) = (values.next(), values.next()) else { return None };
        std::str::from_utf8(value).ok()
    }

    /// Whether the request carries any cookie of the name.
    pub(crate) fn is_present(&self, headers: &HeaderMap) -> bool {
        self.values(headers).next().is_some()
    }

    fn values<'a>(&self, headers: &'a HeaderMap) -> impl Iterator<Item = &'a [u8]> {
        // HTTP/2 may split the header (RFC 9113 §8.2.3). As bytes: another application's cookie may hold anything.
        let pairs = headers.get_all(COOKIE).iter().flat_map(|header| header.as_bytes().split(|&byte| byte == b';'));
        pairs.filter_map(|pair| {
            let equals = pair.iter().position(|&byte| byte == b'=')?;
            let (name, value) = (&pair[..equals], &pair[equals + 1..]);
            (name.trim_ascii() == self.name.as_bytes()).then(|| value.trim_ascii())
        })
    }

    fn header(&self, domain: Option<&str>, value: &str, max_age: Duration) -> Option<HeaderValue> {
        let seconds = i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX);
        let mut cookie = Cookie::build((self.name.as_str(), value))
            .path("/")
            .max_age(::cookie::time::Duration::seconds(seconds))
            .http_only(self.is_http_only)
            .secure(self.is_secure)
            .same_site(self.same_site.into());
        if let Some(domain) = domain {
            cookie = cookie.domain(domain.to_owned());
        }
        HeaderValue::from_str(&cookie.build().to_string()).ok()
    }
}

/// Adds `cookies` to a reply, beside those that it has.
pub(crate) fn append(headers: &mut HeaderMap, cookies: impl IntoIterator<Item = HeaderValue>) {
    for cookie in cookies {
        headers.append(header::SET_COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Delivery;

    fn cookies(settings: &CookieSettings, public_url: &str) -> Cookies {
        settings.cookies(public_url, Delivery::SessionCookie).unwrap()
    }

    fn texts(headers: impl IntoIterator<Item = HeaderValue>) -> Vec<String> {
        headers.into_iter().map(|header| header.to_str().unwrap().to_owned()).collect()
    }

    // CS1: set and cleared by the same words.
    #[test]
    fn cs1_our_own_names_are_bound_to_the_host() {
        let Cookies { session, csrf, device, .. } = cookies(&CookieSettings::default(), "https://auth.example.com");
        let csrf = csrf.unwrap();
        let day = Duration::from_secs(86_400);
        assert_eq!(
            texts(session.set("abc", day)),
            ["__Host-session=abc; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=86400"]
        );
        assert_eq!(texts(csrf.set("abc", day)), ["__Host-csrf=abc; SameSite=Strict; Secure; Path=/; Max-Age=86400"]);
        assert_eq!(device.name(), "__Host-device");
        // A cookie with that prefix was never set for a domain.
        assert_eq!(texts(session.clear()), ["__Host-session=; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=0"]);
    }

    // CS1: cleared wherever it may have been set, before and after COOKIE_DOMAIN was changed.
    #[test]
    fn cs1_a_cleared_cookie_names_every_domain() {
        let mut settings = CookieSettings { session: Some("sid".into()), ..CookieSettings::default() };
        let tail = "HttpOnly; SameSite=Strict; Secure; Path=/;";
        let domains =
            |settings: &CookieSettings| texts(cookies(settings, "https://auth.example.co.uk").session.clear());
        assert_eq!(
            domains(&settings),
            [
                format!("sid=; {tail} Domain=auth.example.co.uk; Max-Age=0"),
                format!("sid=; {tail} Domain=example.co.uk; Max-Age=0"),
                format!("sid=; {tail} Max-Age=0").replace("Path=/; Max", "Path=/; Max"),
            ]
        );
        settings.domain = Some("example.co.uk".into());
        assert_eq!(
            domains(&settings),
            [
                format!("sid=; {tail} Max-Age=0"),
                format!("sid=; {tail} Domain=auth.example.co.uk; Max-Age=0"),
                format!("sid=; {tail} Domain=example.co.uk; Max-Age=0"),
            ]
        );
        settings.session = None;
        assert_eq!(cookies(&settings, "https://auth.example.co.uk").session.name(), "session");
    }

    // Plain http on this machine: browsers refuse a Secure cookie there, and a name that promises one.
    #[test]
    fn development_has_cookies_without_secure() {
        for public_url in ["http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"] {
            let session = cookies(&CookieSettings::default(), public_url).session;
            assert_eq!(
                texts(session.set("abc", Duration::ZERO)),
                ["session=abc; HttpOnly; SameSite=Strict; Path=/; Max-Age=0"]
            );
        }
        assert!(cookies(&CookieSettings::default(), "http://auth.example.com").session.is_secure);
    }

    // CS7: a second cookie of the name makes both worthless, whichever comes first.
    #[test]
    fn cs7_two_of_one_name_are_none() {
        let session = cookies(&CookieSettings::default(), "https://auth.example.com").session;
        let read = |headers: &[&'static str]| {
            let headers = headers.iter().map(|header| (COOKIE, HeaderValue::from_static(header))).collect();
            (session.read(&headers).map(str::to_owned), session.is_present(&headers))
        };
        let found = (Some("abc".into()), true);
        assert_eq!(read(&["__Host-session=abc"]), found);
        assert_eq!(read(&["a=1; __Host-session=abc; session=x; __host-session=y"]), found);
        assert_eq!(read(&["a=1", "__Host-session=abc"]), found);
        for two in [
            &["__Host-session=abc; __Host-session=evil"][..],
            &["__Host-session=evil; __Host-session=abc"],
            &["__Host-session=abc; __Host-session=abc"],
            &["__Host-session=abc", "__Host-session=evil"],
            &["__Host-session=abc; __Host-session="],
            &["__Host-session =evil;__Host-session=abc"],
        ] {
            assert_eq!(read(two), (None, true), "{two:?}");
        }
        for none in [&[][..], &["session=abc"], &["__Host-session"], &["x__Host-session=abc"]] {
            assert_eq!(read(none), (None, false), "{none:?}");
        }
    }

    #[test]
    fn other_peoples_cookies_may_hold_anything() {
        let session = cookies(&CookieSettings::default(), "https://auth.example.com").session;
        let header = HeaderValue::from_bytes(b"theirs=\xff\xfe; __Host-session=abc").unwrap();
        assert_eq!(session.read(&HeaderMap::from_iter([(COOKIE, header)])), Some("abc"));
    }
}
