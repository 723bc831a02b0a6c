//! What stands at the server's root: signing keys and probes.

use auth_core::Auth;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, HeaderValue};
use http::{Response, StatusCode};
use schemars::{JsonSchema, SchemaGenerator, json_schema};
use serde::Serialize;

use super::Outcome;
use crate::auth_http::AuthHttp;
use crate::openapi::{self, Description};
use crate::page;
use crate::problem::ProblemCode;
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

/// That all is well.
#[derive(Debug, Serialize, JsonSchema)]
struct Probe {
    /// Always `ok`.
    #[schemars(extend("const" = "ok"))]
    status: &'static str,
}

/// Describes all operations, for programs.
pub(super) fn openapi(http: &AuthHttp) -> Response<Bytes> {
    reply::json_bytes(StatusCode::OK, http.document().json.clone())
}

/// Describes them for people.
pub(super) fn openapi_page(http: &AuthHttp) -> Response<Bytes> {
    page::html_bytes(StatusCode::OK, http.document().page.clone(), openapi::STYLE)
}

pub(super) fn jwks_description() -> Description {
    let schema = |_: &mut SchemaGenerator| {
        json_schema!({
            "type": "object",
            "description": "A JSON Web Key Set (RFC 7517).",
            "properties": { "keys": { "type": "array", "items": { "type": "object" } } },
            "required": ["keys"],
        })
    };
    let details = "A token whose key isn't among them was not made here, or long ago. May be cached for 5 minutes.";
    Description::new("Show the keys that verify access tokens", details).reply_of(StatusCode::OK, "The keys.", schema)
}

pub(super) fn openapi_description() -> Description {
    let schema = |_: &mut SchemaGenerator| json_schema!({ "type": "object", "required": ["openapi", "info", "paths"] });
    Description::new("Describe all operations, for programs", "This document (OpenAPI 3.1).").reply_of(
        StatusCode::OK,
        "The document.",
        schema,
    )
}

pub(super) fn openapi_page_description() -> Description {
    Description::new("Describe all operations, for people", "This document as a page, without scripts.")
        .page("The page.")
}

pub(super) fn health_description() -> Description {
    Description::new("Say that the process is alive", "Asks nobody else: for probes that restart what is dead.")
        .reply::<Probe>(StatusCode::OK, "It is alive.")
}

pub(super) fn readiness_description() -> Description {
    Description::new("Say whether the store answers", "For balancers, which send requests where it does.")
        .reply::<Probe>(StatusCode::OK, "It answers, or did within the last second.")
        .problems([ProblemCode::Unavailable])
}
