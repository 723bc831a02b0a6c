//! Systems and applications under test.

use std::net::SocketAddr;
use std::sync::Arc;

use auth_axum::Guards;
use auth_http::AuthHttp;
use auth_testkit::MemoryStore;
use auth_testkit::http::{Mount, World};
use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::adapters::rate_limit::THREE;
pub(crate) use crate::mounted::{mounted, send};

/// What is tested here, in the report of what ran.
pub(crate) const SUITE: &str = "http/axum";

/// On the SQL stores, auth-rocket speaks the others.
macro_rules! http_suite_on_sql {
    ($open:ident) => {
        auth_testkit::http_suite!($open: tokens, service);
    };
}
pub(crate) use http_suite_on_sql;

/// A system on a store in memory, for tests that aren't the suite's.
pub(crate) async fn world() -> World {
    World::new(&Mount::new(Arc::new(MemoryStore::new()), mounted)).await
}

/// An application.
pub(crate) type App = Router;

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
