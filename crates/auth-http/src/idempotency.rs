//! `Idempotency-Key`: a request that is sent twice happens once.

use std::sync::Arc;

use auth_core::flow::idempotency::{self, Begin};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Response, StatusCode};
use serde_json::json;

use crate::client;
use crate::mount::Mount;
use crate::openapi::Description;
use crate::problem::{FieldError, Problem, ProblemCode};
use crate::reply;
use crate::request::Incoming;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Answers `request` with `run`, once per key, profile, operation and client address; a repetition gets the first reply again.
///
/// Only replies that settle the matter are kept (201, 202 and 409); any other frees the key. A request without a key
/// simply runs.
pub(crate) async fn once<F>(
    mount: &Arc<Mount>,
    operation: &'static str,
    request: Incoming,
    run: impl FnOnce(Arc<Mount>, Incoming) -> F + Send + 'static,
) -> Result<Response<Bytes>, Problem>
where
    F: Future<Output = Result<Response<Bytes>, Problem>> + Send,
{
    let Some(key) = key(&request.head.headers)? else { return run(mount.clone(), request).await };
    // As the throttles count: an IPv6 client may change its address within its network from one try to the next.
    let client = request.context.ip.map(client::network).unwrap_or_default();
    // A profile's own: another one's reply would be in another profile's manner.
    let operation = format!("{} {operation}", mount.profile.prefix);
    match idempotency::begin(&mount.auth, &operation, &client, &key, &request.body).await? {
        Begin::Replay(kept) => {
            let request_id = request.context.request_id.as_deref().unwrap_or_default();
            unpack(&kept, request_id).ok_or_else(|| Problem::internal("a kept reply can't be read"))
        }
        Begin::InProgress => {
            let detail = "The first request with this Idempotency-Key is still under way. Try again.";
            Err(Problem::new(ProblemCode::IdempotencyInProgress, detail))
        }
        Begin::Mismatch => {
            let detail = "This Idempotency-Key was used with another body. Use a new one.";
            Err(Problem::new(ProblemCode::IdempotencyMismatch, detail))
        }
        Begin::Run(ticket) => {
            let mount = mount.clone();
            // In a task of its own: a client that gives up halfway, and comes back, is who the key is for. Its first
            // request must get as far as keeping the reply.
            let task = tokio::spawn(async move {
                let request_id = request.context.request_id.clone().unwrap_or_default();
                let response = run(mount.clone(), request).await.unwrap_or_else(|problem| {
                    problem.log(&request_id);
                    problem.into_response(&request_id)
                });
                let is_settled =
                    matches!(response.status(), StatusCode::CREATED | StatusCode::ACCEPTED | StatusCode::CONFLICT);
                let kept = if is_settled {
                    idempotency::finish(&mount.auth, ticket, &pack(&response)).await
                } else {
                    idempotency::release(&mount.auth, ticket).await
                };
                // What has happened has happened: the client hears of it, and only a repetition will be told less.
                kept.unwrap_or_else(|fault| Problem::from(fault).log(&request_id));
                response
            });
            task.await.map_err(Problem::internal)
        }
    }
}

/// Adds to an operation what [`once`] makes of it.
pub(crate) fn describe(description: Description) -> Description {
    let about = "Names the request: repeated with the same body within 24 hours, it is answered as the first was. Quotes \
                 around it don't count.";
    description
        .header("Idempotency-Key", about, &json!({ "type": "string", "pattern": "^[!-~]+$", "maxLength": 257 }))
        .problems([ProblemCode::ValidationFailed, ProblemCode::IdempotencyInProgress, ProblemCode::IdempotencyMismatch])
}

/// The key, without the quotes that the draft's structured field has and most clients leave out.
fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.as_bytes(),
        (Some(_), Some(_)) => b"",
    };
    let key = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
    if (1..=255).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic) {
        Ok(Some(String::from_utf8_lossy(key).into_owned()))
    } else {
        let message = "must be one value of 1 to 255 visible ASCII characters";
        Err(Problem::invalid_fields(vec![FieldError::new("Idempotency-Key", "INVALID", message)]))
    }
}

/// A reply as it is kept: its status, then its body. The media type follows from the status.
fn pack(response: &Response<Bytes>) -> Vec<u8> {
    [&response.status().as_u16().to_be_bytes(), &response.body()[..]].concat()
}

/// The kept reply; a problem under the id of the request that it now answers.
fn unpack(kept: &[u8], request_id: &str) -> Option<Response<Bytes>> {
    let (status, body) = kept.split_first_chunk()?;
    let status = StatusCode::from_u16(u16::from_be_bytes(*status)).ok()?;
    if status.is_success() {
        return Some(reply::json_bytes(status, Bytes::copy_from_slice(body)));
    }
    let member = |id: &serde_json::Value| format!("\"requestId\":{id}");
    let body = std::str::from_utf8(body).ok()?;
    let problem: serde_json::Value = serde_json::from_str(body).ok()?;
    let body = body.replacen(&member(problem.get("requestId")?), &member(&request_id.into()), 1);
    Some(reply::problem_bytes(status, body.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn of(values: &[&str]) -> Option<Option<String>> {
        let values = values.iter().map(|value| (IDEMPOTENCY_KEY, HeaderValue::from_bytes(value.as_bytes()).unwrap()));
        key(&values.collect()).ok()
    }

    // ID1: quoted or not, it is the same key.
    #[test]
    fn id1_keys_are_visible_ascii() {
        let longest = "k".repeat(255);
        assert_eq!(of(&[]), Some(None));
        assert_eq!(of(&["8e03978e"]), Some(Some("8e03978e".into())));
        assert_eq!(of(&["\"8e03978e\""]), Some(Some("8e03978e".into())));
        assert_eq!(of(&[&longest]), Some(Some(longest.clone())));
        for refused in [&[""][..], &["\"\""], &["a b"], &["é"], &["a", "a"], &[&format!("{longest}k")]] {
            assert_eq!(of(refused), None, "{refused:?}");
        }
    }

    // ID1: what is kept comes back as it was.
    #[test]
    fn id1_replies_come_back_as_they_were() {
        let response = reply::json_bytes(StatusCode::CREATED, Bytes::from_static(b"{}"));
        let again = unpack(&pack(&response), "id").unwrap();
        assert_eq!(
            (again.status(), again.body(), again.headers()),
            (response.status(), response.body(), response.headers())
        );
        let problem = Problem::new(ProblemCode::Conflict, "Taken.").into_response("first");
        let again = unpack(&pack(&problem), "second").unwrap();
        assert_eq!((again.status(), again.headers()), (problem.status(), problem.headers()));
        assert_eq!(again.body(), Problem::new(ProblemCode::Conflict, "Taken.").into_response("second").body());
        assert!(unpack(b"\x00", "id").is_none());
    }
}
