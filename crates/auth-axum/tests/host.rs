//! An application under test: its users and its router.

use std::net::{IpAddr, SocketAddr};

use auth_core::domain::{Role, User};
use auth_core::port::{Change, PasswordHasher};
use auth_testkit::given;
use auth_testkit::http::{Credentials, Person, World};
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{HeaderMap, Method, Request};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

/// Somebody signed in, who holds these roles.
pub(crate) async fn signed_in(world: &World, is_verified: bool, roles: &[&str]) -> Credentials {
    let person = Person::new();
    let user = User {
        email: person.address(),
        email_verified_at: is_verified.then_some(given::NOW),
        roles: roles.iter().map(|role| Role::parse(role).unwrap()).collect(),
        ..given::user()
    };
    let password = auth_core::domain::Password::parse(person.password.clone()).unwrap();
    let password = world.hasher().hash(&password).await.unwrap();
    world.store().commit(&[Change::CreateUser { user, password: Some(password) }]).await.unwrap();
    world.sign_in(&person).await
}

/// A request to the application.
pub(crate) struct Call(Request<Body>);

impl Call {
    pub(crate) fn new(method: Method, path: &str) -> Self {
        let mut request = Request::new(Body::empty());
        (*request.method_mut(), *request.uri_mut()) = (method, path.parse().unwrap());
        Self(request).from([192, 0, 2, 1])
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

    pub(crate) fn body(mut self, media_type: &str, body: impl Into<Body>) -> Self {
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
        self.0.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer.into(), 4711)));
        self
    }

    pub(crate) async fn send(self, app: &Router) -> Reply {
        let (head, body) = app.clone().oneshot(self.0).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let reply = Reply {
            status: head.status.as_u16(),
            headers: head.headers,
            text: String::from_utf8(body.into()).unwrap(),
        };
        if reply.status >= 400 && !reply.text.is_empty() {
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
