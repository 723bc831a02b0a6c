//! An HTTP client.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Sends requests to one server, each over a connection of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client {
    address: SocketAddr,
}

/// What the operations' paths begin with.
const PREFIX: &str = "/v1/auth";

/// Longer than any request may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why there is no reply.
pub(crate) type Lost = Box<dyn std::error::Error + Send + Sync>;

impl Client {
    pub(crate) fn to(address: SocketAddr) -> Self {
        Self { address }
    }

    /// A request to an operation.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Call {
        self.call(Method::POST, &format!("{PREFIX}{path}")).json(body)
    }

    /// A request to an operation.
    pub(crate) fn get(&self, path: &str) -> Call {
        self.call(Method::GET, &format!("{PREFIX}{path}"))
    }

    /// A request to the server's root.
    pub(crate) fn root(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    /// Any request.
    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        let mut request = Request::new(Full::default());
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().unwrap();
        Call { address: self.address, request }.header(HOST, &self.address.to_string())
    }
}

/// A request to be sent.
#[derive(Debug, Clone)]
#[must_use = "a call has to be sent"]
pub(crate) struct Call {
    address: SocketAddr,
    request: Request<Full<Bytes>>,
}

impl Call {
    pub(crate) fn json(mut self, body: &Value) -> Self {
        *self.request.body_mut() = Full::from(body.to_string());
        self.header(CONTENT_TYPE, "application/json")
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header(AUTHORIZATION, &format!("Bearer {token}"))
    }

    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
        self
    }

    /// Connects, and sends nothing yet.
    pub(crate) async fn connect(self) -> Result<Connected, Lost> {
        let stream = TcpStream::connect(self.address).await?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Connected { sender, request: self.request })
    }

    /// Sends it to a server that may go away meanwhile.
    pub(crate) async fn try_send(self) -> Result<Reply, Lost> {
        tokio::time::timeout(PATIENCE, async { self.connect().await?.send().await }).await?
    }

    /// Sends it to a server that answers.
    pub(crate) async fn send(self) -> Reply {
        let what = format!("{} {}", self.request.method(), self.request.uri());
        self.try_send().await.unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// Sends it, and expects that status.
    pub(crate) async fn expect(self, status: u16) -> Value {
        self.send().await.expect(status)
    }

    /// Sends it, and expects that problem.
    pub(crate) async fn problem(self, status: u16, code: &str) -> Reply {
        let reply = self.send().await;
        reply.is_problem(status, code);
        reply
    }
}

/// A request that waits at the server's door.
#[derive(Debug)]
pub(crate) struct Connected {
    sender: SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
}

impl Connected {
    pub(crate) async fn send(mut self) -> Result<Reply, Lost> {
        let (head, body) = self.sender.send_request(self.request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Reply { status: head.status.as_u16(), headers: head.headers, body })
    }
}

/// What a server answered.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    /// The body; null where it is empty.
    pub(crate) fn json(&self) -> Value {
        if self.body.is_empty() { Value::Null } else { serde_json::from_slice(&self.body).unwrap() }
    }

    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.json()
    }

    pub(crate) fn is_problem(&self, status: u16, code: &str) {
        assert_eq!((self.status, &self.json()["code"]), (status, &Value::from(code)), "{self:?}");
    }
}
