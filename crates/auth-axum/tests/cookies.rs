//! What a cookie authenticates: CSRF, forms, and a new secret after a change of role.

use std::sync::Arc;

use auth_axum::{CsrfToken, CurrentUser, Guards, HasRole};
use auth_core::domain::Role;
use auth_http::AuthHttp;
use auth_testkit::MemoryStore;
use auth_testkit::http::{Cookies, Credentials, Mount, Person, Profile, World};
use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use http::Method;

use crate::host::Call;
use crate::web;

auth_axum::roles! {
    Editor = "editor";
}

const FORM: &str = "application/x-www-form-urlencoded";
const PUBLIC_URL: &str = "https://auth.example.com";

async fn world() -> World {
    World::new(&Mount::new(Arc::new(MemoryStore::new()), web::mounted).speaking(Profile::sessions())).await
}

async fn browser(world: &World) -> (Person, Credentials) {
    let person = world.verified().await;
    let credentials = world.sign_in(&person).await;
    (person, credentials)
}

/// Routes that say what they were sent, behind every kind of guard.
fn app(auth: &AuthHttp) -> Router {
    let echo = async |body: Bytes| body;
    let guarded = Router::new()
        .route("/session", post(echo).layer(auth.require_session()))
        .route("/optional", post(echo).layer(auth.optional_session()))
        .route("/csrf", post(echo).layer(auth.csrf()))
        .route("/verified", post(echo).layer(auth.require_verified()))
        .route("/denied", post(echo).layer(auth.deny_by_default()))
        .route("/both", post(async |_: CurrentUser, body: Bytes| body).layer(auth.require_session()))
        .route(
            "/stacked",
            post(echo)
                .route_layer(auth.require_fresh())
                .route_layer(auth.require_session())
                .route_layer(auth.deny_by_default()),
        );
    guarded
        .route("/extractor", post(async |_: CurrentUser, body: Bytes| body))
        .route("/token", get(async |token: CsrfToken| token.as_str().to_owned()))
        .route("/input", get(async |token: CsrfToken| token.hidden_input()))
        .route("/guests", get(async |token: Option<CsrfToken>| token.is_some().to_string()))
        .with_state(auth.clone())
}

const GUARDED: [&str; 7] = ["/session", "/optional", "/csrf", "/verified", "/denied", "/both", "/stacked"];

fn post_form(path: &str, browser: &Credentials, form: impl Into<String>) -> Call {
    Call::new(Method::POST, path).by(browser).body(FORM, form.into())
}

// CS2: a form needs its session's token, whichever guard it meets; the handler gets it as it was sent.
#[tokio::test]
async fn cs2_forms_carry_the_token() {
    let world = world().await;
    let app = app(world.http());
    let ((_, ann), (_, eve)) = (browser(&world).await, browser(&world).await);
    let token = Call::get("/token").by(&ann).send(&app).await.text;
    assert_eq!(token, ann.cookies().csrf_token());
    let input = Call::get("/input").by(&ann).send(&app).await.text;
    assert_eq!(input, format!("<input type=\"hidden\" name=\"csrf_token\" value=\"{token}\">"));
    for path in GUARDED {
        let sound = format!("text=a%20b&csrf_token={token}");
        let reply = post_form(path, &ann, &sound).header("origin", PUBLIC_URL).send(&app).await;
        assert_eq!((reply.status, reply.text), (200, sound.clone()), "{path}");
        for forged in [
            String::new(),
            "text=a".to_owned(),
            "csrf_token=".to_owned(),
            format!("csrf_token={}", eve.cookies().csrf_token()),
            format!("csrf_token={token}&csrf_token={token}"),
            format!("csrf_token={token}x"),
        ] {
            let reply = post_form(path, &ann, &forged).send(&app).await;
            assert_eq!(reply.verdict(), "403 CSRF_FAILED", "{path}: {forged}");
        }
        // CS3: nor does the right token make up for where it comes from.
        let foreign = post_form(path, &ann, &sound).header("origin", "https://evil.example").send(&app).await;
        assert_eq!(foreign.verdict(), "403 CSRF_FAILED", "{path}");
        // A header that is there decides.
        let header = post_form(path, &ann, &sound).header("x-csrf-token", "x").send(&app).await;
        assert_eq!(header.verdict(), "403 CSRF_FAILED", "{path}");
    }
}

// CS2: bodies that aren't forms carry it in the header, and are not read for it.
#[tokio::test]
async fn cs2_other_bodies_carry_it_in_the_header() {
    let world = world().await;
    let app = app(world.http());
    let (_, ann) = browser(&world).await;
    let token = ann.cookies().csrf_token();
    for path in GUARDED.into_iter().chain(["/extractor"]) {
        for (media_type, body) in [
            ("application/json", format!("{{\"csrf_token\":\"{token}\"}}")),
            ("text/plain", format!("csrf_token={token}")),
            ("multipart/form-data; boundary=x", format!("csrf_token={token}")),
        ] {
            let call = || Call::new(Method::POST, path).by(&ann).body(media_type, body.clone());
            assert_eq!(call().send(&app).await.verdict(), "403 CSRF_FAILED", "{path}, {media_type}");
            let reply = call().header("x-csrf-token", &token).send(&app).await;
            assert_eq!((reply.status, reply.text), (200, body.clone()), "{path}, {media_type}");
        }
    }
    // An extractor alone can't read a form.
    let form = format!("csrf_token={token}");
    assert_eq!(post_form("/extractor", &ann, &form).send(&app).await.verdict(), "403 CSRF_FAILED");
    assert_eq!(post_form("/extractor", &ann, &form).header("x-csrf-token", &token).send(&app).await.status, 200);
}

