//! The application from outside, in process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use axum_sessions::{app, notes, profile};
use http_body_util::BodyExt;
use portcullis::domain::{Context, Email, MailKind, Role};
use portcullis::flow::{Actor, mail, roles, users};
use portcullis::keys::{KeyRing, Pepper};
use portcullis::sqlx::{SqliteStore, sqlite};
use portcullis::testkit::{FastHasher, Inbox};
use portcullis::{Auth, AuthHttp, HttpSettings, Parts, Profile, Settings};
use serde_json::{Value, json};
use sqlx::SqlitePool;
use tower::ServiceExt;

const ORIGIN: &str = "http://127.0.0.1:3000";
const PASSWORD: &str = "quietly harvest umbrella";

/// The application on an empty database, and a browser.
struct Site {
    app: Router,
    auth: Arc<Auth>,
    pool: SqlitePool,
    inbox: Inbox,
    cookies: BTreeMap<String, String>,
    _folder: tempfile::TempDir,
}

impl Site {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/app.db", folder.path().display());
        let pool = SqlitePool::connect_with(sqlite::options(&url).unwrap().create_if_missing(true)).await.unwrap();
        let store = SqliteStore::new(pool.clone(), pool.clone());
        store.migrate().await.unwrap();
        notes::migrate(&pool).await.unwrap();
        profile::migrate(&pool).await.unwrap();
        let store = store.with_participant(profile::Profiles);
        let ring = KeyRing::new(&Pepper::new((0..32).collect::<Vec<u8>>()).unwrap(), &[]);
        let parts = Parts::new(Arc::new(store), ring, Settings::new(ORIGIN)).unwrap();
        let auth = Auth::start(Parts { hasher: Arc::new(FastHasher::default()), ..parts }).await.unwrap();
        let http = AuthHttp::new(auth.clone(), [Profile::sessions()], HttpSettings::default()).unwrap();
        let app = app::router(http, pool.clone());
        Self { app, auth, pool, inbox: Inbox::new(), cookies: BTreeMap::new(), _folder: folder }
    }

    /// Sends a request with the browser's cookies, and keeps those that the reply sets.
    async fn send(&mut self, request: axum::http::request::Builder, body: impl Into<Body>) -> Reply {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.header("cookie", cookies.join("; ")).body(body.into()).unwrap();
        let (head, body) = self.app.clone().oneshot(request).await.unwrap().into_parts();
        for cookie in head.headers.get_all("set-cookie") {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), rest.split(';').next().unwrap().to_owned());
        }
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Reply { status: head.status.as_u16(), headers: head.headers, text }
    }

    async fn get(&mut self, path: &str) -> Reply {
        self.send(Request::get(path), Body::empty()).await
    }

    async fn post_json(&mut self, path: &str, body: Value) -> Reply {
        self.send(Request::post(path).header("content-type", "application/json"), body.to_string()).await
    }

    /// Sends a form, as a page of ours does, with that CSRF token.
    async fn post_form(&mut self, path: &str, token: &str, fields: &str) -> Reply {
        let form =
            Request::post(path).header("content-type", "application/x-www-form-urlencoded").header("origin", ORIGIN);
        self.send(form, format!("{fields}&csrf_token={token}")).await
    }

    /// Registers, and has the code out of the mail.
    async fn sign_up(&mut self, address: &str) -> String {
        let registration = json!({ "email": address, "password": PASSWORD, "name": "Ann" });
        assert_eq!(self.post_json("/auth/register", registration).await.status, 202);
        mail::deliver(&self.auth, &self.inbox).await.unwrap();
        self.inbox.code(&Email::parse(address).unwrap(), MailKind::Verify)
    }

    async fn confirm(&mut self, address: &str, code: &str) -> Reply {
        self.post_json("/auth/verify/confirm", json!({ "email": address, "code": code })).await
    }

    async fn sign_in(&mut self, address: &str) -> Reply {
        self.post_json("/auth/login", json!({ "email": address, "password": PASSWORD })).await
    }

    async fn sign_up_and_in(&mut self, address: &str) {
        let code = self.sign_up(address).await;
        assert_eq!(self.confirm(address, &code).await.status, 200);
        assert_eq!(self.sign_in(address).await.status, 200);
    }
}

