//! The whole wire, put together.

use std::fmt;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};

use auth_core::Auth;
use auth_core::domain::{Context, Signed};
use auth_core::flow::throttle;
use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, HeaderValue, USER_AGENT, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response};
use ipnet::IpNet;
use serde_json::Value;

use crate::identity::{self, Identified, Use};
use crate::mount::{self, Mount};
use crate::openapi::{Document, Wire};
use crate::origin::Origin;
use crate::problem::{Problem, ProblemCode};
use crate::profile::{InvalidProfile, Profile};
use crate::readiness::Readiness;
use crate::request::{self, Incoming};
use crate::request_id::X_REQUEST_ID;
use crate::route::{Access, Operation, Route};
use crate::settings::HttpSettings;
use crate::{client, cors, csrf, endpoint, misdirected, origin, page, reply, request_id, span};

/// The operations of one or several profiles over HTTP, for any framework: `http::Request<Bytes>` in,
/// `http::Response<Bytes>` out.
///
/// An adapter folds [`routes`](Self::routes) into its router, reads bodies up to [`Route::max_body`], and hands each
/// request to [`handle`](Self::handle), or to [`unrouted`](Self::unrouted) where no route takes it. Replies are complete:
/// an adapter adds and changes nothing.
///
/// Cheap to clone.
#[derive(Clone)]
pub struct AuthHttp(Arc<Inner>);

struct Inner {
    mounts: Vec<Arc<Mount>>,
    routes: Vec<Route>,
    root_routes: Vec<Route>,
    origins: Vec<Origin>,
    settings: HttpSettings,
    readiness: Readiness,
    document: OnceLock<Document>,
}

impl AuthHttp {
    /// Puts the operations of each of `profiles` on the wire, below its prefix.
    ///
    /// What a profile decides for itself, such as how long its sessions live, overrides the core's settings.
    ///
    /// # Errors
    /// [`SetupError`] when the profiles, an address among the core's settings, or a network of proxies make no sense.
    #[expect(clippy::needless_pass_by_value, reason = "handed over: what is kept is a core for each profile")]
    pub fn new(
        auth: Arc<Auth>,
        profiles: impl IntoIterator<Item = Profile>,
        settings: HttpSettings,
    ) -> Result<Self, SetupError> {
        let (mounts, routes) = mount::all(&auth, profiles)?;
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
        let (readiness, document) = (Readiness::default(), OnceLock::new());
        Ok(Self(Arc::new(Inner { mounts, routes, root_routes, origins, settings, readiness, document })))
    }

    /// The profiles' operations, each below its prefix.
    pub fn routes(&self) -> &[Route] {
        &self.0.routes
    }

    /// The operations at the server's root: signing keys, probes, and, where links in mail lead to the public address, the
    /// pages for them. A host that has its own leaves them out.
    pub fn root_routes(&self) -> &[Route] {
        &self.0.root_routes
    }

    /// The profiles, as they were given: at least one. Every path of [`routes`](Self::routes) begins with the prefix of
    /// one of them, and none with two.
    pub fn profiles(&self) -> impl ExactSizeIterator<Item = &Profile> {
        self.0.mounts.iter().map(|mount| &mount.profile)
    }

    /// The core behind it, for a host's own handlers; under the settings of the first profile.
    pub fn auth(&self) -> &Arc<Auth> {
        &self.first().auth
    }

    /// The OpenAPI 3.1 document of all routes, those at the root included: what `/openapi.json` answers with.
    pub fn openapi(&self) -> &Value {
        &self.document().value
    }

    pub(crate) fn document(&self) -> &Document {
        let Inner { mounts, routes, root_routes, settings, document, .. } = &*self.0;
        document
            .get_or_init(|| Document::new(&Wire { mounts, routes, root_routes, loopback_only: settings.loopback_only }))
    }

