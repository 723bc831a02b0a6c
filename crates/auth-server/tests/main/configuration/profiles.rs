//! Which routes there are, how credentials travel, and under which cookies.

use hyper::Method;
use hyper::header::{COOKIE, HeaderName, SET_COOKIE};
use serde_json::{Value, json};

use crate::support::client::{Call, Client, Reply};
use crate::support::database::{Backend, Site, on_each_backend};
use crate::support::person::Person;
use crate::support::process::{Home, Server};

const X_CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");

on_each_backend!(en8_a_browser_signs_up_and_out);

/// EN8, CS1, CS2: with the profile `sessions` a registration tells nothing, and is a user once its mail is confirmed; then
/// cookies carry the session, and a CSRF token is asked for.
async fn en8_a_browser_signs_up_and_out(backend: Backend) {
    let Some(site) = Site::on(backend).await else { return };
    let home = site.home.with("AUTH_PROFILE", "sessions").with("SESSION_TTL_DAYS", "1");
    let server = home.start().await;
    let client = server.client();
    let person = Person::new();
    assert_eq!(client.get("/me").send().await.status, 404, "no tokens here");
    assert_eq!(post(&client, "/auth/register", &person.credentials()).expect(202).await, json!({}));
    post(&client, "/auth/login", &person.credentials()).problem(401, "UNAUTHORIZED").await;
    let code = home.mails().wait_for(&person.email, "verify").await.code();
    let body = json!({ "email": person.email, "code": code });
    post(&client, "/auth/verify/confirm", &body).expect(200).await;
    assert_eq!(post(&client, "/auth/register", &person.credentials()).expect(202).await, json!({}));
    home.mails().wait_for(&person.email, "exists").await;

    let reply = post(&client, "/auth/login", &person.credentials()).send().await;
    let csrf = reply.expect(200)["csrfToken"].as_str().unwrap().to_owned();
    let session = cookie(&reply, "session").unwrap();
    assert!(session.contains("HttpOnly") && session.contains("SameSite=Strict"), "{session}");
    let max_age = session.split("Max-Age=").nth(1).unwrap().split(';').next().unwrap().parse::<u32>().unwrap();
    assert!((86_300..=86_400).contains(&max_age), "{session}");
    assert!(cookie(&reply, "csrf").unwrap().contains(&csrf));

    let signed_in = |method: Method, path: &str| client.call(method, path).header(COOKIE, pair(&session));
    let me = signed_in(Method::GET, "/auth/me").expect(200).await;
    assert_eq!(me["user"]["email"], person.email.as_str());
    let sign_out = || signed_in(Method::POST, "/auth/logout");
    sign_out().problem(403, "CSRF_FAILED").await;
    let reply = sign_out().header(X_CSRF_TOKEN, &csrf).send().await;
    assert_eq!((reply.status, cookie(&reply, "session").is_some()), (204, true));
    signed_in(Method::GET, "/auth/me").problem(401, "UNAUTHORIZED").await;
    server.stop().await;
}

/// Several at once, one of them elsewhere: the same users, each with credentials of its own kind.
#[tokio::test]
async fn profiles_share_their_users() {
    let home =
        Home::new().with("AUTH_PROFILE", "tokens, sessions@/web/account").with("AUTH_REGISTER_EXISTING", "conflict");
    let server = home.with("AUTH_METRICS_LISTEN", "127.0.0.1:0").start().await;
    let client = server.client();
    let person = Person::registered(&client).await;
    // One setting for both.
    post(&client, "/web/account/register", &person.credentials()).problem(409, "CONFLICT").await;
    let tokens = person.sign_in(&client).await;
    let reply = post(&client, "/web/account/login", &person.credentials()).send().await;
    let session = cookie(&reply, "session").unwrap();
    let with_cookie = |path: &str| client.call(Method::GET, path).header(COOKIE, pair(&session));
    let sessions = with_cookie("/web/account/sessions").expect(200).await;
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 2, "{sessions}");
    // Each profile takes what it delivers.
    with_cookie("/v1/auth/me").problem(401, "UNAUTHORIZED").await;
    client.call(Method::GET, "/web/account/me").bearer(&tokens.access).problem(401, "UNAUTHORIZED").await;
    tokens.me(&client).expect(200).await;
    assert_eq!(client.root("/auth/me").send().await.status, 404, "it has been moved");
    assert_counted(&server, &["tokens", "sessions"]).await;
}

