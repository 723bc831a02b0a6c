//! Everything needs a session, unless it is said not to.

use std::sync::Arc;

use auth_http::{AuthHttp, Public, Route};
use axum::extract::{MatchedPath, OriginalUri};
use http::Method;
use http::request::Parts;
use tower::Layer;

use crate::guard::{Guard, Guarded};
use crate::router::unrouted_paths;

/// A layer over a whole application: what isn't marked as public needs a session.
///
/// A mark names a method and a path, as the router has it. So a forgotten mark shows as 401 at the first try, a misspelt one
/// likewise, and another method at a public path stays closed. Nothing becomes public by where it stands.
///
/// ```
/// use auth_axum::Guards;
/// use auth_http::AuthHttp;
/// use axum::{Router, routing::get};
/// use http::Method;
///
/// fn app(auth: &AuthHttp) -> Router {
///     Router::new()
///         .route("/", get(async || "Welcome"))
///         .route("/posts/{id}", get(async || "A post").delete(async || "Gone"))
///         .route("/account", get(async || "Yours"))
///         .merge(auth_axum::router(auth))
///         // Last: a layer is over what was added before it.
///         .layer(auth.deny_by_default().public(Method::GET, "/").public(Method::GET, "/posts/{id}"))
/// }
/// ```
///
/// - What [`router`](crate::router) answers is let through: its operations ask for themselves.
/// - A path without a route is 401 too, so that guests don't learn which there are.
/// - Routes that ask for more have guards of their own, inside.
#[derive(Debug, Clone)]
#[must_use = "a layer is put over an application with `layer`"]
pub struct DenyByDefault {
    http: AuthHttp,
    public: Arc<Public>,
}

impl DenyByDefault {
    pub(crate) fn new(http: &AuthHttp) -> Self {
        let mut public = Public::default();
        let own = http.routes().iter().map(|route| route.path.clone()).chain(unrouted_paths(http));
        own.for_each(|path| public.add_path(path));
        Self { http: http.clone(), public: Arc::new(public) }
    }

    /// Marks a route: `path` as it is given to [`Router::route`](axum::Router::route), with the prefixes of whatever it is
    /// nested in. `HEAD` goes wherever `GET` goes.
    ///
    /// # Panics
    /// Where `path` doesn't begin with a slash.
    pub fn public(mut self, method: Method, path: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.public).add(method, path);
        self
    }

    /// Marks routes of a table, such as [`AuthHttp::root_routes`] where [`root_router`](crate::root_router) is merged.
    pub fn public_routes(self, routes: &[Route]) -> Self {
        routes.iter().fold(self, |layer, route| layer.public(route.method.clone(), route.path.clone()))
    }

    /// Marks `folder` and everything below it, whichever route it comes to: `/assets` with a nested service that serves files.
    ///
    /// # Panics
    /// Where `folder` isn't a path like `/assets`.
    pub fn public_below(mut self, folder: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.public).add_below(folder);
        self
    }
}

/// Whether the request comes to something public, as the router has matched it.
pub(crate) fn is_public(public: &Public, parts: &Parts) -> bool {
    let matched = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
    // Of a router that is nested, the URI says only the rest.
    let sent = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(uri)| uri);
    public.has(parts, matched, sent.path())
}

impl<S> Layer<S> for DenyByDefault {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guard::unless(&self.http, Arc::clone(&self.public)).layer(inner)
    }
}
