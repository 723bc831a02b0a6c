//! Who asks: found out once a request, however many layers and extractors want to know.

use std::net::IpAddr;

use auth_http::{AuthHttp, Caller, Problem, Visit};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::request::Parts;

use crate::router::peer;

/// The reply to a request that is not let through: `application/problem+json`.
#[derive(Debug)]
pub struct Rejection(Response);

impl Rejection {
    pub(crate) fn new(http: &AuthHttp, problem: Problem, parts: &Parts) -> Self {
        Self(http.reject(problem, &parts.headers).map(Body::from))
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        self.0
    }
}

/// What is known of whoever asks, kept with the request. Private, so that nothing else can put a user into one.
#[derive(Clone)]
struct Known(Caller);

/// What somebody has found out already.
pub(crate) fn known(parts: &Parts) -> Option<Caller> {
    parts.extensions.get::<Known>().map(|Known(caller)| caller.clone())
}

/// Keeps what was found out.
pub(crate) fn keep(parts: &mut Parts, caller: Caller) -> Caller {
    parts.extensions.insert(Known(caller.clone()));
    caller
}

/// A request at an extractor, which can neither look into the body nor set a cookie: a form needs one of the layers around
/// it, and a browser keeps its secret until then.
pub(crate) struct Extraction<'a> {
    pub(crate) http: &'a AuthHttp,
    pub(crate) parts: &'a mut Parts,
}

impl Visit for Extraction<'_> {
    fn head(&self) -> &Parts {
        self.parts
    }

    fn peer(&self) -> Option<IpAddr> {
        peer(&self.parts.extensions)
    }

    async fn caller(&mut self) -> Result<Caller, Problem> {
        if let Some(known) = known(self.parts) {
            return Ok(known);
        }
        let found = Caller::found(self.http.recognise(self.parts).await)?;
        Ok(keep(self.parts, found))
    }
}
