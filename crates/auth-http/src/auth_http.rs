//! The whole wire, put together.

use std::fmt;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use auth_core::Auth;
use auth_core::domain::{Context, Signed};
use auth_core::flow::throttle;
use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, HeaderValue, USER_AGENT, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response};
use ipnet::IpNet;

use crate::origin::Origin;
use crate::problem::Problem;
use crate::profile::{InvalidProfile, Profile};
use crate::readiness::Readiness;
use crate::request::{self, Incoming};
use crate::request_id::X_REQUEST_ID;
use crate::route::{Operation, Route};
use crate::settings::HttpSettings;
use crate::{bearer, client, cors, endpoint, misdirected, origin, page, request_id, span};

/// The operations of one profile over HTTP, for any framework: `http::Request<Bytes>` in, `http::Response<Bytes>` out.
///
/// An adapter folds [`routes`](Self::routes) into its router, reads bodies up to [`Route::max_body`], and hands each
/// request to [`handle`](Self::handle), or to [`unrouted`](Self::unrouted) where no route takes it. Replies are complete:
/// an adapter adds and changes nothing.
///
/// Cheap to clone.
#[derive(Clone)]
pub struct AuthHttp(Arc<Inner>);

struct Inner {
    auth: Arc<Auth>,
    profile: Profile,
    routes: Vec<Route>,
    root_routes: Vec<Route>,
    origins: Vec<Origin>,
    settings: HttpSettings,
    readiness: Readiness,
}

impl AuthHttp {
    /// Puts the operations of `profile` on the wire.
    ///
    /// # Errors
    /// [`SetupError`] when the profile, an address among the core's settings, or a network of proxies makes no sense.
    pub fn new(auth: Arc<Auth>, profile: Profile, settings: HttpSettings) -> Result<Self, SetupError> {
        let routes = profile.routes()?;
        let root_route =
            |(operation, path): &(Operation, &str)| Route::new(Method::GET, (*path).to_owned(), *operation);
        let mut root_routes: Vec<Route> = Operation::ROOT.iter().map(root_route).collect();
        // A frontend of its own has its own pages; it may stand at this very address, and then leaves these out.
        if auth.settings().frontend_url == auth.settings().public_url {
            let page = |(operation, method, path): &(Operation, Method, &str)| {
                Route::new(method.clone(), (*path).to_owned(), *operation)
            };
            root_routes.extend(Operation::PAGES.iter().map(page));
        }
        if let Some(network) = client::everybody(&settings.trusted_proxies) {
            return Err(SetupError::Proxies(network));
        }
        let core = auth.settings();
        let mut origins = origin::own(&core.public_url, &core.frontend_url, settings.loopback_only)?;
        origins.extend(settings.allowed_origins.iter().cloned());
        let readiness = Readiness::default();
        Ok(Self(Arc::new(Inner { auth, profile, routes, root_routes, origins, settings, readiness })))
    }

    /// The profile's operations, below its prefix.
    pub fn routes(&self) -> &[Route] {
        &self.0.routes
    }

    /// The operations at the server's root: signing keys, probes, and, where links in mail lead to the public address, the
    /// pages for them. A host that has its own leaves them out.
    pub fn root_routes(&self) -> &[Route] {
        &self.0.root_routes
    }

    /// What every path of [`routes`](Self::routes) begins with.
    pub fn prefix(&self) -> &str {
        &self.0.profile.prefix
    }

    /// The core behind it, for a host's own handlers.
    pub fn auth(&self) -> &Arc<Auth> {
        &self.0.auth
    }

    /// Answers a request that `route` takes. `peer` is the other end of the connection; where an adapter isn't told of it,
    /// all clients share the throttles of one, and the log says so.
    ///
    /// Never panics: what panics inside is logged and answered with 500.
    pub async fn handle(&self, route: &Route, request: Request<Bytes>, peer: Option<IpAddr>) -> Response<Bytes> {
        let (head, body) = request.into_parts();
        let caller = self.caller(&head.headers);
        let (method, request_id) = (head.method.clone(), caller.request_id.clone());
        span::answer(route, &method, &request_id, self.handle_in_span(caller, route, head, body, peer)).await
    }

    async fn handle_in_span(
        &self,
        caller: Caller,
        route: &Route,
        head: Parts,
        body: Bytes,
        peer: Option<IpAddr>,
    ) -> Response<Bytes> {
        let is_head = head.method == Method::HEAD;
        // The flows keep no state of their own between requests, so none can be left half changed by a panic.
        let work = AssertUnwindSafe(self.answer(route, head, body, peer, &caller.request_id)).catch_unwind();
        let outcome = work.await.unwrap_or_else(|_| Err(Problem::internal("a handler panicked")));
        let outcome = match outcome {
            Err(problem) if route.operation.is_page() => {
                problem.log(&caller.request_id);
                Ok(page::of_problem(problem, &caller.request_id))
            }
            outcome => outcome,
        };
        let mut response = caller.finish(outcome);
        if is_head {
            drop_body(&mut response);
        }
        response
    }

