//! IN3: a body that doesn't arrive is not waited for, and one that is too large is not read.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::web;

async fn post(body: impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static) -> (StatusCode, serde_json::Value) {
    let router = auth_axum::service(web::world().await.http());
    let request = Request::post("/v1/auth/login").header("content-type", "application/json");
    let response = router.oneshot(request.body(Body::from_stream(body)).unwrap()).await.unwrap();
    let status = response.status();
    (status, serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap())
}

// Time passes by itself where nothing else is left to do.
#[tokio::test(start_paused = true)]
async fn in3_a_slow_body_times_out() {
    let drip = stream::unfold((), async |()| {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Some((Ok(Bytes::from_static(b" ")), ()))
    });
    let begun = tokio::time::Instant::now();
    let (status, problem) = post(drip).await;
    assert_eq!((status, &problem["code"]), (StatusCode::REQUEST_TIMEOUT, &"REQUEST_TIMEOUT".into()));
    assert!(begun.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn in3_an_endless_body_is_cut_off() {
    let endless = stream::repeat_with(|| Ok(Bytes::from_static(&[b' '; 1000])));
    let (status, problem) = post(endless).await;
    assert_eq!((status, &problem["code"]), (StatusCode::PAYLOAD_TOO_LARGE, &"PAYLOAD_TOO_LARGE".into()));
}

#[tokio::test]
async fn a_body_in_pieces_is_one_body() {
    let pieces = stream::iter(br#"{"email":"a@example.com"}"#.chunks(3)).map(|piece| Ok(Bytes::from_static(piece)));
    let (status, problem) = post(pieces).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (StatusCode::BAD_REQUEST, &"password".into()));
}
