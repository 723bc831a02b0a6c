//! Authentication and user management for your own application: registration, sign-in, sessions, password reset, roles and
//! guards, on your database, behind your own routes.
//!
//! ```toml
//! [dependencies]
//! portcullis = { version = "0.1", features = ["axum", "sqlx-sqlite", "migrate", "mail"] }
//! axum = "0.8"
//! tokio = { version = "1", features = ["macros", "net", "rt-multi-thread"] }
//! ```
//!
//! An application with accounts, complete:
//!
#![cfg_attr(all(feature = "axum", feature = "sqlx-sqlite", feature = "migrate", feature = "mail"), doc = "```no_run")]
#![cfg_attr(
    not(all(feature = "axum", feature = "sqlx-sqlite", feature = "migrate", feature = "mail")),
    doc = "```ignore"
)]
//! use std::net::SocketAddr;
//! use std::sync::Arc;
//!
//! use axum::Router;
//! use axum::http::Method;
//! use axum::routing::{delete, get};
//! use portcullis::axum::{Admin, CurrentUser, Guards, HasRole};
//! use portcullis::keys::{KeyRing, Pepper};
//! use portcullis::mail::{Composer, ConsoleMailer, Sender, Templates};
//! use portcullis::sqlx::SqliteStore;
//! use portcullis::{Auth, AuthHttp, HttpSettings, Parts, Profile, Settings, workers};
//!
//! async fn account(user: CurrentUser) -> String {
//!     format!("You are {}", user.email)
//! }
//!
//! async fn purge(admin: HasRole<Admin>) -> String {
//!     format!("Purged by {}", admin.email)
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//!     // What everything is kept in, and the secret that the keys are derived from.
//!     let store = SqliteStore::connect("sqlite://app.db").await?;
//!     store.migrate().await?;
//!     let ring = KeyRing::new(&Pepper::new(std::env::var("PEPPER")?)?, &[]);
//!     let parts = Parts::new(Arc::new(store), ring, Settings::new("http://127.0.0.1:3000"))?;
//!     let clock = parts.clock.clone();
//!     let auth = Auth::start(parts).await?;
//!
//!     // Beside the requests: mail, here to the console, and cleaning.
//!     let composer = Composer::new(Sender::parse("Acme <no-reply@acme.example>")?, Templates::default(), clock);
//!     let mailer = ConsoleMailer::new(composer);
//!     let worker = auth.clone();
//!     tokio::spawn(async move { workers::run(&worker, &mailer, std::future::pending()).await });
//!
//!     // Your routes beside ours. All of them ask for a session, but for those that are said to be public.
//!     let auth = AuthHttp::new(auth, [Profile::sessions()], HttpSettings::default())?;
//!     let app = Router::new()
//!         .route("/", get(async || "Welcome"))
//!         .route("/account", get(account))
//!         .route("/posts", delete(purge))
//!         .merge(portcullis::axum::router(&auth))
//!         .layer(auth.deny_by_default().public(Method::GET, "/"))
//!         .with_state(auth);
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
//!     Ok(())
//! }
//! ```
//!
//! # Features
//!
//! | feature | brings |
//! |---|---|
//! | `axum` | [`axum`]: router, guards and extractors |
//! | `rocket` | [`rocket`]: fairing and request guards for Rocket |
//! | `sqlx-postgres`, `sqlx-mysql`, `sqlx-sqlite` | [`sqlx`]: the stores; [`schema`]: their migrations, to run with a tool of your own |
//! | `diesel-postgres`, `diesel-mysql`, `diesel-sqlite` | [`diesel`]: the same on diesel-async |
//! | `redis`, `redis-cluster`, `redis-tls` | [`redis`]: what all nodes share: copies of sessions, throttles, replies; on a Cluster; by TLS |
//! | `migrate` | the stores run their migrations themselves |
//! | `mail` | [`mail`]: mailers to a folder and to the console, templates |
//! | `smtp`, `ses` | `mail`, with the mailer for SMTP, for Amazon SES |
//! | `testkit` | [`testkit`]: a store in memory, a clock that is told the time, an inbox |
//! | `mock` | [`port`]: mocks of every port |
//!
//! A feature adds types and changes nothing else. Under whatever features, the wire and the core are here: [`AuthHttp`] for
//! another web framework, the [`flow`]s for handlers of your own, the [`port`]s for what you bring yourself.

pub use auth_core::settings::Settings;
pub use auth_core::{Auth, Fault, Parts, Signing, StartError};
pub use auth_core::{
    access_token, adapter, device_token, domain, flow, keys, port, refresh_token, rules, settings, workers,
};
#[doc(no_inline)]
pub use auth_http as http;
pub use auth_http::{AuthHttp, HttpSettings, Operation, Problem, Profile};

#[cfg(feature = "axum")]
#[doc(no_inline)]
pub use auth_axum as axum;
#[cfg(feature = "redis")]
#[doc(no_inline)]
pub use auth_cache_redis as redis;
#[cfg(feature = "mail")]
#[doc(no_inline)]
pub use auth_mail as mail;
#[cfg(feature = "rocket")]
#[doc(no_inline)]
pub use auth_rocket as rocket;
#[cfg(any(
    feature = "diesel-mysql",
    feature = "diesel-postgres",
    feature = "diesel-sqlite",
    feature = "sqlx-mysql",
    feature = "sqlx-postgres",
    feature = "sqlx-sqlite"
))]
#[doc(no_inline)]
pub use auth_schema as schema;
#[cfg(any(feature = "diesel-mysql", feature = "diesel-postgres", feature = "diesel-sqlite"))]
#[doc(no_inline)]
pub use auth_store_diesel as diesel;
#[cfg(any(feature = "sqlx-mysql", feature = "sqlx-postgres", feature = "sqlx-sqlite"))]
#[doc(no_inline)]
pub use auth_store_sqlx as sqlx;
#[cfg(feature = "testkit")]
#[doc(no_inline)]
pub use auth_testkit as testkit;

#[cfg(all(doctest, feature = "axum", feature = "mail", feature = "migrate", feature = "sqlx-sqlite"))]
mod book;
