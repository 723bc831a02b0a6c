//! How a request of the suite reaches the router. For auth-rocket's tests too, which compare.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use auth_http::AuthHttp;
use auth_testkit::http::Web;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use tower::ServiceExt;

/// All routes of a server that does nothing else.
pub(crate) fn mounted(http: &AuthHttp) -> Arc<dyn Web> {
    Arc::new(Axum(auth_axum::service(http)))
}

/// Sends a request from `peer`.
pub(crate) async fn send(app: &Router, mut request: Request<Bytes>, peer: IpAddr) -> Response<Bytes> {
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
