//! The application from outside, in process, on a PostgreSQL server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

#[path = "../../axum-diesel-postgres/tests/support/postgres.rs"]
mod postgres_server;

use std::sync::Arc;

use diesel_async::SimpleAsyncConnection as _;
use portcullis::diesel::PostgresStore;
use portcullis::diesel::postgres::{self, Pool};
use portcullis::keys::{KeyRing, Pepper};
use portcullis::testkit::FastHasher;
use portcullis::{Auth, AuthHttp, HttpSettings, Parts, Profile, Settings};
use postgres_server::Database;
use rocket::http::{Header, Method, Status};
use rocket::local::asynchronous::Client;
use rocket_diesel_postgres::profiles::{self, Profiles};
use serde_json::{Value, json};

/// A new user has a profile, and edits it.
#[tokio::test]
async fn people_have_profiles() {
    let Some(database) = Database::new("rocket_diesel_profiles").await else { return };
    let (app, _pool) = app(&database).await;
    assert_eq!(send(&app, Method::Get, "/profile", None, None).await.0, Status::Unauthorized);
    assert_eq!(send(&app, Method::Get, "/healthz", None, None).await.0, Status::Ok);

    assert_eq!(register(&app, "ann@example.com").await, Status::Created);
    let ann = sign_in(&app, "ann@example.com").await.unwrap();
    let profile = || send(&app, Method::Get, "/profile", Some(&ann), None);
    assert_eq!(profile().await, (Status::Ok, json!({ "nickname": "ann" })));
    let edit = json!({ "nickname": "Annie" });
    assert_eq!(send(&app, Method::Put, "/profile", Some(&ann), Some(edit.clone())).await.0, Status::NoContent);
    assert_eq!(profile().await, (Status::Ok, edit));
}

/// DF1: profile and user come into being together, or neither does.
#[tokio::test]
async fn df1_a_profile_is_made_with_its_user() {
    let Some(database) = Database::new("rocket_diesel_rollback").await else { return };
    let (app, pool) = app(&database).await;
    let run = async |sql: &str| pool.get().await.unwrap().batch_execute(sql).await.unwrap();
    run("alter table profiles rename to elsewhere").await;
    assert_eq!(register(&app, "ann@example.com").await, Status::InternalServerError);
    assert_eq!(sign_in(&app, "ann@example.com").await, None);

    run("alter table elsewhere rename to profiles").await;
    assert_eq!(register(&app, "ann@example.com").await, Status::Created);
    assert!(sign_in(&app, "ann@example.com").await.is_some());
}

/// The application on that database, as `main` puts it together.
async fn app(database: &Database) -> (Client, Pool) {
    let pool = Pool::builder(postgres::manager(&database.url()).unwrap()).max_size(4).build().unwrap();
    let store = PostgresStore::new(pool.clone());
    store.migrate().await.unwrap();
    profiles::migrate(&pool).await.unwrap();
    let ring = KeyRing::new(&Pepper::new((0..32).collect::<Vec<u8>>()).unwrap(), &[]);
    let store = Arc::new(store.with_participant(Profiles));
    let parts = Parts::new(store, ring, Settings::new("http://127.0.0.1:8000")).unwrap();
    let auth = Auth::start(Parts { hasher: Arc::new(FastHasher::default()), ..parts }).await.unwrap();
    let http = AuthHttp::new(auth, [Profile::tokens()], HttpSettings::default()).unwrap();
    let quiet = rocket::Config { log_level: rocket::log::LogLevel::Off, ..rocket::Config::debug_default() };
    let rocket = rocket_diesel_postgres::rocket(rocket::custom(quiet), &http, pool.clone());
    (Client::untracked(rocket).await.unwrap(), pool)
}

fn credentials(email: &str) -> Value {
    json!({ "email": email, "password": "quietly harvest umbrella" })
}

async fn register(app: &Client, email: &str) -> Status {
    send(app, Method::Post, "/v1/auth/register", None, Some(credentials(email))).await.0
}

/// An access token; `None` where there is no such user.
async fn sign_in(app: &Client, email: &str) -> Option<String> {
    match send(app, Method::Post, "/v1/auth/login", None, Some(credentials(email))).await {
        (Status::Ok, reply) => Some(reply["accessToken"].as_str().unwrap().to_owned()),
        (status, _) => {
            assert_eq!(status, Status::Unauthorized);
            None
        }
    }
}

async fn send(
    app: &Client,
    method: Method,
    path: &'static str,
    bearer: Option<&str>,
    body: Option<Value>,
) -> (Status, Value) {
    let mut request = app.req(method, path).header(Header::new("content-type", "application/json"));
    if let Some(bearer) = bearer {
        request.add_header(Header::new("authorization", format!("Bearer {bearer}")));
    }
    let reply = match body {
        Some(body) => request.body(body.to_string()).dispatch().await,
        None => request.dispatch().await,
    };
    (reply.status(), serde_json::from_str(&reply.into_string().await.unwrap_or_default()).unwrap_or_default())
}
