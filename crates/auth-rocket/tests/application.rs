//! An application with routes of its own beside ours.

use auth_http::AuthHttp;
use auth_rocket::{CurrentSession, CurrentUser, Portcullis};
use auth_testkit::Call as Asked;
use rocket::{State, get, post, routes};

use crate::host::Call;
use crate::web::{self, App, Server};

#[get("/")]
fn home() -> &'static str {
    "home"
}

#[get("/hello")]
fn hello(user: CurrentUser) -> String {
    user.email.to_string()
}

#[get("/both")]
fn both(user: CurrentUser, session: CurrentSession) -> String {
    (user.id == session.user).to_string()
}

#[get("/managed")]
fn managed(auth: &State<AuthHttp>) -> String {
    auth.profiles().len().to_string()
}

#[post("/extra")]
fn extra() -> &'static str {
    "extra"
}

fn application(auth: &AuthHttp) -> App {
    let rocket = web::quiet().mount("/", routes![home, hello, both, managed]).mount("/v1/auth", routes![extra]);
    Server::new(rocket.attach(Portcullis::new(auth)))
}

#[tokio::test]
async fn guards_guard_the_applications_routes() {
    let world = web::world().await;
    let app = application(world.http());
    let person = world.registered().await;
    let token = world.sign_in(&person).await.secret().to_owned();
    assert_eq!(Call::get("/hello").bearer(&token).send(&app).await.text, person.email);
    world.counting().take();
    assert_eq!(Call::get("/both").bearer(&token).send(&app).await.text, "true");
    assert_eq!(world.counting().take(), [Asked::FindSession], "two guards, one query");
    assert_eq!(Call::get("/managed").send(&app).await.text, "1");
    for (path, bearer) in [("/hello", None), ("/hello", Some("dead")), ("/both", None)] {
        let call = bearer.iter().fold(Call::get(path), |call, bearer| call.bearer(bearer));
        let reply = call.send(&app).await;
        assert_eq!(reply.verdict(), "401 UNAUTHORIZED");
        assert_eq!(reply.headers["www-authenticate"], "Bearer");
    }
}

// Below the prefix everything is ours but what the application has put there; outside it nothing is: neither root routes nor
// the application's 404.
#[tokio::test]
async fn the_application_keeps_its_own_paths() {
    let world = web::world().await;
    let app = application(world.http());
    assert_eq!(Call::get("/").send(&app).await.text, "home");
    assert_eq!(Call::new(http::Method::POST, "/v1/auth/extra").send(&app).await.text, "extra");
    for path in ["/healthz", "/nothing", "/v1/authx"] {
        assert_eq!(Call::get(path).send(&app).await.text, "the application's 404", "{path}");
    }
    for path in ["/v1/auth", "/v1/auth/", "/v1/auth/nothing", "/v1/auth/me/", "/v1/auth//me", "/v1/auth/%6De"] {
        assert_eq!(Call::get(path).send(&app).await.verdict(), "404 NOT_FOUND", "{path}");
    }
    let head = Call::new(http::Method::HEAD, "/v1/auth/me").send(&app).await;
    assert_eq!((head.status, head.text.as_str()), (401, ""));
    assert_ne!(head.headers["content-length"], "0");
    for (method, path) in [("OPTIONS", "/v1/auth/me"), ("TRACE", "/v1/auth/me"), ("BREW", "/v1/auth/me")] {
        let reply = Call::new(method.parse().unwrap(), path).send(&app).await;
        assert_eq!(reply.verdict(), "405 METHOD_NOT_ALLOWED", "{method}");
        assert!(reply.headers["allow"].to_str().unwrap().contains("PATCH"), "{reply:?}");
    }
}

#[tokio::test]
async fn root_routes_come_when_asked_for() {
    let world = web::world().await;
    let app = Server::new(web::quiet().attach(Portcullis::new(world.http()).with_root_routes()));
    assert_eq!(Call::get("/healthz").send(&app).await.text, "{\"status\":\"ok\"}");
    assert_eq!(Call::get("/nothing").send(&app).await.text, "the application's 404");
}

// CS4: Rocket makes another method of what a form says; any page may send a form, and none may send a DELETE.
#[tokio::test]
async fn cs4_a_form_stays_a_post() {
    let world = web::world().await;
    let app = application(world.http());
    let token = world.signed_in(true, &["user"]).await.secret().to_owned();
    for method in ["delete", "patch", "get", "options"] {
        let form = format!("_method={method}&password=x");
        let call = Call::new(http::Method::POST, "/v1/auth/me").bearer(&token);
        let reply = call.body("application/x-www-form-urlencoded", form).send(&app).await;
        assert_eq!(reply.verdict(), "405 METHOD_NOT_ALLOWED", "{method}");
    }
    let extra = Call::new(http::Method::POST, "/v1/auth/login");
    let reply = extra.body("application/x-www-form-urlencoded", "_method=get&a=b").send(&app).await;
    assert_eq!(reply.verdict(), "415 UNSUPPORTED_MEDIA_TYPE");
}

// RL1: whose address counts is not hearsay, as Rocket's own would be.
#[tokio::test]
async fn rl1_no_header_makes_another_client() {
    let world = web::world().await;
    let app = application(world.http());
    let mut last = 0;
    for client in 0..601 {
        let address = format!("198.51.{}.{}", client / 256, client % 256);
        last = Call::get("/v1/auth/me").header("x-real-ip", &address).send(&app).await.status;
    }
    assert_eq!(last, 429);
}

// A guard without the fairing has nobody to ask.
#[tokio::test]
async fn guards_need_the_fairing() {
    let launched = web::quiet().mount("/", routes![hello]).ignite().await;
    assert!(matches!(launched.unwrap_err().kind(), rocket::error::ErrorKind::SentinelAborts(_)));
}

#[tokio::test]
async fn one_fairing_is_enough() {
    let world = web::world().await;
    let twice = web::quiet().attach(Portcullis::new(world.http())).attach(Portcullis::new(world.http()));
    assert!(matches!(twice.ignite().await.unwrap_err().kind(), rocket::error::ErrorKind::FailedFairings(_)));
}
