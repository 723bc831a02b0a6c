//! Everything needs a session, unless it is said not to.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use auth_http::{AuthHttp, Route};
use axum::extract::{MatchedPath, OriginalUri};
use http::Method;
use http::request::Parts;
use tower::Layer;

use crate::guard::{Check, Guard, Guarded};
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

/// What needs no session.
#[derive(Debug, Clone, Default)]
pub(crate) struct Public {
    /// Answered by Portcullis itself, whatever the method.
    own: HashSet<String>,
    routes: HashMap<String, Vec<Method>>,
    folders: Vec<String>,
}

impl DenyByDefault {
    pub(crate) fn new(http: &AuthHttp) -> Self {
        let own = http.routes().iter().map(|route| route.path.clone()).chain(unrouted_paths(http));
        let public = Public { own: own.collect(), ..Public::default() };
        Self { http: http.clone(), public: Arc::new(public) }
    }

    /// Marks a route: `path` as it is given to [`Router::route`](axum::Router::route), with the prefixes of whatever it is
    /// nested in. `HEAD` goes wherever `GET` goes.
    ///
    /// # Panics
    /// Where `path` doesn't begin with a slash.
    pub fn public(mut self, method: Method, path: impl Into<String>) -> Self {
        let path = path.into();
        assert!(path.starts_with('/'), "paths begin with a slash, unlike {path:?}");
        Arc::make_mut(&mut self.public).routes.entry(path).or_default().push(method);
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
        let folder = folder.into();
        let is_folder = folder.len() > 1 && folder.starts_with('/') && !folder.ends_with('/') && !folder.contains('{');
        assert!(is_folder, "no path like /assets: {folder:?}");
        Arc::make_mut(&mut self.public).folders.push(folder);
        self
    }
}

impl Public {
    /// Whether the request comes to something public, as the router has matched it.
    pub(crate) fn has(&self, parts: &Parts) -> bool {
        let is_route = parts.extensions.get::<MatchedPath>().is_some_and(|path| {
            let method = if parts.method == Method::HEAD { &Method::GET } else { &parts.method };
            let methods = self.routes.get(path.as_str());
            self.own.contains(path.as_str()) || methods.is_some_and(|methods| methods.contains(method))
        });
        // Of a router that is nested, the URI says only the rest.
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(uri)| uri);
        let is_below = |folder: &String| {
            uri.path().strip_prefix(folder.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        is_route || self.folders.iter().any(is_below)
    }
}

impl<S> Layer<S> for DenyByDefault {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guard::new(&self.http, Check::UnlessPublic(Arc::clone(&self.public))).layer(inner)
    }
}