    /// Answers a request that no route takes: a preflight, 405 where the path exists, else 404.
    pub fn unrouted(&self, head: &Parts) -> Response<Bytes> {
        let caller = self.caller(&head.headers);
        let request_id = caller.request_id.clone();
        let mut response = span::unrouted(&head.method, &request_id, || caller.finish(self.answer_unrouted(head)));
        if head.method == Method::HEAD {
            drop_body(&mut response);
        }
        response
    }

    /// The session behind the request's credential, with its user: one read.
    ///
    /// # Errors
    /// 401 where there is no credential or a dead one; 500 or 503 where the store can't say.
    pub async fn identify(&self, headers: &HeaderMap) -> Result<Signed, Problem> {
        endpoint::signed(&self.0.auth, headers).await
    }

    /// Whether the request carries a credential, live or dead: without one, [`identify`](Self::identify) is 401.
    pub fn has_credential(&self, headers: &HeaderMap) -> bool {
        bearer::is_present(headers)
    }

    /// A problem as a complete reply to the request with those headers: for adapters and for a host's own handlers.
    pub fn reject(&self, problem: Problem, headers: &HeaderMap) -> Response<Bytes> {
        self.caller(headers).finish(Err(problem))
    }

    async fn answer(
        &self,
        route: &Route,
        head: Parts,
        body: Bytes,
        peer: Option<IpAddr>,
        request_id: &str,
    ) -> Result<Response<Bytes>, Problem> {
        self.admit(&head)?;
        let Inner { auth, settings, readiness, .. } = &*self.0;
        let ip = client::address(peer, &head.headers, &settings.trusted_proxies);
        let user_agent = head.headers.get(USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
        let context = Context::new(Some(ip), user_agent.as_deref(), Some(request_id.to_owned()));
        if !route.operation.is_probe() {
            throttle::admit(auth, &context).await?;
        }
        let media_type = if route.operation.is_page() { page::FORM } else { request::JSON };
        request::check_body(&head.headers, &body, route.max_body, media_type)?;
        let parameter = route.parameter(head.uri.path()).unwrap_or_default().to_owned();
        let query = head.uri.query().unwrap_or_default().to_owned();
        let incoming = Incoming { headers: head.headers, context, parameter, query, body };
        endpoint::answer(route.operation, auth, readiness, incoming).await
    }

    fn answer_unrouted(&self, head: &Parts) -> Result<Response<Bytes>, Problem> {
        self.admit(head)?;
        let routes = self.0.routes.iter().chain(&self.0.root_routes);
        let mut methods: Vec<&str> = Vec::new();
        for route in routes.filter(|route| route.parameter(head.uri.path()).is_some()) {
            methods.push(route.method.as_str());
            if route.method == Method::GET {
                methods.push("HEAD");
            }
        }
        match methods.join(", ") {
            methods if methods.is_empty() => Err(Problem::not_found()),
            methods if cors::is_preflight(&head.method, &head.headers) => Ok(cors::preflight(&methods)),
            methods => Err(Problem::method_not_allowed(methods)),
        }
    }

    /// What every request has to pass, whether or not there is anything at its path.
    fn admit(&self, head: &Parts) -> Result<(), Problem> {
        if self.0.settings.loopback_only {
            misdirected::check(&head.uri, &head.headers)?;
        }
        origin::check(&head.method, &head.headers, &self.0.origins)
    }

    fn caller(&self, headers: &HeaderMap) -> Caller {
        let request_id = request_id::of(headers).map_or_else(|| self.0.auth.new_request_id(), str::to_owned);
        Caller { request_id, origin: cors::allowed(headers, &self.0.origins) }
    }
}

/// Makes the reply to GET one to HEAD, which says how long the body would be (RFC 9110 §9.3.2).
fn drop_body(response: &mut Response<Bytes>) {
    let length = HeaderValue::from(response.body().len());
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response.body_mut().clear();
}

/// What a reply needs to know of its request.
struct Caller {
    request_id: String,
    origin: Option<HeaderValue>,
}

impl Caller {
    /// Makes a reply of an outcome, and adds what every reply carries.
    fn finish(self, outcome: Result<Response<Bytes>, Problem>) -> Response<Bytes> {
        let mut response = outcome.unwrap_or_else(|problem| {
            problem.log(&self.request_id);
            problem.into_response(&self.request_id)
        });
        let headers = response.headers_mut();
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.extend(HeaderValue::from_str(&self.request_id).ok().map(|id| (X_REQUEST_ID, id)));
        cors::mark(headers, self.origin);
        response
    }
}

impl fmt::Debug for AuthHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthHttp").field("profile", &self.0.profile).finish_non_exhaustive()
    }
}

/// The parts can't be put on the wire.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The profile makes no sense.
    #[error(transparent)]
    Profile(#[from] InvalidProfile),
    /// The public address is none of HTTP's, or the frontend's is no URL.
    #[error("{0:?} is no absolute URL that will do")]
    Address(String),
    /// Everybody is said to be a proxy of ours.
    #[error("{0} among the proxies would believe everybody")]
    Proxies(IpNet),
}
