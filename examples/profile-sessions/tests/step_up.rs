//! What takes longer than anybody waits for: a session that isn't fresh any more, on a clock that is told the time.

#![allow(clippy::unwrap_used, reason = "these are tests")]

#[path = "support/editor.rs"]
mod editor;

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use editor::{EMAIL, PASSWORD};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// Reply's status, where it leads, its cookies and its JSON.
async fn post(app: &axum::Router, path: &str, credentials: (&str, &str), body: Value) -> (u16, String, String, Value) {
    let request = Request::post(path).header("content-type", "application/json");
    let request = request.header("cookie", credentials.0).header("x-csrf-token", credentials.1);
    let (head, body) =
        app.clone().oneshot(request.body(Body::from(body.to_string())).unwrap()).await.unwrap().into_parts();
    let text = |name: &str| {
        head.headers
            .get_all(name)
            .iter()
            .map(|value| value.to_str().unwrap().split(';').next().unwrap())
            .collect::<Vec<_>>()
            .join("; ")
    };
    let body = body.collect().await.unwrap().to_bytes();
    (head.status.as_u16(), text("location"), text("set-cookie"), serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn an_editor_proves_again_who_they_are() {
    let (app, clock) = editor::application("http://127.0.0.1:3000").await;
    let sign_in = json!({ "email": EMAIL, "password": PASSWORD });
    let (_, _, cookies, signed_in) = post(&app, "/auth/login", ("", ""), sign_in).await;
    let csrf = signed_in["csrfToken"].as_str().unwrap();
    let clear = async |cookies: &str, csrf: &str| post(&app, "/board/clear", (cookies, csrf), Value::Null).await.1;
    assert_eq!(clear(&cookies, csrf).await, "/board");
    clock.advance(Duration::from_secs(11 * 60));
    assert_eq!(clear(&cookies, csrf).await, "/#again");

    let password = json!({ "password": PASSWORD });
    let (_, _, cookies, proved) = post(&app, "/auth/reauthenticate", (&cookies, csrf), password).await;
    assert_eq!(clear(&cookies, proved["csrfToken"].as_str().unwrap()).await, "/board");
}
