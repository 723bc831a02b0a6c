//! The route table as an axum router.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use auth_http::{AuthHttp, Route};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, any};
use bytes::Bytes;

/// The operations of the profiles, each below its prefix, for an application's router to merge.
///
/// - Every path below a prefix is answered here, with a problem where there is nothing: axum's own 404 and 405, which
///   have no body, are not seen. Paths outside remain the application's.
/// - Serve with `into_make_service_with_connect_info::<SocketAddr>()`. Without the peers' addresses all clients share
///   the throttles of one, and the log says so.
pub fn router<S: Clone + Send + Sync + 'static>(http: &AuthHttp) -> Router<S> {
    let unrouted_paths = unrouted_paths(http).into_iter();
    unrouted_paths.fold(table(http, http.routes()), |router, path| router.route(&path, any(unrouted(http.clone()))))
}

/// The paths that take up what no route below a prefix does. Not `nest`, whose prefix with a slash after it would be
/// axum's bare 404.
pub(crate) fn unrouted_paths(http: &AuthHttp) -> Vec<String> {
    let prefixes = http.profiles().map(|profile| &profile.prefix);
    let paths = prefixes.flat_map(|prefix| [prefix.clone(), format!("{prefix}/"), format!("{prefix}/{{*rest}}")]);
    paths.filter(|path| !http.routes().iter().any(|route| route.path == *path)).collect()
}

/// The operations at the server's root, for an application that has no probes of its own: `/.well-known/jwks.json`,
/// `/openapi.json`, `/openapi`, `/healthz`, `/readyz`.
pub fn root_router<S: Clone + Send + Sync + 'static>(http: &AuthHttp) -> Router<S> {
    table(http, http.root_routes())
}

/// Both of them, and a problem for every other path: all that a server needs that does nothing else.
pub fn service(http: &AuthHttp) -> Router {
    root_router(http).merge(router(http)).fallback(unrouted(http.clone()))
}

/// One method router for each path: axum takes a path only once.
fn table<S: Clone + Send + Sync + 'static>(http: &AuthHttp, routes: &[Route]) -> Router<S> {
    let mut paths = BTreeMap::<&str, MethodRouter<S>>::new();
    for route in routes {
        // A profile takes no method that axum has no filter for.
        let Ok(filter) = MethodFilter::try_from(route.method.clone()) else { continue };
        // `any`, and not a fallback: to whatever that answers axum would add an `Allow` of its own.
        let methods = paths.remove(route.path.as_str()).unwrap_or_else(|| any(unrouted(http.clone())));
        paths.insert(&route.path, methods.on(filter, routed(http.clone(), route.clone())));
    }
    paths.into_iter().fold(Router::new(), |router, (path, methods)| router.route(path, methods))
}

fn routed(http: AuthHttp, route: Route) -> impl Fn(Request) -> BoxFuture + Clone + Send + Sync + 'static {
    let shared = std::sync::Arc::new((http, route));
    move |request| {
        let shared = shared.clone();
        Box::pin(async move { handle(&shared.0, &shared.1, request).await.map(Body::from) })
    }
}

fn unrouted(http: AuthHttp) -> impl Fn(Request) -> BoxFuture + Clone + Send + Sync + 'static {
    move |request: Request| {
        let http = http.clone();
        Box::pin(async move { http.unrouted(&request.into_parts().0).map(Body::from) })
    }
}

type BoxFuture = std::pin::Pin<Box<dyn Future<Output = Response> + Send>>;

async fn handle(http: &AuthHttp, route: &Route, request: Request) -> http::Response<Bytes> {
    let (head, body) = request.into_parts();
    let peer = peer(&head.extensions);
    match auth_http::read_body(body, route.max_body).await {
        Ok(body) => http.handle(route, Request::from_parts(head, body), peer).await,
        Err(problem) => http.refuse(route, &head, problem).await,
    }
}

/// The other end of the connection, where the server was told to note it.
pub(crate) fn peer(extensions: &http::Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip())
}