struct Reply {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Reply {
    /// The CSRF token in the page's form.
    fn csrf_token(&self) -> String {
        let (_, rest) = self.text.split_once("name=\"csrf_token\" value=\"").expect("a hidden field");
        rest.split('"').next().unwrap().to_owned()
    }
}

#[tokio::test]
async fn guests_see_the_front_page_only() {
    let mut site = Site::new().await;
    for (path, status) in [
        ("/", 200),
        ("/app.js", 200),
        ("/healthz", 200),
        // It is asked without a link's token, but it may be asked.
        ("/verify-email", 400),
        ("/notes", 401),
        ("/admin", 401),
        ("/nothing", 401),
        ("/auth/me", 401),
    ] {
        assert_eq!(site.get(path).await.status, status, "{path}");
    }
    assert!(
        site.get("/").await.headers["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'")
    );
}

// CS2, CS3: the form works with its token, and not without, nor from elsewhere.
#[tokio::test]
async fn notes_are_written_by_a_form() {
    let mut site = Site::new().await;
    site.sign_up_and_in("ann@example.com").await;
    let token = site.get("/notes").await.csrf_token();
    assert_eq!(site.post_form("/notes", "", "text=forged").await.status, 403);
    let elsewhere = Request::post("/notes").header("content-type", "application/x-www-form-urlencoded");
    let elsewhere = elsewhere.header("origin", "https://evil.example");
    assert_eq!(site.send(elsewhere, format!("text=forged&csrf_token={token}")).await.status, 403);

    assert_eq!(site.post_form("/notes", &token, "text=%3Cb%3Emilk%3C%2Fb%3E").await.status, 303);
    let page = site.get("/notes").await;
    assert!(
        page.text.contains("<li>&lt;b&gt;milk&lt;&#x2f;b&gt;</li>") && !page.text.contains("forged"),
        "{}",
        page.text
    );
    // As many as the plan has room for.
    for status in [303, 303, 402] {
        assert_eq!(site.post_form("/notes", &token, "text=more").await.status, status);
    }
}

// DF1: profile and user come into being together, or neither does.
#[tokio::test]
async fn a_profile_is_made_with_its_user() {
    let mut site = Site::new().await;
    let code = site.sign_up("ann@example.com").await;
    sqlx::query("alter table profiles rename to elsewhere").execute(&site.pool).await.unwrap();
    assert_eq!(site.confirm("ann@example.com", &code).await.status, 500);
    assert_eq!(site.sign_in("ann@example.com").await.status, 401);

    // Nothing was spent: the same code makes both.
    sqlx::query("alter table elsewhere rename to profiles").execute(&site.pool).await.unwrap();
    assert_eq!(site.confirm("ann@example.com", &code).await.status, 200);
    assert_eq!(site.sign_in("ann@example.com").await.status, 200);
    assert!(site.get("/notes").await.text.contains("<p>Ann, plan free."));
}

// RB3: a role counts from the next request on, and the browser gets a new secret with it (SE2).
#[tokio::test]
async fn administrators_give_plans() {
    let mut site = Site::new().await;
    site.sign_up_and_in("ann@example.com").await;
    assert_eq!(site.get("/admin").await.status, 403);

    let (context, email) = (Context::default(), Email::parse("ann@example.com").unwrap());
    let ann = users::find(&site.auth, Actor::Operator, &email, &context).await.unwrap();
    roles::grant(&site.auth, Actor::Operator, ann.id, Role::admin(), &context).await.unwrap();
    let before = site.cookies.clone();
    let page = site.get("/admin").await;
    assert_eq!(page.status, 200);
    assert_ne!(site.cookies["session"], before["session"]);
    assert!(page.text.contains("ann@example.com: free"));

    let token = page.csrf_token();
    assert_eq!(site.post_form("/admin/plan", &token, "email=nobody@example.com&plan=pro").await.status, 404);
    assert_eq!(site.post_form("/admin/plan", &token, "email=ann@example.com&plan=pro").await.status, 303);
    assert!(site.get("/admin").await.text.contains("ann@example.com: pro"));
    for _ in 0..5 {
        assert_eq!(site.post_form("/notes", &token, "text=more").await.status, 303);
    }
    // The old secret opens nothing any more.
    site.cookies = before;
    assert_eq!(site.get("/notes").await.status, 401);
}
