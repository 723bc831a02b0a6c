//! Requests to an application under test.

use std::net::IpAddr;

use auth_testkit::http::Credentials;
use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use serde_json::Value;

use crate::web;

/// How replies begin that the application refuses by itself.
pub(crate) const APPLICATIONS: &str = "the application";

/// A request to the application.
pub(crate) struct Call(Request<Bytes>, IpAddr);

impl Call {
    pub(crate) fn new(method: Method, path: &str) -> Self {
        let mut request = Request::new(Bytes::new());
        (*request.method_mut(), *request.uri_mut()) = (method, path.parse().unwrap());
        Self(request, [192, 0, 2, 1].into())
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn by(self, credentials: &Credentials) -> Self {
        match credentials {
            Credentials::Tokens(tokens) => self.bearer(&tokens.access),
            Credentials::Browser(cookies) => self.header("cookie", &cookies.header()),
        }
    }

    pub(crate) fn body(mut self, media_type: &str, body: impl Into<Bytes>) -> Self {
        *self.0.body_mut() = body.into();
        self.header("content-type", media_type)
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.0.headers_mut().append(name, value.parse().unwrap());
        self
    }

    pub(crate) fn from(mut self, peer: impl Into<IpAddr>) -> Self {
        self.1 = peer.into();
        self
    }

    pub(crate) async fn send(self, app: &web::App) -> Reply {
        let (head, body) = web::send(app, self.0, self.1).await.into_parts();
        let reply = Reply {
            status: head.status.as_u16(),
            headers: head.headers,
            text: String::from_utf8(body.into()).unwrap(),
        };
        if reply.status >= 400 && !reply.text.is_empty() && !reply.text.starts_with(APPLICATIONS) {
            // ER1: whatever refuses, it is a problem, complete with its headers.
            assert_eq!(reply.headers["content-type"], "application/problem+json", "{reply:?}");
            assert_eq!(reply.problem()["status"], reply.status, "{reply:?}");
            assert_eq!(reply.problem()["requestId"], reply.headers["x-request-id"].to_str().unwrap(), "{reply:?}");
            assert_eq!(reply.headers["cache-control"], "no-store", "{reply:?}");
        }
        reply
    }
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn set_cookies(&self) -> Vec<&str> {
        self.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap()).collect()
    }

    /// The session's secret that it sets.
    pub(crate) fn new_secret(&self) -> Option<String> {
        let cookies = self.set_cookies();
        let mut secrets = cookies.iter().filter_map(|cookie| cookie.strip_prefix("__Host-session="));
        let secret = secrets.next()?.split(';').next()?.to_owned();
        assert_eq!(secrets.next(), None, "one secret is enough");
        Some(secret)
    }

    pub(crate) fn problem(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// The status, and the problem's code where it is one.
    pub(crate) fn verdict(&self) -> String {
        match serde_json::from_str::<Value>(&self.text) {
            Ok(problem) if self.status >= 400 => format!("{} {}", self.status, problem["code"].as_str().unwrap()),
            _ => self.status.to_string(),
        }
    }
}
