//! The application from outside, in process, on a PostgreSQL server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

#[path = "support/postgres.rs"]
mod postgres_server;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum_diesel_postgres::{notes, router};
use http_body_util::BodyExt as _;
use portcullis::diesel::PostgresStore;
use portcullis::diesel::postgres::{self, Pool};
use portcullis::keys::{KeyRing, Pepper};
use portcullis::testkit::FastHasher;
use portcullis::{Auth, AuthHttp, HttpSettings, Parts, Profile, Settings};
use postgres_server::Database;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// Whoever is signed in has notes, and nobody else does.
#[tokio::test]
async fn notes_are_their_writers() {
    let Some(database) = Database::new("axum_diesel").await else { return };
    let app = app(&database).await;

    assert_eq!(send(&app, Request::get("/notes"), None).await.0, 401);
    let (ann, bob) = (signed_in(&app, "ann@example.com").await, signed_in(&app, "bob@example.com").await);
    for (who, text) in [(&ann, "Buy milk"), (&ann, "Drink it"), (&bob, "Sleep")] {
        let request = Request::post("/notes").header("authorization", format!("Bearer {who}"));
        assert_eq!(send(&app, request, Some(json!({ "text": text }))).await.0, 201);
    }
    for (who, notes) in [(ann, json!(["Buy milk", "Drink it"])), (bob, json!(["Sleep"]))] {
        let request = Request::get("/notes").header("authorization", format!("Bearer {who}"));
        assert_eq!(send(&app, request, None).await, (200, notes));
    }
}

/// The application on that database, as `main` puts it together.
async fn app(database: &Database) -> Router {
    let pool = Pool::builder(postgres::manager(&database.url()).unwrap()).max_size(4).build().unwrap();
    let store = PostgresStore::new(pool.clone());
    store.migrate().await.unwrap();
    notes::migrate(&pool).await.unwrap();
    let ring = KeyRing::new(&Pepper::new((0..32).collect::<Vec<u8>>()).unwrap(), &[]);
    let parts = Parts::new(Arc::new(store), ring, Settings::new("http://127.0.0.1:3000")).unwrap();
    let auth = Auth::start(Parts { hasher: Arc::new(FastHasher::default()), ..parts }).await.unwrap();
    router(AuthHttp::new(auth, [Profile::tokens()], HttpSettings::default()).unwrap(), pool)
}

/// An access token of a new user.
async fn signed_in(app: &Router, email: &str) -> String {
    let account = json!({ "email": email, "password": "quietly harvest umbrella" });
    assert_eq!(send(app, Request::post("/v1/auth/register"), Some(account.clone())).await.0, 201);
    let (status, reply) = send(app, Request::post("/v1/auth/login"), Some(account)).await;
    assert_eq!(status, 200, "{reply}");
    reply["accessToken"].as_str().unwrap().to_owned()
}

async fn send(app: &Router, request: axum::http::request::Builder, body: Option<Value>) -> (u16, Value) {
    let request = request.header("content-type", "application/json");
    let body = body.map_or_else(Body::empty, |body| body.to_string().into());
    let (head, body) = app.clone().oneshot(request.body(body).unwrap()).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head.status.as_u16(), serde_json::from_slice(&body).unwrap_or_default())
}
