//! What is refused is answered with a problem, whatever catchers the application has.

use auth_core::domain::Role;
use auth_http::AuthHttp;
use auth_rocket::{CurrentUser, DenyByDefault, HasRole, Maybe, Portcullis, Rejection};
use rocket::fairing::AdHoc;
use rocket::http::Status;
use rocket::response::Redirect;
use rocket::{Request, catch, catchers, get, routes};

use crate::host::Call;
use crate::web::{self, App, Server};

auth_rocket::roles! {
    Editor = "editor";
}

#[get("/")]
fn account(_user: CurrentUser) -> &'static str {
    "in"
}

#[get("/publish")]
fn publish(_editor: HasRole<Editor>) -> &'static str {
    "in"
}

#[get("/maybe")]
fn maybe(_user: Maybe<CurrentUser>) -> &'static str {
    "in"
}

/// Refuses by itself, with the status of ours.
#[get("/own")]
fn own(user: Option<CurrentUser>) -> Result<&'static str, (Status, &'static str)> {
    user.map(|_| "in").ok_or((Status::Unauthorized, "the application says no"))
}

#[get("/passed")]
fn passed(user: Result<CurrentUser, Rejection>) -> Result<&'static str, Rejection> {
    user.map(|_| "in")
}

#[get("/panics")]
fn panics(_user: CurrentUser) -> &'static str {
    panic!("on purpose")
}

#[catch(401)]
fn sign_in() -> Redirect {
    Redirect::to("/sign-in")
}

#[catch(default)]
fn sorry(_: Status, _: &Request<'_>) -> Redirect {
    Redirect::to("/sorry")
}

#[catch(599)]
fn impostor() -> &'static str {
    "the application's own 599"
}

fn app(auth: &AuthHttp) -> App {
    let routes = routes![account, publish, maybe, own, passed, panics];
    let rocket = web::quiet()
        .mount("/", routes.clone())
        .mount("/deep/down", routes)
        .register("/", catchers![sign_in])
        .register("/deep", catchers![sign_in, sorry])
        .attach(Portcullis::new(auth))
        // Later than ours, and of the same kind.
        .attach(AdHoc::on_ignite("more catchers", |rocket| {
            Box::pin(async { rocket.register("/deep/down", catchers![sorry]) })
        }));
    Server::new(rocket)
}

// ER1: an API's clients want a problem, with all its headers, and no page.
#[tokio::test]
async fn er1_no_catcher_replaces_a_problem() {
    let world = web::world().await;
    let app = app(world.http());
    let token = world.signed_in(true, &["user"]).await.secret().to_owned();
    for base in ["", "/deep/down"] {
        for path in ["/", "/publish"] {
            let reply = Call::get(&format!("{base}{path}")).send(&app).await;
            assert_eq!(reply.verdict(), "401 UNAUTHORIZED");
            assert_eq!(reply.headers["www-authenticate"], "Bearer");
        }
        let dead = Call::get(&format!("{base}/maybe")).bearer("dead").send(&app).await;
        assert_eq!(dead.verdict(), "401 UNAUTHORIZED");
        let forbidden = Call::get(&format!("{base}/publish")).bearer(&token).send(&app).await;
        assert_eq!(forbidden.verdict(), "403 FORBIDDEN");
        let passed = Call::get(&format!("{base}/passed")).send(&app).await;
        assert_eq!(passed.verdict(), "401 UNAUTHORIZED");
    }
}

// What isn't ours to answer goes to the application's catchers, also where a guard was asked.
#[tokio::test]
async fn catchers_have_the_rest() {
    let world = web::world().await;
    let app = app(world.http());
    let token = world.signed_in(true, &["user"]).await.secret().to_owned();
    assert_eq!(Call::get("/own").send(&app).await.text, "the application says no");
    assert_eq!(Call::get("/nothing").send(&app).await.text, "the application's 404");
    assert_eq!(Call::get("/panics").bearer(&token).send(&app).await.text, "the application's 500");
    assert_eq!(Call::get("/deep/down/nothing").send(&app).await.headers["location"], "/sorry");
}

// Nor does a catcher for the very status that guards fail with; that keeps the application from launching.
#[tokio::test]
async fn er1_nobody_else_answers_for_guards() {
    let world = web::world().await;
    let rocket = web::quiet().register("/", catchers![impostor]).attach(Portcullis::new(world.http()));
    assert!(matches!(rocket.ignite().await.unwrap_err().kind(), rocket::error::ErrorKind::Collisions(_)));
}

// SE2: a new secret reaches the browser also with what a catcher says.
#[tokio::test]
async fn se2_catchers_replies_carry_the_new_secret() {
    let world = crate::cookies::world().await;
    let app = app(world.http());
    let (person, ann) = crate::cookies::browser(&world).await;
    world.grant(&person, Role::parse("editor").unwrap()).await;
    let reply = Call::get("/panics").by(&ann).send(&app).await;
    assert_eq!(reply.text, "the application's 500");
    assert!(reply.set_cookies().iter().any(|cookie| cookie.starts_with("__Host-session=")), "{reply:?}");
}

// RB1: the same where everything needs a session.
#[tokio::test]
async fn rb1_no_catcher_opens_what_is_closed() {
    let world = web::world().await;
    let deny = DenyByDefault::new();
    let rocket = web::quiet().mount("/", routes![own]).register("/", catchers![sign_in]);
    let app = Server::new(rocket.attach(Portcullis::new(world.http()).deny_by_default(deny)));
    for path in ["/own", "/nothing"] {
        assert_eq!(Call::get(path).send(&app).await.verdict(), "401 UNAUTHORIZED");
    }
}
