//! Who asks: found out once a request, however many layers and extractors want to know.

use std::sync::Arc;

use auth_core::domain::Signed;
use auth_http::{AuthHttp, Demand, Problem, ProblemCode};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::request::Parts;

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
pub(crate) enum Caller {
    /// Signed in.
    Signed(Arc<Signed>),
    /// Not signed in, and doesn't mean to be.
    Guest,
    /// Has a credential that is dead, and ought to notice.
    Dead,
}

impl Caller {
    /// What somebody has found out already.
    pub(crate) fn known(parts: &Parts) -> Option<Self> {
        parts.extensions.get::<Self>().cloned()
    }

    /// Keeps what was found out. A store that couldn't say is asked again by the next who wants to know.
    pub(crate) fn keep(parts: &mut Parts, found: Result<Option<Signed>, Problem>) -> Result<Self, Problem> {
        let caller = match found {
            Ok(Some(signed)) => Self::Signed(Arc::new(signed)),
            Ok(None) => Self::Guest,
            Err(problem) if problem.code() == ProblemCode::Unauthorized => Self::Dead,
            Err(problem) => return Err(problem),
        };
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }

    /// Who asks, for an extractor, which can neither look into the body nor set a cookie: a form needs one of the layers
    /// around it, and a browser keeps its secret until then.
    pub(crate) async fn of(parts: &mut Parts, http: &AuthHttp) -> Result<Self, Problem> {
        if let Some(known) = Self::known(parts) {
            return Ok(known);
        }
        let found = http.recognise(parts).await;
        Self::keep(parts, found)
    }

    pub(crate) fn signed(&self) -> Option<&Arc<Signed>> {
        match self {
            Self::Signed(signed) => Some(signed),
            Self::Guest | Self::Dead => None,
        }
    }

    /// Lets whoever meets `demand` through, and says who it is.
    pub(crate) fn admit(&self, http: &AuthHttp, demand: &Demand) -> Result<Option<Arc<Signed>>, Problem> {
        http.admit_to(demand, self.signed().map(Arc::as_ref))?;
        Ok(self.signed().cloned())
    }

    /// Lets guests through, but not whoever ought to notice that their credential is dead.
    pub(crate) fn optional(&self) -> Result<Option<Arc<Signed>>, Problem> {
        if let Self::Dead = self { Err(Problem::unauthorized()) } else { Ok(self.signed().cloned()) }
    }
}
