//! The route table as Rocket's routes.

use auth_http::AuthHttp;
use rocket::catcher::{self, Catcher};
use rocket::data::Data;
use rocket::http::{Method, Status};
use rocket::route::{Handler, Outcome, Route};
use rocket::{Request, Response};

use crate::exchange::Exchange;
use crate::reply::{read, response};

/// Before whatever the application has at the same path, as its own routes would be in the way of sign-in.
const OPERATIONS: isize = -4_000_000;

/// After whatever the application has below a prefix, its file servers included.
pub(crate) const AFTER_ALL: isize = 100;

/// A route for each operation.
///
/// Each has a rank of its own, those with fewer parameters first: two of one rank that a path may match keep an application
/// from launching.
pub(crate) fn operations(http: &AuthHttp, with_root: bool) -> Vec<Route> {
    let root = if with_root { http.root_routes() } else { &[] };
    let mut routes: Vec<_> = http.routes().iter().chain(root).collect();
    let is_parameter = |segment: &str| segment.starts_with('{');
    routes.sort_by_key(|route| route.path.split('/').map(is_parameter).collect::<Vec<_>>());
    let operation = |(rank, route): (isize, &auth_http::Route)| {
        let handler = Operation { http: http.clone(), route: route.clone() };
        let method = METHODS.into_iter().find(|method| method.as_str() == route.method.as_str())?;
        let path = route.path.replace('{', "<").replace('}', ">");
        let mut mounted = Route::ranked(OPERATIONS + rank, method, &path, handler);
        mounted.name = Some(format!("{:?}", route.operation).into());
        Some(mounted)
    };
    (0..).zip(routes).filter_map(operation).collect()
}

/// What takes up whatever no operation below `prefix` does, under every method: Rocket's own 404 is a page.
///
/// Not under `HEAD`, which Rocket tries as `GET` where no route is for it.
pub(crate) fn unrouted(http: &AuthHttp, prefix: &str, rank: isize) -> Vec<Route> {
    let route = |method| {
        let mut route = Route::ranked(rank, method, &format!("{prefix}/<path..>"), Unrouted(http.clone()));
        route.name = Some("no operation".into());
        route
    };
    METHODS.into_iter().filter(|method| *method != Method::Head).map(route).collect()
}

/// What answers requests below a prefix that Rocket doesn't route at all: those under a method that it doesn't know.
pub(crate) fn salvaged(http: &AuthHttp) -> Catcher {
    let mut catcher = Catcher::new(Status::BadRequest.code, Unrouted(http.clone()));
    catcher.name = Some("no method of Rocket's".into());
    catcher
}

pub(crate) const METHODS: [Method; 9] = [
    Method::Get,
    Method::Head,
    Method::Post,
    Method::Put,
    Method::Patch,
    Method::Delete,
    Method::Options,
    Method::Trace,
    Method::Connect,
];

#[derive(Clone)]
struct Operation {
    http: AuthHttp,
    route: auth_http::Route,
}

#[rocket::async_trait]
impl Handler for Operation {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        let exchange = Exchange::of(request);
        let head = exchange.head(request);
        // Rocket takes `//me`, `/me/` and `/%6De` for `/me`.
        if !self.route.takes(head.uri.path()) {
            return Outcome::Forward((data, Status::NotFound));
        }
        let peer = request.remote().map(|address| address.ip());
        let reply = match read(request, data, self.route.max_body).await {
            Ok(body) => self.http.handle(&self.route, http::Request::from_parts(head.clone(), body), peer).await,
            Err(problem) => self.http.refuse(&self.route, head, problem).await,
        };
        if let Some(arrival) = exchange.arrival() {
            arrival.note(reply.extensions().get());
        }
        Outcome::Success(response(reply))
    }
}

#[derive(Clone)]
struct Unrouted(AuthHttp);

impl Unrouted {
    fn answer<'r>(&self, request: &'r Request<'_>) -> Response<'r> {
        response(self.0.unrouted(Exchange::of(request).head(request)))
    }
}

#[rocket::async_trait]
impl Handler for Unrouted {
    async fn handle<'r>(&self, request: &'r Request<'_>, _: Data<'r>) -> Outcome<'r> {
        Outcome::Success(self.answer(request))
    }
}

#[rocket::async_trait]
impl catcher::Handler for Unrouted {
    async fn handle<'r>(&self, status: Status, request: &'r Request<'_>) -> catcher::Result<'r> {
        // A route of the application's own, which is for its own catchers; there are none, or they would have been asked.
        if request.route().is_some() {
            return Catcher::default().handler.handle(status, request).await;
        }
        Ok(self.answer(request))
    }
}

/// Whether a request's path is one that an operation may be at, as Rocket compares paths.
pub(crate) fn may_be_ours(http: &AuthHttp, with_root: bool, request: &Request<'_>) -> bool {
    let begins_with = |path: &str| {
        let mut sent = request.uri().path().segments();
        path.split('/').filter(|segment| !segment.is_empty()).all(|segment| sent.next() == Some(segment))
    };
    http.profiles().any(|profile| begins_with(&profile.prefix))
        || with_root && http.root_routes().iter().any(|route| begins_with(&route.path))
}
