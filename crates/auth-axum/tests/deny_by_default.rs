//! RB1: what isn't marked as public needs a session.

use auth_axum::Guards;
use auth_testkit::Call as Asked;
use axum::Router;
use axum::routing::{any, get};
use http::Method;

use crate::host::Call;
use crate::web;

/// An application of every kind of route, of which some are marked.
fn app(auth: &auth_http::AuthHttp) -> Router {
    let blog = Router::new().route("/{slug}", get(async || "post").post(async || "comment"));
    let files = Router::new().fallback(async || "file");
    Router::new()
        .route("/", get(async || "home"))
        .route("/account", get(async || "account"))
        .route("/any", any(async || "any"))
        .nest("/blog", blog)
        .nest_service("/assets", files.clone())
        .nest_service("/private", files)
        .route("/assets-of-mine", get(async || "mine"))
        .merge(auth_axum::router(auth))
        .merge(auth_axum::root_router(auth))
        .layer(
            auth.deny_by_default()
                .public(Method::GET, "/")
                .public(Method::GET, "/blog/{slug}")
                .public(Method::PATCH, "/any")
                .public(Method::GET, "/accounts") // there is none
                .public_below("/assets")
                .public_routes(auth.root_routes()),
        )
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
        (&post, "/", 401, 405),
        (&get, "/account", 401, 200),
        (&Method::HEAD, "/account", 401, 200),
        (&get, "/accounts", 401, 404),
        (&get, "/account/", 401, 404),
        (&get, "//", 401, 404),
        (&get, "/any", 401, 200),
        (&Method::PATCH, "/any", 200, 200),
        (&get, "/blog/first", 200, 200),
        (&post, "/blog/first", 401, 200),
        (&get, "/blog", 401, 404),
        (&get, "/assets", 200, 200),
        (&get, "/assets/site.css", 200, 200),
        (&get, "/assets-of-mine", 401, 200),
        (&get, "/private/site.css", 401, 200),
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

// RB1: an application below another's path marks what clients ask for.
#[tokio::test]
async fn rb1_marks_hold_where_the_router_is_nested() {
    let world = web::world().await;
    let layer = world.http().deny_by_default().public(Method::GET, "/app/open").public_below("/app/assets");
    let inner = Router::new()
        .route("/open", get(async || "open"))
        .route("/closed", get(async || "closed"))
        .nest_service("/assets", get(async || "file"))
        .layer(layer);
    for outer in [Router::new().nest("/app", inner.clone()), Router::new().nest_service("/app", inner)] {
        for (path, status) in [("/app/open", 200), ("/app/closed", 401), ("/app/assets/x", 200)] {
            assert_eq!(Call::get(path).send(&outer).await.status, status, "{path}");
        }
    }
}

#[tokio::test]
async fn marks_that_mean_nothing_are_refused() {
    let world = web::world().await;
    let auth = world.http();
    for folder in ["/", "", "assets", "/assets/", "/{tenant}"] {
        let marked =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| auth.deny_by_default().public_below(folder)));
        assert!(marked.is_err(), "{folder}");
    }
    let marked =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| auth.deny_by_default().public(Method::GET, "x")));
    assert!(marked.is_err());
}
