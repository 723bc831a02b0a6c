//! Refused requests, answered with a problem that no catcher of the application's replaces.

use std::fmt;
use std::sync::Arc;

use auth_http::{AuthHttp, Problem, Visit};
use bytes::Bytes;
use http::StatusCode;
use rocket::catcher::{self, Catcher};
use rocket::http::Status;
use rocket::response::{self, Responder};
use rocket::{Request, Response};

use crate::exchange::{Exchange, Passage};
use crate::reply::response;

/// The reply to a request that is not let through: `application/problem+json`.
///
/// The error of every guard. Nothing has to be done with it: whatever catchers there are, it is what the client gets. A
/// handler that takes a `Result` may answer with it, or do something else.
///
/// Guards fail with a status of their own, 599, by which the fairing tells that it is to answer and not a catcher; clients
/// see the problem's.
#[derive(Clone)]
pub struct Rejection(Option<Arc<http::Response<Bytes>>>);

/// What a guard fails with. No catcher is for it, unlike for 401: those would turn the problem into a page.
pub(crate) const REFUSED: Status = Status { code: 599 };

impl Rejection {
    /// Where there is nobody to ask: the fairing isn't attached.
    pub(crate) const UNMOUNTED: Self = Self(None);

    pub(crate) fn new(http: &AuthHttp, problem: Problem, passage: &Passage<'_>) -> Self {
        Self(Some(Arc::new(http.reject(problem, &passage.head().headers))))
    }

    /// The status that the client sees.
    pub fn status(&self) -> StatusCode {
        self.0.as_ref().map_or(StatusCode::INTERNAL_SERVER_ERROR, |reply| reply.status())
    }

    pub(crate) fn into_response<'r>(self) -> Response<'r> {
        match self.0 {
            Some(reply) => response(http::Response::clone(&reply)),
            None => Response::build().status(Status::InternalServerError).finalize(),
        }
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rejection").field(&self.status()).finish()
    }
}

impl<'r> Responder<'r, 'static> for Rejection {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Ok(self.into_response())
    }
}

impl Passage<'_> {
    /// Keeps the problem as the reply to come, and says what a guard fails with.
    pub(crate) fn refuse(&self, problem: Problem) -> (Status, Rejection) {
        let rejection = Rejection::new(self.http, problem, self);
        self.exchange.refuse(rejection.clone());
        (REFUSED, rejection)
    }
}

/// The reply that a guard has left, if one has.
pub(crate) fn left_by_a_guard<'r>(request: &'r Request<'_>) -> Option<Response<'r>> {
    Exchange::of(request).refusal().map(Rejection::into_response)
}

/// Answers where a guard failed.
#[derive(Clone)]
struct Refused;

#[rocket::async_trait]
impl catcher::Handler for Refused {
    async fn handle<'r>(&self, _: Status, request: &'r Request<'_>) -> catcher::Result<'r> {
        left_by_a_guard(request).ok_or(Status::InternalServerError)
    }
}

/// What answers where a guard failed, to be registered wherever the application has catchers.
pub(crate) fn catcher() -> Catcher {
    let mut catcher = Catcher::new(REFUSED.code, Refused);
    catcher.name = Some("refused by Portcullis".into());
    catcher
}
