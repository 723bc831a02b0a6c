//! Who asks, for an application's own handlers.

use std::sync::Arc;

use auth_core::domain::{Session, Signed, User};
use auth_http::{AuthHttp, Problem};
use axum::body::Body;
use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use http::request::Parts;

use crate::router::peer;

/// The user who asks. Without a live credential the request is answered with 401, as `application/problem+json`.
///
/// The credential is checked against its session in the store, once a request however many extractors ask, so sign-out,
/// suspension and role changes count at once. `Option<CurrentUser>` lets requests without a credential through; one with a
/// dead credential is still 401, so that a client notices.
///
/// The application's state is the [`AuthHttp`], or one that it can be taken from with [`FromRef`].
#[derive(Debug, Clone)]
pub struct CurrentUser(pub User);

/// The session of the user who asks. See [`CurrentUser`].
#[derive(Debug, Clone)]
pub struct CurrentSession(pub Session);

/// The reply to a request whose user is not known.
#[derive(Debug)]
pub struct Rejection(Response);

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        self.0
    }
}

impl<S> FromRequestParts<S> for CurrentUser
where
    AuthHttp: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        identify(parts, state).await.map(|signed| Self(signed.user.clone()))
    }
}

impl<S> FromRequestParts<S> for CurrentSession
where
    AuthHttp: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        identify(parts, state).await.map(|signed| Self(signed.session.clone()))
    }
}

impl<S> OptionalFromRequestParts<S> for CurrentUser
where
    AuthHttp: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Rejection> {
        if AuthHttp::from_ref(state).has_credential(&parts.headers) {
            identify(parts, state).await.map(|signed| Some(Self(signed.user.clone())))
        } else {
            Ok(None)
        }
    }
}

/// The session and user behind the request, kept with it: one query, whoever asks first.
async fn identify<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<Arc<Signed>, Rejection>
where
    AuthHttp: FromRef<S>,
{
    if let Some(signed) = parts.extensions.get::<Identified>() {
        return Ok(Arc::clone(&signed.0));
    }
    let http = AuthHttp::from_ref(state);
    match http.identify(parts, peer(&parts.extensions)).await {
        Ok(identified) => {
            let signed = Arc::new(identified.signed);
            parts.extensions.insert(Identified(Arc::clone(&signed)));
            Ok(signed)
        }
        Err(problem) => Err(reject(&http, problem, parts)),
    }
}

fn reject(http: &AuthHttp, problem: Problem, parts: &Parts) -> Rejection {
    Rejection(http.reject(problem, &parts.headers).map(Body::from))
}

/// What [`identify`] found. Private, so that nothing else can put a user into a request.
#[derive(Clone)]
struct Identified(Arc<Signed>);
