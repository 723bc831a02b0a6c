//! The application from outside, in process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::sync::Arc;

use portcullis::domain::{Context, Email, MailKind, Role};
use portcullis::flow::{Actor, mail, roles, users};
use portcullis::keys::{KeyRing, Pepper};
use portcullis::sqlx::SqliteStore;
use portcullis::testkit::{FastHasher, Inbox};
use portcullis::{Auth, AuthHttp, HttpSettings, Parts, Profile, Settings};
use rocket::http::{ContentType, Header, Status};
use rocket::local::asynchronous::{Client, LocalResponse};
use rocket_sqlx_sqlite::app;
use serde_json::json;

const ORIGIN: &str = "http://127.0.0.1:8000";

/// The application on an empty database, and a browser.
struct Site {
    browser: Client,
    auth: Arc<Auth>,
    inbox: Inbox,
    _folder: tempfile::TempDir,
}

impl Site {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::connect(&format!("sqlite://{}/app.db", folder.path().display())).await.unwrap();
        store.migrate().await.unwrap();
        let ring = KeyRing::new(&Pepper::new((0..32).collect::<Vec<u8>>()).unwrap(), &[]);
        let parts = Parts::new(Arc::new(store), ring, Settings::new(ORIGIN)).unwrap();
        let auth = Auth::start(Parts { hasher: Arc::new(FastHasher::default()), ..parts }).await.unwrap();
        let http = AuthHttp::new(auth.clone(), [Profile::sessions()], HttpSettings::default()).unwrap();
        let quiet = rocket::Config { log_level: rocket::log::LogLevel::Off, ..rocket::Config::debug_default() };
        // Keeps cookies as a browser does.
        let browser = Client::tracked(app::rocket(rocket::custom(quiet), &http)).await.unwrap();
        Self { browser, auth, inbox: Inbox::new(), _folder: folder }
    }

    /// A local request has its cookies beside its headers; what comes over a socket has them in one.
    fn cookies(&self) -> Header<'static> {
        let cookies = self.browser.cookies();
        let pairs: Vec<_> = cookies.iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect();
        Header::new("cookie", pairs.join("; "))
    }

    async fn get(&self, path: &'static str) -> (Status, String) {
        read(self.browser.get(path).header(self.cookies()).dispatch().await).await
    }

    async fn post(&self, path: &'static str, kind: ContentType, body: String) -> (Status, String) {
        let request = self.browser.post(path).header(self.cookies()).header(Header::new("origin", ORIGIN));
        read(request.header(kind).body(body).dispatch().await).await
    }

    async fn post_json(&self, path: &'static str, body: serde_json::Value) -> Status {
        self.post(path, ContentType::JSON, body.to_string()).await.0
    }

    async fn post_form(&self, path: &'static str, form: &str) -> Status {
        self.post(path, ContentType::Form, form.to_owned()).await.0
    }

    async fn sign_up_and_in(&self, address: &str) {
        let password = "quietly harvest umbrella";
        let credentials = json!({ "email": address, "password": password });
        assert_eq!(self.post_json("/auth/register", credentials.clone()).await, Status::Accepted);
        mail::deliver(&self.auth, &self.inbox).await.unwrap();
        let code = self.inbox.code(&Email::parse(address).unwrap(), MailKind::Verify);
        let confirmed = self.post_json("/auth/verify/confirm", json!({ "email": address, "code": code })).await;
        assert_eq!(confirmed, Status::Ok);
        assert_eq!(self.post_json("/auth/login", credentials).await, Status::Ok);
    }

    /// The CSRF token in the page's form.
    async fn csrf_token(&self) -> String {
        let (_, page) = self.get("/book").await;
        let (_, rest) = page.split_once("name=\"csrf_token\" value=\"").expect("a hidden field");
        rest.split('"').next().unwrap().to_owned()
    }
}

async fn read(response: LocalResponse<'_>) -> (Status, String) {
    (response.status(), response.into_string().await.unwrap_or_default())
}

#[tokio::test]
async fn guests_see_the_front_page_only() {
    let site = Site::new().await;
    assert!(site.get("/").await.1.contains("stranger"));
    for (path, status) in [("/healthz", 200), ("/book", 401), ("/nothing", 401), ("/auth/me", 401), ("/auth/x", 404)] {
        assert_eq!(site.get(path).await.0.code, status, "{path}");
    }
}

#[tokio::test]
async fn members_write_in_the_book() {
    let site = Site::new().await;
    site.sign_up_and_in("ann@example.com").await;
    assert!(site.get("/").await.1.contains("ann@example.com"));
    let token = site.csrf_token().await;
    assert_eq!(site.post_form("/book", "text=Hi").await, Status::Forbidden);
    assert_eq!(site.post_form("/book", &format!("csrf_token={token}&text=Hi+%3Cb%3E")).await, Status::SeeOther);
    assert!(site.get("/book").await.1.contains("<li>ann@example.com: Hi &lt;b&gt;</li>"));
    assert_eq!(site.post_form("/book", &format!("csrf_token={token}&text=")).await, Status::UnprocessableEntity);
}

#[tokio::test]
async fn administrators_clear_it() {
    let site = Site::new().await;
    site.sign_up_and_in("ann@example.com").await;
    let token = site.csrf_token().await;
    site.post_form("/book", &format!("csrf_token={token}&text=Hi")).await;
    assert_eq!(site.post_form("/book/clear", &format!("csrf_token={token}")).await, Status::Forbidden);
    let ann = Email::parse("ann@example.com").unwrap();
    let user = users::find(&site.auth, Actor::Operator, &ann, &Context::default()).await.unwrap();
    roles::grant(&site.auth, Actor::Operator, user.id, Role::admin(), &Context::default()).await.unwrap();
    // The next reply brings a new secret, which the browser keeps.
    assert_eq!(site.post_form("/book/clear", &format!("csrf_token={token}")).await, Status::SeeOther);
    assert!(!site.get("/book").await.1.contains("Hi"));
}
