//! Requests and replies, as checks write and read them.

use std::net::IpAddr;

use auth_http::{CookieSettings, Delivery};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use serde_json::Value;

use super::world::PUBLIC_URL;
use super::{Cookies, Credentials, World};

/// A request to be sent: `.await` it.
///
/// Whatever a check is about, each reply is held to what all replies have in common (ER1): a request id, no caching, no
/// sniffing, only the cookies that its profile has; a problem with a matching status where it isn't a success; and what the
/// OpenAPI document says of its operation.
#[derive(Debug)]
#[must_use = "a call is sent when it is awaited"]
pub struct Call {
    world: World,
    request: Request<Bytes>,
    peer: IpAddr,
}

impl Call {
    pub(super) fn new(world: World, method: Method, path: &str) -> Self {
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().expect("a path");
        request.headers_mut().insert("host", HeaderValue::from_static("auth.example.com"));
        Self { world, request, peer: IpAddr::from([192, 0, 2, 1]) }
    }

    /// With `body` as JSON.
    pub fn json(self, body: &Value) -> Self {
        self.raw("application/json", body.to_string())
    }

    /// With any body of any media type.
    pub fn raw(mut self, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        *self.request.body_mut() = body.into();
        self.header(CONTENT_TYPE, media_type)
    }

    /// By somebody signed in: a client with its access token, or a browser with its cookies, whose page shows the CSRF
    /// token too.
    pub fn by(self, credentials: &Credentials) -> Self {
        match credentials {
            Credentials::Tokens(tokens) => self.bearer(&tokens.access),
            Credentials::Browser(cookies) => {
                self.header(COOKIE, &cookies.header()).header("x-csrf-token", &cookies.csrf_token())
            }
        }
    }

    /// By a browser with these cookies, and no word of its page.
    pub fn with_cookies(self, cookies: &Cookies) -> Self {
        self.header(COOKIE, &cookies.header())
    }

    /// With an access token.
    pub fn bearer(self, token: &str) -> Self {
        self.header(AUTHORIZATION, &format!("Bearer {token}"))
    }

    /// With a header, in place of any of that name.
    pub fn header(mut self, name: impl TryInto<HeaderName>, value: &str) -> Self {
        let name = name.try_into().ok().expect("a header's name");
        self.request.headers_mut().insert(name, HeaderValue::from_bytes(value.as_bytes()).expect("a header's value"));
        self
    }

    /// With a header, beside those of that name.
    pub fn and_header(mut self, name: &'static str, value: &str) -> Self {
        self.request.headers_mut().append(name, HeaderValue::from_bytes(value.as_bytes()).expect("a header's value"));
        self
    }

    /// Without a header.
    pub fn without(mut self, name: &'static str) -> Self {
        self.request.headers_mut().remove(name);
        self
    }

    /// From another peer.
    pub fn from(mut self, peer: &str) -> Self {
        self.peer = peer.parse().expect("an address");
        self
    }
}

impl IntoFuture for Call {
    type Output = Reply;
    type IntoFuture = std::pin::Pin<Box<dyn Future<Output = Reply> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let what = format!("{} {}", self.request.method(), self.request.uri());
            let is_head = self.request.method() == Method::HEAD;
            let request = self.request.clone();
            let (head, body) = self.world.web().send(self.request, self.peer).await.into_parts();
            let reply = Reply { what, status: head.status.as_u16(), headers: head.headers, body };
            reply.check(is_head);
            reply.check_cookies(&self.world);
            self.world.document().check(&request, &reply);
            reply
        })
    }
}

/// A reply.
#[derive(Debug, Clone)]
pub struct Reply {
    what: String,
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Reply {
    /// The body as JSON; `null` where there is none.
    pub fn json(&self) -> Value {
        if self.body.is_empty() { Value::Null } else { serde_json::from_slice(&self.body).expect("JSON") }
    }

    /// The body of a reply that must be of that status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.json()
    }

    /// The body of a reply that must be that problem.
    #[track_caller]
    pub fn problem(&self, code: &str) -> Value {
        let body = self.json();
        assert_eq!(body["code"], code, "{self:?}");
        body
    }

    /// Whether it is that problem.
    pub fn is_problem(&self, code: &str) -> bool {
        self.json()["code"] == code
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The values of all `Set-Cookie` headers, in order.
    pub fn set_cookies(&self) -> Vec<&str> {
        self.headers.get_all(SET_COOKIE).iter().map(|value| value.to_str().expect("ASCII")).collect()
    }

    /// Everything a client could tell replies apart by, in order.
    pub fn bytes(&self) -> String {
        let mut headers: Vec<String> = self.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
        headers.sort_unstable();
        format!("{}\n{}\n\n{}", self.status, headers.join("\n"), self.body.escape_ascii())
    }

    fn check(&self, is_head: bool) {
        assert!(self.header("x-request-id").is_some_and(|id| !id.is_empty()), "no request id: {self:?}");
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"), "{self:?}");
        assert!(self.header("cache-control") == Some("no-store") || self.what.contains("jwks.json"), "{self:?}");
        // Pages for people have words for their problems.
        if self.status >= 300 && !is_head && !self.header("content-type").is_some_and(|t| t.starts_with("text/html")) {
            let problem = self.json();
            assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
            assert_eq!(problem["status"], self.status, "{self:?}");
            assert_eq!(problem["requestId"].as_str(), self.header("x-request-id"), "{self:?}");
            for member in ["type", "title", "detail", "code"] {
                assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "no {member}: {self:?}");
            }
        }
    }

    /// CS1: each cookie has the attributes that are documented, set or cleared; and a profile of tokens has none.
    fn check_cookies(&self, world: &World) {
        let cookies = self.set_cookies();
        if world.profile().delivery == Delivery::Body {
            assert!(cookies.is_empty(), "{self:?}");
        }
        let session_max = world.profile().session_max.unwrap_or_default().as_secs();
        if world.profile().cookies != CookieSettings::default() || world.auth().settings().public_url != PUBLIC_URL {
            return;
        }
        for cookie in cookies {
            let (pair, attributes) = cookie.split_once("; ").expect("attributes");
            let (name, value) = pair.split_once('=').expect("a value");
            let (start, age) = attributes.split_once("Max-Age=").expect("an age");
            let http_only = if name == "__Host-csrf" { "" } else { "HttpOnly; " };
            assert_eq!(start, format!("{http_only}SameSite=Strict; Secure; Path=/; "), "{self:?}");
            let most = if name == "__Host-device" { 365 * 86_400 } else { session_max };
            let age: u64 = age.parse().expect("seconds");
            assert!(age <= most && value.is_empty() == (age == 0), "{self:?}");
        }
    }
}
