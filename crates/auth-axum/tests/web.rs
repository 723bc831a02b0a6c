//! How a request of the suite reaches the router.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use auth_http::AuthHttp;
use auth_testkit::MemoryStore;
use auth_testkit::http::{Mount, Web, World};
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use tower::ServiceExt;

/// A system on a store in memory, for tests that aren't the suite's.
pub(crate) async fn world() -> World {
    World::new(&Mount::new(Arc::new(MemoryStore::new()), axum)).await
}

/// All routes of a server that does nothing else.
pub(crate) fn axum(http: &AuthHttp) -> Arc<dyn Web> {
    Arc::new(Axum(auth_axum::service(http)))
}

struct Axum(Router);

#[async_trait]
impl Web for Axum {
    async fn send(&self, mut request: Request<Bytes>, peer: IpAddr) -> Response<Bytes> {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer, 4711)));
        let Ok(response) = self.0.clone().oneshot(request.map(Body::from)).await;
        let (head, body) = response.into_parts();
        Response::from_parts(head, body.collect().await.expect("a whole body").to_bytes())
    }
}
