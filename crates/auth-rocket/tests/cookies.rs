//! What a cookie authenticates: CSRF, forms, and a new secret after a change of role.

use std::sync::Arc;

use auth_core::domain::Role;
use auth_http::AuthHttp;
use auth_rocket::{Admin, Csrf, CsrfForm, CsrfToken, CurrentUser, HasRole, Maybe, Portcullis, VerifiedUser};
use auth_testkit::MemoryStore;
use auth_testkit::http::{Credentials, Mount, Person, Profile, World};
use http::Method;
use rocket::form::Form;
use rocket::http::{CookieJar, Status};
use rocket::{FromForm, delete, get, post, routes};

use crate::host::Call;
use crate::web::{self, App, Server};

auth_rocket::roles! {
    Editor = "editor";
}

const FORM: &str = "application/x-www-form-urlencoded";
const PUBLIC_URL: &str = "https://auth.example.com";

pub(crate) async fn world() -> World {
    World::new(&Mount::new(Arc::new(MemoryStore::new()), web::mounted).speaking(Profile::sessions())).await
}

pub(crate) async fn browser(world: &World) -> (Person, Credentials) {
    let person = world.verified().await;
    let credentials = world.sign_in(&person).await;
    (person, credentials)
}

#[derive(FromForm)]
struct Note {
    text: String,
}

#[post("/user", data = "<note>")]
fn user(_user: CurrentUser, note: Form<Note>) -> String {
    note.into_inner().text
}

#[post("/maybe", data = "<note>")]
fn maybe(user: Maybe<CurrentUser>, note: Form<Note>) -> String {
    assert!(user.is_some());
    note.into_inner().text
}

#[post("/csrf", data = "<note>")]
fn csrf(_csrf: Csrf, note: Option<Form<Note>>) -> String {
    note.map(|note| note.into_inner().text).unwrap_or_default()
}

#[post("/verified", data = "<note>")]
fn verified(_user: VerifiedUser, _same: CurrentUser, note: Form<Note>) -> String {
    note.into_inner().text
}

#[post("/form", data = "<note>")]
fn form(note: CsrfForm<Note>) -> Result<String, Status> {
    note.signed().ok_or(Status::ImATeapot)?;
    Ok(note.into_inner().text)
}

#[post("/form/and/user", data = "<note>")]
fn form_and_user(user: CurrentUser, note: CsrfForm<Note>) -> String {
    assert_eq!(Some(user.id), note.signed().map(|signed| signed.user.id));
    note.text.clone()
}

#[post("/body", data = "<body>")]
fn body(_user: CurrentUser, body: String) -> String {
    body
}

#[delete("/overridden")]
fn overridden(_user: CurrentUser) -> &'static str {
    "deleted"
}

#[get("/token")]
fn token(token: CsrfToken) -> String {
    token.as_str().to_owned()
}

#[get("/input")]
fn input(token: CsrfToken) -> String {
    token.hidden_input()
}

#[get("/guests")]
fn guests(token: Maybe<CsrfToken>) -> String {
    token.is_some().to_string()
}

#[get("/publish")]
fn publish(_editor: HasRole<Editor>) -> &'static str {
    "in"
}

#[get("/admin")]
fn admin(_admin: HasRole<Admin>) -> &'static str {
    "in"
}