    pub(crate) fn readiness(&self) -> &Readiness {
        &self.0.readiness
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

    /// The session behind the request's credential, with its user: one read, or none where a cache has a copy. `peer` is the
    /// other end of the connection.
    ///
    /// Taken is what any of the profiles delivers: an access token in `Authorization`, or else a session cookie. What a
    /// browser authenticates by cookie has to come from an origin of ours and, where the method is unsafe and the profile
    /// says so, with the session's CSRF token in `X-CSRF-Token`.
    ///
    /// # Errors
    /// 401 where there is no credential or a dead one; 403 for another site's request; 500 or 503 where the store can't
    /// say.
    pub async fn identify(&self, head: &Parts, peer: Option<IpAddr>) -> Result<Identified, Problem> {
        self.identify_form(head, peer, None).await
    }

    /// The same, for what a form of the host's own sends: its field `csrf_token` will do in place of the header. See
    /// [`csrf`](crate::csrf).
    ///
    /// # Errors
    /// As [`identify`](Self::identify).
    pub async fn identify_form(
        &self,
        head: &Parts,
        peer: Option<IpAddr>,
        csrf_token: Option<&str>,
    ) -> Result<Identified, Problem> {
        let mount = self.presented_by_us(head)?.ok_or_else(Problem::unauthorized)?;
        let for_what = Use::by_method(head);
        identity::identify(mount, head, csrf_token, for_what, &self.context(&head.headers, peer)).await
    }

    /// The same, for what guests may ask for too: `None` where there is no credential. A session cookie that is dead
    /// counts as none, since its browser goes on sending it; a dead access token doesn't, so that its client notices.
    /// `csrf_token` is as for [`identify_form`](Self::identify_form).
    ///
    /// # Errors
    /// As [`identify`](Self::identify), otherwise.
    pub async fn identify_optional(
        &self,
        head: &Parts,
        peer: Option<IpAddr>,
        csrf_token: Option<&str>,
    ) -> Result<Option<Identified>, Problem> {
        let Some(mount) = self.presented(&head.headers) else { return Ok(None) };
        unless_dead_cookie(mount, self.identify_form(head, peer, csrf_token).await)
    }

    /// The same, for where no cookie can be set, such as a framework's extractor: a browser keeps its secret, also after a
    /// change of role, until a request that can be given another.
    ///
    /// # Errors
    /// As [`identify`](Self::identify), otherwise.
    pub async fn recognise(&self, head: &Parts) -> Result<Option<Arc<Signed>>, Problem> {
        let Some(mount) = self.presented_by_us(head)? else { return Ok(None) };
        unless_dead_cookie(mount, identity::authenticated(mount, head, None, Use::by_method(head)).await)
    }

    /// Whether [`identify_form`](Self::identify_form) depends on what the body has in the field `csrf_token`: a form that a
    /// browser authenticates by cookie, under a profile that wants the token, without the header. Other bodies needn't be
    /// read for it.
    pub fn wants_form_field(&self, head: &Parts) -> bool {
        let wants_token =
            self.presented(&head.headers).is_some_and(|mount| mount.cookies.is_some() && mount.profile.csrf_token);
        wants_token
            && !head.method.is_safe()
            && !head.headers.contains_key(csrf::HEADER)
            && request::is_form(&head.headers)
    }

    /// Refuses what another site makes a browser send, whether or not anybody is signed in.
    ///
    /// # Errors
    /// 403 for an unsafe method from a foreign origin.
    pub fn check_origin(&self, head: &Parts) -> Result<(), Problem> {
        origin::check(&head.method, &head.headers, &self.0.origins)
    }

    /// Whether the request carries a credential, live or dead: without one, [`identify`](Self::identify) is 401.
    pub fn has_credential(&self, headers: &HeaderMap) -> bool {
        self.presented(headers).is_some()
    }

    /// The CSRF token of a session, for a host's own forms and pages: see [`csrf`](crate::csrf).
    pub fn csrf_token(&self, signed: &Signed) -> String {
        self.first().auth.csrf_token(&signed.session)
    }

    /// Refuses a request that `route` takes, before it was read whole: for adapters.
    pub async fn refuse(&self, route: &Route, head: &Parts, problem: Problem) -> Response<Bytes> {
        let caller = self.caller(&head.headers);
        let request_id = caller.request_id.clone();
        span::answer(route, &head.method, &request_id, async { caller.finish(Err(problem)) }).await
    }

    /// A problem as a complete reply to the request with those headers: for adapters and for a host's own handlers.
    pub fn reject(&self, problem: Problem, headers: &HeaderMap) -> Response<Bytes> {
        self.caller(headers).finish(Err(problem))
    }

    /// Who asks, for audit entries and throttles: of a request that comes from `peer`.
    pub fn context(&self, headers: &HeaderMap, peer: Option<IpAddr>) -> Context {
        self.context_of(self.caller(headers).request_id, headers, peer)
    }

    fn context_of(&self, request_id: String, headers: &HeaderMap, peer: Option<IpAddr>) -> Context {
        let ip = client::address(peer, headers, &self.0.settings.trusted_proxies);
        let user_agent = headers.get(USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
        Context::new(Some(ip), user_agent.as_deref(), Some(request_id))
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
        let mount = self.0.mounts.get(route.profile).ok_or_else(|| Problem::internal("a route of another table"))?;
        let context = self.context_of(request_id.to_owned(), &head.headers, peer);
        if !route.operation.is_probe() {
            throttle::admit(&mount.auth, &context).await?;
        }
        let media_type = if route.operation.is_page() { page::FORM } else { request::JSON };
        request::check_body(&head.headers, &body, route.max_body, media_type)?;
        let parameters = route.parameters(head.uri.path()).unwrap_or_default();
        let access = route.operation.access();
        let identified = match access {
            Access::Anybody => None,
            Access::Guest => {
                identity::expect_nobody(mount, &head).await?;
                None
            }
            // What is more than looking at what is one's own asks the store.
            _ => {
                let for_what = Use::of_ours(access, &head);
                Some(identity::identify(mount, &head, None, for_what, &context).await?)
            }
        };
        let (signed, set_cookies) =
            identified.map_or_else(Default::default, |found| (Some(found.signed), found.set_cookies));
        let work = async {
            if let Some(signed) = &signed {
                identity::admit(mount, signed, access, &context).await?;
            }
            let names = mount.profile.field_names;
            let incoming = Incoming { head, context, parameters, signed, body, names };
            endpoint::answer(route.operation, mount, self, incoming).await
        };
        let outcome = work.await.map(|response| mount.profile.field_names.in_reply(response));
        // The cookies go along whatever comes of it: the secret that the browser holds is dead.
        reply::carrying(set_cookies, outcome, request_id)
    }

    fn answer_unrouted(&self, head: &Parts) -> Result<Response<Bytes>, Problem> {
        self.admit(head)?;
        let routes = self.0.routes.iter().chain(&self.0.root_routes);
        let mut at_path: Vec<_> = routes.filter(|route| route.parameters(head.uri.path()).is_some()).collect();
        // What has a path of its own is no parameter of another's: `/sessions/report` is no `/sessions/{id}`.
        if at_path.iter().any(|route| !route.path.contains('{')) {
            at_path.retain(|route| !route.path.contains('{'));
        }
        let mut methods: Vec<&str> = Vec::new();
        for route in at_path {
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
        let request_id = request_id::of(headers).map_or_else(|| self.auth().new_request_id(), str::to_owned);
        let has_cookies = self.0.mounts.iter().any(|mount| mount.cookies.is_some());
        Caller { request_id, origin: cors::allowed(headers, &self.0.origins), has_cookies }
    }

    /// The profile by whose rules the request carries a credential.
    fn presented(&self, headers: &HeaderMap) -> Option<&Arc<Mount>> {
        let presented = self.0.mounts.iter().filter(|mount| identity::is_presented(mount, headers));
        // A token decides before any cookie: somebody put it there for this request.
        presented.min_by_key(|mount| mount.cookies.is_some())
    }

    /// The same, unless another site made a browser send it along.
    fn presented_by_us(&self, head: &Parts) -> Result<Option<&Arc<Mount>>, Problem> {
        let mount = self.presented(&head.headers);
        if mount.is_some_and(|mount| mount.cookies.is_some()) {
            self.check_origin(head)?;
        }
        Ok(mount)
    }

    fn first(&self) -> &Mount {
        // `mount::all` refuses to make none.
        &self.0.mounts[0]
    }
}

/// `None` for a session cookie that is dead.
fn unless_dead_cookie<T>(mount: &Mount, outcome: Result<T, Problem>) -> Result<Option<T>, Problem> {
    match outcome {
        Err(problem) if mount.cookies.is_some() && problem.code() == ProblemCode::Unauthorized => Ok(None),
        outcome => outcome.map(Some),
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
    has_cookies: bool,
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
        cors::mark(headers, self.origin, self.has_cookies);
        response
    }
}

impl fmt::Debug for AuthHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.profiles()).finish()
    }
}

/// The parts can't be put on the wire.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A profile makes no sense.
    #[error(transparent)]
    Profile(#[from] InvalidProfile),
    /// There is none.
    #[error("no profile is to be served")]
    NoProfile,
    /// The prefixes of two profiles are one, or lie within each other.
    #[error("two profiles would answer below {0} and {1}: move one of them")]
    Prefixes(String, String),
    /// Two profiles have a cookie of that name, each with other attributes.
    #[error("two profiles have different cookies called {0}")]
    Cookie(String),
    /// What a profile sets contradicts itself, or what browsers take: a sentence for each mistake.
    #[error("{}", .0.join("; "))]
    Settings(Vec<String>),
    /// The public address is none of HTTP's, or the frontend's is no URL.
    #[error("{0:?} is no absolute URL that will do")]
    Address(String),
    /// Everybody is said to be a proxy of ours.
    #[error("{0} among the proxies would believe everybody")]
    Proxies(IpNet),
}