/// What is registered is told: with `tokens` too, a taken address can be concealed.
#[tokio::test]
async fn en8_registration_is_concealed_where_that_is_set() {
    let server = Home::new().with("AUTH_REGISTER_EXISTING", "conceal").start().await;
    let person = Person::new();
    assert_eq!(person.register(&server.client()).expect(202).await, json!({}));
}

/// CS1: the names, the domain and the lifetime that are set; what isn't has the names that no other host can plant.
#[tokio::test]
async fn cs1_cookies_are_as_they_are_set() {
    let home = Home::new().with("AUTH_PROFILE", "sessions").with("PUBLIC_URL", "https://auth.example.com");
    let home = home.with("AUTH_REGISTER_EXISTING", "conflict");
    let reply = signed_in(&home).await;
    for name in ["__Host-session", "__Host-csrf"] {
        let cookie = cookie(&reply, name).unwrap_or_else(|| panic!("no {name}: {:?}", reply.headers));
        assert!(cookie.contains("Secure") && !cookie.contains("Domain"), "{cookie}");
        assert!(cookie.contains("Max-Age=604") || cookie.contains("Max-Age=603"), "7 days: {cookie}");
    }
    let named = home.clone().with("SESSION_COOKIE_NAME", "sid").with("CSRF_COOKIE_NAME", "xsrf");
    let reply = signed_in(&named.with("COOKIE_DOMAIN", "example.com").with("SESSION_TTL_DAYS", "2")).await;
    for name in ["sid", "xsrf"] {
        let cookie = cookie(&reply, name).unwrap_or_else(|| panic!("no {name}: {:?}", reply.headers));
        assert!(cookie.contains("Secure") && cookie.contains("Domain=example.com"), "{cookie}");
        assert!(cookie.contains("Max-Age=172"), "{cookie}");
    }
    // Where only the limit of all sessions is set, it is that of cookie sessions too.
    let reply = signed_in(&home.with("AUTH_SESSION_MAX", "1000000").with("AUTH_SESSION_IDLE", "1000000")).await;
    assert!(
        cookie(&reply, "__Host-session").unwrap().contains("Max-Age=999")
            || cookie(&reply, "__Host-session").unwrap().contains("Max-Age=1000000")
    );
}

/// SC5: a production configuration can be tried on this machine, where browsers take no such cookies.
#[tokio::test]
async fn sc5_dev_leaves_out_what_needs_https() {
    let home = Home::new().with("AUTH_PROFILE", "sessions").with("PUBLIC_URL", "https://auth.example.com");
    let home = home.with("SESSION_COOKIE_NAME", "__Secure-sid").with("CSRF_COOKIE_NAME", "xsrf");
    let home = home.with("COOKIE_DOMAIN", "example.com");
    home.start().await.stop().await;
    home.start_with(&["serve", "--dev"]).await.stop().await;
    home.without("PUBLIC_URL").refused();
}

/// Registers and signs in at a server of that home.
async fn signed_in(home: &Home) -> Reply {
    let server = home.start().await;
    let client = server.client();
    let person = Person::new();
    post(&client, "/auth/register", &person.credentials()).expect(201).await;
    let reply = post(&client, "/auth/login", &person.credentials()).send().await;
    reply.expect(200);
    server.stop().await;
    reply
}

fn post(client: &Client, path: &str, body: &Value) -> Call {
    client.call(Method::POST, path).json(body)
}

/// The `Set-Cookie` that gives the cookie of that name.
fn cookie(reply: &Reply, name: &str) -> Option<String> {
    let cookies = reply.headers.get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap());
    // Namesakes for other domains are cleared beside it.
    let mut ours = cookies.filter(|cookie| cookie.starts_with(&format!("{name}=")));
    ours.next_back().map(str::to_owned)
}

/// `name=value`, as browsers send it back.
fn pair(set_cookie: &str) -> &str {
    set_cookie.split(';').next().unwrap()
}

async fn assert_counted(server: &Server, profiles: &[&str]) {
    let text = crate::metrics::scrape(server).await.text;
    for profile in profiles {
        assert!(text.contains(&format!(r#"operation="SignIn",profile="{profile}",status="2xx"}} 1"#)), "{text}");
    }
}
