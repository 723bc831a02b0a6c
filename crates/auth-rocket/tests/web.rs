//! How a request of the suite reaches Rocket: over a socket, through its own server, which makes other requests of what
//! arrives than its local client does.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use auth_core::port::Limit;
use auth_http::AuthHttp;
use auth_rocket::{Limited, Portcullis, RateLimit, Served};
use auth_testkit::MemoryStore;
use auth_testkit::http::{Mount, Web, World};
use bytes::Bytes;
use http::header::DATE;
use http::{HeaderName, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rocket::fairing::AdHoc;
use rocket::http::Status;
use rocket::log::LogLevel;
use rocket::{Build, Config, Rocket, catch, catchers, get, routes};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::adapters::host::APPLICATIONS;
use crate::adapters::rate_limit::THREE;

/// What is tested here, in the report of what ran.
pub(crate) const SUITE: &str = "http/rocket";

/// On the SQL stores, auth-axum speaks the others.
macro_rules! http_suite_on_sql {
    ($open:ident) => {
        auth_testkit::http_suite!($open: sessions, two_step);
    };
}
pub(crate) use http_suite_on_sql;

/// A system on a store in memory, for tests that aren't the suite's.
pub(crate) async fn world() -> World {
    World::new(&Mount::new(Arc::new(MemoryStore::new()), mounted)).await
}

/// All routes of a server that does nothing else.
pub(crate) fn mounted(http: &AuthHttp) -> Arc<dyn Web> {
    Arc::new(Server::new(auth_rocket::service(http)))
}

/// An application.
pub(crate) type App = Server;

/// An application with limits of its own.
pub(crate) fn rate_limited(auth: &AuthHttp) -> App {
    Server::new(quiet().mount("/", routes![search, suggest, export]).attach(Portcullis::new(auth)))
}

struct Search;

impl Limited for Search {
    const NAME: &'static str = "search";
    const LIMIT: Limit = THREE;
}

struct Export;

impl Limited for Export {
    const NAME: &'static str = "export";
    const LIMIT: Limit = THREE;
}

#[get("/search")]
fn search(_limit: RateLimit<Search>, _again: RateLimit<Search>) -> &'static str {
    "found"
}

#[get("/suggest")]
fn suggest(_limit: RateLimit<Search>) -> &'static str {
    "suggested"
}

#[get("/export")]
fn export(_limit: RateLimit<Export>) -> &'static str {
    "all"
}

/// A server that does nothing else, and isn't Rocket's.
pub(crate) async fn listen(http: &AuthHttp) -> SocketAddr {
    let served = Served::launch(http).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let ((stream, peer), served) = (listener.accept().await.unwrap(), served.clone());
            let answer = service_fn(move |request: Request<Incoming>| {
                let served = served.clone();
                async move { Ok::<_, Infallible>(served.answer(request, Some(peer)).await.map(Full::new)) }
            });
            let server = auto::Builder::new(TokioExecutor::new());
            tokio::spawn(async move { server.serve_connection(TokioIo::new(stream), answer).await });
        }
    });
    address
}

/// Sends a request from `peer`.
pub(crate) async fn send(app: &App, request: Request<Bytes>, peer: IpAddr) -> Response<Bytes> {
    Web::send(app, request, peer).await
}

/// An application of Rocket's, whatever the environment says.
pub(crate) fn quiet() -> Rocket<Build> {
    rocket::custom(Config { log_level: LogLevel::Off, ..Config::debug_default() }).register("/", catchers![own_catcher])
}

/// For whatever Portcullis leaves to the application.
#[catch(default)]
fn own_catcher(status: Status, _: &rocket::Request<'_>) -> String {
    format!("{APPLICATIONS}'s {}", status.code)
}

/// An application behind a socket. It ends with the test's runtime.
pub(crate) struct Server(watch::Receiver<Option<SocketAddr>>);

impl Server {
    pub(crate) fn new(application: Rocket<Build>) -> Self {
        let (tell, told) = watch::channel(None);
        let liftoff = AdHoc::on_liftoff("says where it listens", move |rocket| {
            tell.send_replace(Some(SocketAddr::new(rocket.config().address, rocket.config().port)));
            Box::pin(async {})
        });
        // Clients of the suite come from everywhere.
        let peer = AdHoc::on_request("takes clients from where they say", |request, _| {
            Box::pin(async {
                if let Some(peer) = request.headers().get_one(PEER.as_str()) {
                    request.set_remote(SocketAddr::new(peer.parse().unwrap(), 4711));
                }
            })
        });
        let figment = application.figment().clone().merge(("port", 0)).merge(("log_level", "off"));
        let application = application.configure(figment).attach(liftoff).attach(peer);
        tokio::spawn(async move { application.launch().await.unwrap() });
        Self(told)
    }

    /// Where it listens.
    pub(crate) async fn address(&self) -> SocketAddr {
        self.0.clone().wait_for(Option::is_some).await.unwrap().unwrap()
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        let stream = TcpStream::connect(self.address().await).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let (mut head, body) = sender.send_request(request.map(Full::new)).await.unwrap().into_parts();
        // The server's own, which changes with the second.
        head.headers.remove(DATE).expect("a date");
        Response::from_parts(head, body.collect().await.expect("a whole body").to_bytes())
    }
}

/// In which the suite's requests say where they come from.
const PEER: HeaderName = HeaderName::from_static("x-test-peer");

#[async_trait]
impl Web for Server {
    async fn send(&self, mut request: Request<Bytes>, peer: IpAddr) -> Response<Bytes> {
        request.headers_mut().insert(PEER, peer.to_string().parse().unwrap());
        Self::send(self, request).await
    }
}
