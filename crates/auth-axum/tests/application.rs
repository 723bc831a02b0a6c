//! An application with routes of its own beside ours.

use std::net::{IpAddr, SocketAddr};

use auth_axum::{CurrentSession, CurrentUser};
use auth_http::AuthHttp;
use auth_testkit::Call;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, FromRef};
use axum::routing::get;
use http::{Request, Response};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::web;

#[derive(Clone)]
struct State {
    auth: AuthHttp,
}

impl FromRef<State> for AuthHttp {
    fn from_ref(state: &State) -> Self {
        state.auth.clone()
    }
}

fn application(auth: &AuthHttp) -> Router {
    Router::new()
        .route("/", get(async || "home"))
        .route("/hello", get(async |user: CurrentUser| user.email.to_string()))
        .route("/both", get(async |user: CurrentUser, session: CurrentSession| (user.id == session.user).to_string()))
        .route("/maybe", get(async |user: Option<CurrentUser>| user.is_some().to_string()))
        .merge(auth_axum::router(auth))
        .with_state(State { auth: auth.clone() })
}

async fn send(app: &Router, mut request: Request<Body>) -> Response<Body> {
    request.extensions_mut().insert(ConnectInfo(SocketAddr::new(IpAddr::from([192, 0, 2, 1]), 4711)));
    app.clone().oneshot(request).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

async fn sign_in(app: &Router) -> String {
    let credentials = json!({ "email": "ann@example.com", "password": "correct horse battery staple" });
    let mut reply = Value::Null;
    for path in ["/v1/auth/register", "/v1/auth/login"] {
        let request = Request::post(path).header("content-type", "application/json");
        let response = send(app, request.body(credentials.to_string().into()).unwrap()).await;
        assert!(response.status().is_success());
        reply = serde_json::from_str(&text(response).await).unwrap();
    }
    format!("Bearer {}", reply["accessToken"].as_str().unwrap())
}

#[tokio::test]
async fn extractors_guard_the_applications_routes() {
    let world = web::world().await;
    let app = application(world.http());
    let bearer = sign_in(&app).await;
    let get = |path: &str, bearer: Option<&str>| {
        let request =
            bearer.iter().fold(Request::get(path), |request, bearer| request.header("authorization", *bearer));
        request.body(Body::empty()).unwrap()
    };
    assert_eq!(text(send(&app, get("/hello", Some(&bearer))).await).await, "ann@example.com");
    world.counting().take();
    assert_eq!(text(send(&app, get("/both", Some(&bearer))).await).await, "true");
    assert_eq!(world.counting().take(), [Call::FindSession], "two extractors, one query");
    assert_eq!(text(send(&app, get("/maybe", Some(&bearer))).await).await, "true");
    assert_eq!(text(send(&app, get("/maybe", None)).await).await, "false");
    for (path, bearer) in
        [("/hello", None), ("/hello", Some("Bearer dead")), ("/both", None), ("/maybe", Some("Bearer dead"))]
    {
        let response = send(&app, get(path, bearer)).await;
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        let problem: Value = serde_json::from_str(&text(response).await).unwrap();
        assert_eq!(problem["code"], "UNAUTHORIZED");
    }
}

// Below the prefix everything is ours, outside it nothing is: neither root routes nor the application's 404.
#[tokio::test]
async fn the_application_keeps_its_own_paths() {
    let app = application(web::world().await.http());
    let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    assert_eq!(text(send(&app, get("/")).await).await, "home");
    for path in ["/healthz", "/nothing", "/v1/authx"] {
        let response = send(&app, get(path)).await;
        assert_eq!((response.status().as_u16(), text(response).await.as_str()), (404, ""), "{path}");
    }
    for path in ["/v1/auth", "/v1/auth/", "/v1/auth/nothing", "/v1/auth/me/"] {
        let response = send(&app, get(path)).await;
        assert_eq!(response.headers()["content-type"], "application/problem+json", "{path}");
        assert_eq!(response.status(), 404, "{path}");
    }
}

// RL1: without the peers' addresses all clients are one to the throttles, not nobody.
#[tokio::test]
async fn rl1_unknown_peers_share_a_throttle() {
    let app = application(web::world().await.http());
    let mut last = 0;
    for _ in 0..601 {
        let request = Request::get("/v1/auth/me").body(Body::empty()).unwrap();
        last = app.clone().oneshot(request).await.unwrap().status().as_u16();
    }
    assert_eq!(last, 429);
}