// IN3: a form is read up to what handlers take, and not for guests.
#[tokio::test]
async fn in3_large_forms_are_refused() {
    let world = world().await;
    let app = app(world.http());
    let (_, ann) = browser(&world).await;
    let form = |size: usize| {
        let field = format!("csrf_token={}&text=", ann.cookies().csrf_token());
        format!("{field}{}", "a".repeat(size - field.len()))
    };
    let most = 2 * 1024 * 1024;
    assert_eq!(post_form("/session", &ann, form(most)).send(&app).await.status, 200);
    assert_eq!(post_form("/session", &ann, form(most + 1)).send(&app).await.verdict(), "413 PAYLOAD_TOO_LARGE");
    let guest = Call::new(Method::POST, "/session").body(FORM, form(most + 1)).send(&app).await;
    assert_eq!(guest.verdict(), "401 UNAUTHORIZED");
}

// CS3: for guests, what is left is where a request comes from. Login CSRF is one, too.
#[tokio::test]
async fn cs3_guests_come_from_here() {
    let world = world().await;
    let app = app(world.http());
    let (_, ann) = browser(&world).await;
    world.post("/logout", serde_json::json!({})).by(&ann).await.expect(204);
    let call = |headers: &[(&'static str, &str)]| {
        headers.iter().fold(Call::new(Method::POST, "/csrf"), |call, (name, value)| call.header(name, value))
    };
    let dead = ann.cookies().header();
    for ours in [&[][..], &[("origin", PUBLIC_URL)], &[("sec-fetch-site", "same-origin")], &[("cookie", &dead)]] {
        assert_eq!(call(ours).send(&app).await.status, 200, "{ours:?}");
    }
    for foreign in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("origin", "https://evil.example"), ("cookie", &dead)],
        &[("origin", "https://auth.example.com.evil.example")],
    ] {
        assert_eq!(call(foreign).send(&app).await.verdict(), "403 CSRF_FAILED", "{foreign:?}");
    }
    assert_eq!(Call::get("/guests").send(&app).await.text, "false");
    assert_eq!(Call::get("/token").send(&app).await.verdict(), "401 UNAUTHORIZED");
}

/// Routes for editors, with a cookie of the application's own.
fn editors(auth: &AuthHttp) -> Router {
    let theirs = async || ([("set-cookie", "theme=dark")], "in");
    Router::new()
        .route("/layer", get(theirs).layer(auth.require_role("editor")))
        .route("/admin", get(theirs).layer(auth.require_role("admin")))
        .route(
            "/stacked",
            get(async |_: HasRole<Editor>| "in")
                .route_layer(auth.require_verified())
                .route_layer(auth.csrf())
                .route_layer(auth.require_session()),
        )
        .route("/extractor", get(async |_: HasRole<Editor>| "in"))
        .with_state(auth.clone())
}

// SE2: a change of role ends the secret at its next use, and the reply has the new one, whatever else it says.
#[tokio::test]
async fn se2_a_layer_hands_out_the_new_secret() {
    let world = world().await;
    let app = editors(world.http());
    for (path, status) in [("/layer", 200), ("/admin", 403), ("/stacked", 200)] {
        let (person, before) = browser(&world).await;
        assert_eq!(Call::get(path).by(&before).send(&app).await.status, 403);
        world.grant(&person, Role::parse("editor").unwrap()).await;
        let reply = Call::get(path).by(&before).send(&app).await;
        assert_eq!(reply.status, status, "{path}");
        assert_eq!(reply.set_cookies().contains(&"theme=dark"), path == "/layer", "{path}");
        let secret = reply.new_secret().expect("a new secret");
        let after = |path| Call::get(path).header("cookie", &format!("__Host-session={secret}"));
        assert_eq!(after(path).send(&app).await.status, status);
        assert_eq!(after(path).send(&app).await.new_secret(), None);
        assert_eq!(Call::get(path).by(&before).send(&app).await.verdict(), "401 UNAUTHORIZED");
    }
}

// RB3: an extractor alone can't, and nobody is signed out by that; the role counts all the same.
#[tokio::test]
async fn rb3_an_extractor_leaves_the_secret() {
    let world = world().await;
    let app = editors(world.http());
    let (person, ann) = browser(&world).await;
    assert_eq!(Call::get("/extractor").by(&ann).send(&app).await.status, 403);
    world.grant(&person, Role::parse("editor").unwrap()).await;
    for _ in 0..2 {
        let reply = Call::get("/extractor").by(&ann).send(&app).await;
        assert_eq!((reply.status, reply.set_cookies()), (200, vec![]));
    }
    // The next request to Portcullis itself replaces it.
    let me = world.get("/me").by(&ann).await;
    assert_ne!(Cookies::default().after(&me).value("session"), ann.secret());
    assert_eq!(Call::get("/extractor").by(&ann).send(&app).await.status, 401);
}
