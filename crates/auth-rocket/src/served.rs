//! The service through Rocket's routing, behind a server of one's own.

use std::collections::HashSet;
use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use auth_http::{Answered, AuthHttp, Problem};
use bytes::Bytes;
use http::request::Parts;
use http_body::Body;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use rocket::config::{Ident, Shutdown};
use rocket::http::Method;
use rocket::local::asynchronous::{Client, LocalResponse};
use rocket::log::LogLevel;
use rocket::shield::Shield;
use rocket::{Build, Config, Rocket};

use crate::exchange::Exchange;
use crate::fairing::Portcullis;

/// The operations of the profiles, those at the root, and a problem for every other path: all that a server needs that does
/// nothing else.
///
/// - Neither `Rocket.toml` nor `ROCKET_…` variables have a say, and Rocket logs nothing: its lines have whole paths with
///   their queries, among them the tokens of mailed links.
/// - Stops when it is told to by its [`Shutdown`](rocket::Shutdown), and takes no signals.
pub fn service(http: &AuthHttp) -> Rocket<Build> {
    let shutdown = Shutdown { ctrlc: false, signals: HashSet::new(), ..Shutdown::default() };
    let config = Config {
        log_level: LogLevel::Off,
        cli_colors: false,
        ident: Ident::none(),
        // Whose address a header tells is what the wire decides.
        ip_header: None,
        shutdown,
        ..Config::release_default()
    };
    rocket::custom(config).attach(Shield::new()).attach(Portcullis::new(http).answering_everything())
}

/// [`service`], behind a server of one's own: with Rocket's routing, fairings and catchers, without Rocket's listener.
///
/// Rocket's own server has no bound on connections, and none on how long a request's head may take. What stands behind this
/// has those that its listener has. Requests reach the wire as they came, whatever Rocket would make of them, and bodies are
/// read when the operation wants them.
#[derive(Clone)]
pub struct Served(Arc<Client>);

impl Served {
    /// Launches the application, without a listener.
    ///
    /// # Errors
    /// Where two profiles' paths are one to Rocket.
    pub async fn launch(http: &AuthHttp) -> Result<Self, rocket::Error> {
        Ok(Self(Arc::new(Client::untracked(service(http)).await?)))
    }

    /// Answers a request from `peer`. The reply tells what was asked for: [`Answered`] among its extensions.
    pub async fn answer<B>(&self, request: http::Request<B>, peer: Option<SocketAddr>) -> http::Response<Bytes>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        let (head, body) = request.into_parts();
        let arrival = Arrival::new(body);
        let answered = Arc::clone(&arrival.answered);
        let mut request = self.0.req(routed_as(&head.method), decodable(&head));
        if let Some(peer) = peer {
            request = request.remote(peer);
        }
        request.inner().local_cache(|| Exchange::arrived(head, arrival));
        let mut reply = complete(request.dispatch().await).await;
        if let Some(answered) = answered.lock().unwrap_or_else(PoisonError::into_inner).take() {
            reply.extensions_mut().insert(answered);
        }
        reply
    }
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Served")
    }
}

/// The body of a request that Rocket's server hasn't read, and word of what it asked for.
pub(crate) struct Arrival {
    body: Mutex<Option<UnsyncBoxBody<Bytes, io::Error>>>,
    answered: Arc<Mutex<Option<Answered>>>,
}

impl Arrival {
    fn new<B>(body: B) -> Self
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        Self { body: Mutex::new(Some(body.map_err(io::Error::other).boxed_unsync())), answered: Arc::default() }
    }

    /// The whole body. There is none the second time.
    pub(crate) async fn read(&self, max: usize) -> Result<Bytes, Problem> {
        let body = self.body.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(body) = body else { return Ok(Bytes::new()) };
        auth_http::read_body(body, max).await
    }

    /// Rocket's replies have no extensions.
    pub(crate) fn note(&self, answered: Option<&Answered>) {
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = answered.copied();
    }
}

/// A method for Rocket to route by. It knows nine; what is under another one goes where no operation is, and answers for
/// itself.
fn routed_as(method: &http::Method) -> Method {
    match *method {
        http::Method::GET => Method::Get,
        http::Method::HEAD => Method::Head,
        http::Method::POST => Method::Post,
        http::Method::PUT => Method::Put,
        http::Method::PATCH => Method::Patch,
        http::Method::DELETE => Method::Delete,
        _ => Method::Options,
    }
}

/// The path as Rocket takes it: it refuses some characters that hyper lets through, and decodes what it routes by.
fn decodable(head: &Parts) -> String {
    let mut path = String::with_capacity(head.uri.path().len());
    for byte in head.uri.path().bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@%".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    path
}

async fn complete(response: LocalResponse<'_>) -> http::Response<Bytes> {
    let mut reply = http::Response::new(Bytes::new());
    *reply.status_mut() = http::StatusCode::from_u16(response.status().code).unwrap_or_default();
    for header in response.headers().iter() {
        let name = http::HeaderName::from_bytes(header.name.as_str().as_bytes());
        if let (Ok(name), Ok(value)) = (name, http::HeaderValue::from_bytes(header.value().as_bytes())) {
            reply.headers_mut().append(name, value);
        }
    }
    *reply.body_mut() = response.into_bytes().await.unwrap_or_default().into();
    reply
}