#[get("/themed")]
fn themed(_editor: HasRole<Editor>, cookies: &CookieJar<'_>) -> &'static str {
    cookies.add(("theme", "dark"));
    "in"
}

fn app(auth: &AuthHttp) -> App {
    let routes = routes![
        user,
        maybe,
        csrf,
        verified,
        form,
        form_and_user,
        body,
        overridden,
        token,
        input,
        guests,
        publish,
        admin,
        themed
    ];
    Server::new(web::quiet().mount("/", routes).attach(Portcullis::new(auth)))
}

const GUARDED: [&str; 6] = ["/user", "/maybe", "/csrf", "/verified", "/form", "/form/and/user"];

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
        for sound in [format!("text=a%20b&csrf_token={token}"), format!("csrf_token={token}&text=a+b")] {
            let reply = post_form(path, &ann, &sound).header("origin", PUBLIC_URL).send(&app).await;
            assert_eq!((reply.status, reply.text.as_str()), (200, "a b"), "{path}: {sound}");
        }
        for forged in [
            String::new(),
            "text=a".to_owned(),
            "csrf_token=&text=a".to_owned(),
            format!("csrf_token={}&text=a", eve.cookies().csrf_token()),
            format!("csrf_token={token}&csrf_token={token}&text=a"),
            format!("csrf_token={token}x&text=a"),
        ] {
            let reply = post_form(path, &ann, &forged).send(&app).await;
            assert_eq!(reply.verdict(), "403 CSRF_FAILED", "{path}: {forged}");
        }
        // CS3: nor does the right token make up for where it comes from.
        let sound = format!("csrf_token={token}&text=a");
        let foreign = post_form(path, &ann, &sound).header("origin", "https://evil.example").send(&app).await;
        assert_eq!(foreign.verdict(), "403 CSRF_FAILED", "{path}");
        // A header that is there decides.
        let header = post_form(path, &ann, &sound).header("x-csrf-token", "x").send(&app).await;
        assert_eq!(header.verdict(), "403 CSRF_FAILED", "{path}");
        let header = post_form(path, &ann, "text=a").header("x-csrf-token", &token).send(&app).await;
        assert_eq!(header.status, 200, "{path}");
    }
}

// CS2: guards see how a form begins; a form guard sees all of it. A token cut off by the end of what is seen is none.
#[tokio::test]
async fn cs2_a_late_token_is_for_form_guards() {
    let world = world().await;
    let app = app(world.http());
    let (_, ann) = browser(&world).await;
    let token = ann.cookies().csrf_token();
    for length in [400, 480, 512, 600, 5000] {
        let late = format!("text={}&csrf_token={token}&end=", "a".repeat(length));
        let is_seen = late.len() - "end=".len() <= 512;
        for path in GUARDED {
            let is_taken = is_seen || path == "/form";
            let reply = post_form(path, &ann, &late).send(&app).await;
            assert_eq!(reply.status, if is_taken { 200 } else { 403 }, "{path}, {length}: {reply:?}");
        }
    }
}

// CS2: bodies that aren't forms carry it in the header.
#[tokio::test]
async fn cs2_other_bodies_carry_it_in_the_header() {
    let world = world().await;
    let app = app(world.http());
    let (_, ann) = browser(&world).await;
    let token = ann.cookies().csrf_token();
    for (media_type, body) in [
        ("application/json", format!("{{\"csrf_token\":\"{token}\"}}")),
        ("text/plain", format!("csrf_token={token}")),
        ("multipart/form-data; boundary=x", format!("csrf_token={token}")),
    ] {
        let call = || Call::new(Method::POST, "/body").by(&ann).body(media_type, body.clone());
        assert_eq!(call().send(&app).await.verdict(), "403 CSRF_FAILED", "{media_type}");
        let reply = call().header("x-csrf-token", &token).send(&app).await;
        assert_eq!((reply.status, reply.text), (200, body.clone()), "{media_type}");
    }
    let part = "--x\r\ncontent-disposition: form-data; name=\"text\"\r\n\r\nlong\r\n--x--\r\n";
    for (headers, status) in [(None, 403), (Some(&token), 200)] {
        let call = Call::new(Method::POST, "/form").by(&ann).body("multipart/form-data; boundary=x", part);
        let call = headers.iter().fold(call, |call, token| call.header("x-csrf-token", token));
        assert_eq!(call.send(&app).await.status, status);
    }
}

