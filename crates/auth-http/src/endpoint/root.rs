//! What stands at the server's root: signing keys and probes.

use auth_core::Auth;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, HeaderValue};
use http::{Response, StatusCode};
use serde::Serialize;

use super::Outcome;
use crate::readiness::Readiness;
use crate::reply;

/// The keys that verify access tokens: public, and the same for everybody, so they may be cached for a while.
pub(super) fn jwks(auth: &Auth) -> Response<Bytes> {
    let mut response = reply::json(StatusCode::OK, &auth.jwks());
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

/// The process is alive; asks nobody.
pub(super) fn health() -> Response<Bytes> {
    reply::json(StatusCode::OK, &Probe { status: "ok" })
}

/// The store answers, or did within the last second.
pub(super) async fn readiness(auth: &Auth, readiness: &Readiness) -> Outcome {
    readiness.check(auth.now(), auth.ping()).await?;
    Ok(reply::json(StatusCode::OK, &Probe { status: "ok" }))
}

#[derive(Debug, Serialize)]
struct Probe {
    status: &'static str,
}
