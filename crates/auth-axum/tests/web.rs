//! How a request of the suite reaches the router.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use auth_axum::Guards;
use auth_http::AuthHttp;
use auth_testkit::MemoryStore;
use auth_testkit::http::{Mount, Web, World};
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::routing::get;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use tokio::net::TcpListener;
use tower::ServiceExt;

use crate::adapters::rate_limit::THREE;

/// What is tested here, in the report of what ran.
pub(crate) const SUITE: &str = "http/axum";

/// A system on a store in memory, for tests that aren't the suite's.
pub(crate) async fn world() -> World {
    World::new(&Mount::new(Arc::new(MemoryStore::new()), mounted)).await
}

/// An application.
pub(crate) type App = Router;

/// All routes of a server that does nothing else.
pub(crate) fn mounted(http: &AuthHttp) -> Arc<dyn Web> {
    Arc::new(Axum(auth_axum::service(http)))
}

/// An application with limits of its own.
pub(crate) fn rate_limited(auth: &AuthHttp) -> App {
    Router::new()
        .route("/search", get(async || "found"))
        .route("/suggest", get(async || "suggested"))
        .route_layer(auth.rate_limit("search", THREE))
        .route("/export", get(async || "all").layer(auth.rate_limit("export", THREE)))
}

/// A server that does nothing else.
pub(crate) async fn listen(http: &AuthHttp) -> SocketAddr {
    let app = auth_axum::service(http).into_make_service_with_connect_info::<SocketAddr>();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// Sends a request from `peer`.
pub(crate) async fn send(app: &App, mut request: Request<Bytes>, peer: IpAddr) -> Response<Bytes> {
    request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer, 4711)));
    let Ok(response) = app.clone().oneshot(request.map(Body::from)).await;
    let (head, body) = response.into_parts();
    Response::from_parts(head, body.collect().await.expect("a whole body").to_bytes())
}

struct Axum(Router);

#[async_trait]
impl Web for Axum {
    async fn send(&self, request: Request<Bytes>, peer: IpAddr) -> Response<Bytes> {
        send(&self.0, request, peer).await
    }
}