// IN3: a form is read up to Rocket's limit, and what isn't one is the application's to answer.
#[tokio::test]
async fn in3_large_forms_are_refused() {
    let world = world().await;
    let app = app(world.http());
    let (_, ann) = browser(&world).await;
    let form = |size: usize| {
        let field = format!("csrf_token={}&text=", ann.cookies().csrf_token());
        format!("{field}{}", "a".repeat(size - field.len()))
    };
    let most = 32 * 1024;
    assert_eq!(post_form("/form", &ann, form(most)).send(&app).await.status, 200);
    assert_eq!(post_form("/form", &ann, form(most + 1)).send(&app).await.verdict(), "413 PAYLOAD_TOO_LARGE");
    let incomplete = format!("csrf_token={}", ann.cookies().csrf_token());
    assert_eq!(post_form("/form", &ann, incomplete).send(&app).await.text, "the application's 422");
}

// CS4: the method that a form asks for changes nothing about what it has to show.
#[tokio::test]
async fn cs4_an_overridden_method_needs_the_token_too() {
    let world = world().await;
    let app = app(world.http());
    let (_, ann) = browser(&world).await;
    let token = ann.cookies().csrf_token();
    assert_eq!(post_form("/overridden", &ann, "_method=delete").send(&app).await.verdict(), "403 CSRF_FAILED");
    let sound = format!("_method=delete&csrf_token={token}");
    assert_eq!(post_form("/overridden", &ann, sound).send(&app).await.text, "deleted");
}

// CS3: for guests, what is left is where a request comes from. Login CSRF is one, too.
#[tokio::test]
async fn cs3_guests_come_from_here() {
    let world = world().await;
    let app = app(world.http());
    let (_, ann) = browser(&world).await;
    world.post("/logout", serde_json::json!({})).by(&ann).await.expect(204);
    let dead = ann.cookies().header();
    for path in ["/csrf", "/form"] {
        let call = |headers: &[(&'static str, &str)]| {
            let call = Call::new(Method::POST, path).body(FORM, "text=a");
            headers.iter().fold(call, |call, (name, value)| call.header(name, value))
        };
        for ours in [&[][..], &[("origin", PUBLIC_URL)], &[("sec-fetch-site", "same-origin")], &[("cookie", &dead)]] {
            let guest = if path == "/form" { 418 } else { 200 };
            assert_eq!(call(ours).send(&app).await.status, guest, "{path}: {ours:?}");
        }
        for foreign in [
            &[("origin", "https://evil.example")][..],
            &[("origin", "null")],
            &[("sec-fetch-site", "cross-site")],
            &[("origin", "https://evil.example"), ("cookie", &dead)],
            &[("origin", "https://auth.example.com.evil.example")],
        ] {
            assert_eq!(call(foreign).send(&app).await.verdict(), "403 CSRF_FAILED", "{path}: {foreign:?}");
        }
    }
    assert_eq!(Call::get("/guests").send(&app).await.text, "false");
    assert_eq!(Call::get("/token").send(&app).await.verdict(), "401 UNAUTHORIZED");
}

// SE2: a change of role ends the secret at its next use, and the reply has the new one, whatever else it says.
#[tokio::test]
async fn se2_a_guard_hands_out_the_new_secret() {
    let world = world().await;
    let app = app(world.http());
    for (path, status) in [("/publish", 200), ("/guests", 200), ("/admin", 403), ("/themed", 200)] {
        let (person, before) = browser(&world).await;
        world.grant(&person, Role::parse("editor").unwrap()).await;
        let reply = Call::get(path).by(&before).send(&app).await;
        assert_eq!(reply.status, status, "{path}");
        let is_themed = reply.set_cookies().iter().any(|cookie| cookie.starts_with("theme=dark"));
        assert_eq!(is_themed, path == "/themed", "{reply:?}");
        let secret = reply.new_secret().expect("a new secret");
        let after = |path| Call::get(path).header("cookie", &format!("__Host-session={secret}"));
        let again = after(path).send(&app).await;
        assert_eq!((again.status, again.new_secret()), (status, None), "{path}");
        assert_eq!(Call::get("/token").by(&before).send(&app).await.verdict(), "401 UNAUTHORIZED");
    }
}
