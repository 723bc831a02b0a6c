//! RB1: what isn't marked as public needs a session.

use auth_http::AuthHttp;
use auth_rocket::{DenyByDefault, Portcullis};
use auth_testkit::Call as Asked;
use http::Method;
use rocket::fairing::AdHoc;
use rocket::http::Method as RocketMethod;
use rocket::{delete, get, head, patch, post, routes};

use crate::host::Call;
use crate::web::{self, App, Server};

#[get("/")]
fn home() -> &'static str {
    "home"
}

#[get("/account")]
fn account() -> &'static str {
    "account"
}

#[get("/any")]
fn any() -> &'static str {
    "any"
}

#[patch("/any")]
fn any_patched() -> &'static str {
    "any"
}

#[get("/<slug>")]
fn article(slug: &str) -> String {
    format!("article {slug}")
}

#[post("/<slug>")]
fn comment(slug: &str) -> String {
    format!("comment on {slug}")
}

/// Not public, before one that is.
#[get("/drafts")]
fn drafts() -> &'static str {
    "drafts"
}

/// Passes on what is no number.
#[get("/number/<number>")]
fn number(number: u32) -> String {
    format!("number {number}")
}

#[get("/number/<word>", rank = 5)]
fn word(word: &str) -> String {
    format!("word {word}")
}

#[get("/<path..>")]
fn file(path: std::path::PathBuf) -> String {
    format!("file {}", path.display())
}

#[get("/assets-of-mine")]
fn mine() -> &'static str {
    "mine"
}

#[head("/headed")]
fn headed() -> &'static str {
    "headed"
}

#[delete("/any?<all>")]
fn any_deleted(all: bool) -> String {
    all.to_string()
}

/// An application of every kind of route, of which some are marked.
fn app(auth: &AuthHttp) -> App {
    let deny = DenyByDefault::new()
        .public(RocketMethod::Get, "/")
        .public(RocketMethod::Get, "/blog/<slug>")
        .public(RocketMethod::Patch, "/any")
        .public(RocketMethod::Get, "/number/<number>")
        .public(RocketMethod::Get, "/accounts") // there is none
        .public_below("/assets");
    let rocket = web::quiet()
        .mount("/", routes![home, account, any, any_patched, number, word, mine, headed, any_deleted])
        .mount("/blog", routes![article, comment, drafts])
        .mount("/assets", routes![file])
        .mount("/private", routes![file])
        .attach(Portcullis::new(auth).with_root_routes().deny_by_default(deny))
        .attach(AdHoc::on_ignite("late", |rocket| Box::pin(async { rocket.mount("/late", routes![account]) })));
    Server::new(rocket)
}

// RB1: method by method and path by path.
#[tokio::test]
async fn rb1_what_is_not_marked_needs_a_session() {
    let world = web::world().await;
    let app = app(world.http());
    let token = world.signed_in(false, &["user"]).await.secret().to_owned();
    let (get, post) = (Method::GET, Method::POST);
    for (method, path, guest, user) in [
        (&get, "/", 200, 200),
        (&Method::HEAD, "/", 200, 200),
        (&post, "/", 401, 404),
        (&get, "/account", 401, 200),
        (&get, "//account", 401, 200),
        (&get, "/%61ccount", 401, 200),
        (&Method::HEAD, "/account", 401, 200),
        (&get, "/accounts", 401, 404),
        (&get, "/any", 401, 200),
        (&Method::PATCH, "/any", 200, 200),
        (&Method::DELETE, "/any?all=true", 401, 200),
        (&get, "/blog/first", 200, 200),
        (&get, "/blog/drafts", 401, 200),
        (&get, "/blog/%64rafts", 401, 200),
        (&post, "/blog/first", 401, 200),
        (&get, "/blog", 401, 404),
        // A route that is public may pass on to one that isn't.
        (&get, "/number/7", 200, 200),
        (&get, "/number/seven", 401, 200),
        (&get, "/assets", 200, 200),
        (&get, "/assets/site.css", 200, 200),
        (&get, "//assets/site.css", 401, 200),
        (&post, "/assets/site.css", 404, 404),
        (&get, "/assets-of-mine", 401, 200),
        (&get, "/private/site.css", 401, 200),
        (&Method::HEAD, "/headed", 401, 200),
        (&Method::OPTIONS, "/account", 401, 404),
        (&get, "/late/account", 401, 200),
        (&get, "/nothing", 401, 404),
        (&get, "/healthz", 200, 200),
        // Ours answer for themselves, also where there is nothing.
        (&get, "/v1/auth/me", 401, 200),
        (&get, "/v1/auth/login", 405, 405),
        (&get, "/v1/auth", 404, 404),
        (&get, "/v1/auth/nothing", 404, 404),
        (&post, "/v1/auth/password/reset/request", 400, 400),
    ] {
        let as_guest = Call::new(method.clone(), path).send(&app).await.status;
        let as_user = Call::new(method.clone(), path).bearer(&token).send(&app).await.status;
        assert_eq!((as_guest, as_user), (guest, user), "{method} {path}");
    }
    let denied = Call::get("/account").bearer("dead").send(&app).await;
    assert_eq!(denied.verdict(), "401 UNAUTHORIZED");
    assert_eq!(denied.headers["www-authenticate"], "Bearer");
}

// RB1: what a fairing mounts after all others isn't known here, and is not come to.
#[tokio::test]
async fn rb1_later_routes_are_not_come_to() {
    let world = web::world().await;
    let later = AdHoc::on_ignite("attaches another", |rocket| {
        Box::pin(async {
            rocket.attach(AdHoc::on_ignite("later", |rocket| Box::pin(async { rocket.mount("/", routes![account]) })))
        })
    });
    let portcullis = Portcullis::new(world.http()).deny_by_default(DenyByDefault::new());
    let app = Server::new(web::quiet().attach(portcullis).attach(later));
    let token = world.signed_in(false, &["user"]).await.secret().to_owned();
    assert_eq!(Call::get("/account").send(&app).await.verdict(), "401 UNAUTHORIZED");
    assert_eq!(Call::get("/account").bearer(&token).send(&app).await.status, 404);
}

// Nobody is looked up for what is public.
#[tokio::test]
async fn public_routes_cost_no_query() {
    let world = web::world().await;
    let app = app(world.http());
    let token = world.signed_in(false, &["user"]).await.secret().to_owned();
    world.counting().take();
    for path in ["/", "/blog/first", "/assets/site.css"] {
        assert_eq!(Call::get(path).bearer(&token).send(&app).await.status, 200);
    }
    assert_eq!(world.counting().take(), []);
    assert_eq!(Call::get("/account").bearer(&token).send(&app).await.text, "account");
    assert_eq!(world.counting().take(), [Asked::FindSession]);
}

#[test]
fn marks_that_mean_nothing_are_refused() {
    for folder in ["/", "", "assets", "/assets/", "/<tenant>"] {
        let marked = std::panic::catch_unwind(|| DenyByDefault::new().public_below(folder));
        assert!(marked.is_err(), "{folder}");
    }
    assert!(std::panic::catch_unwind(|| DenyByDefault::new().public(RocketMethod::Get, "x")).is_err());
}
