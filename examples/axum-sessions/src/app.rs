//! The routes.

use axum::Router;
use axum::extract::FromRef;
use axum::http::Method;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use portcullis::AuthHttp;
use portcullis::axum::Guards;
use sqlx::SqlitePool;

use crate::{admin, notes};

/// What handlers need.
#[derive(Debug, Clone, FromRef)]
pub struct App {
    /// Who is signed in.
    pub auth: AuthHttp,
    /// The application's own tables.
    pub pool: SqlitePool,
}

/// The application's routes beside Portcullis's.
pub fn router(auth: AuthHttp, pool: SqlitePool) -> Router {
    let admin = Router::new()
        .route("/admin", get(admin::show))
        .route("/admin/plan", post(admin::set_plan))
        // Everything in this router is for administrators.
        .route_layer(auth.require_role("admin"));
    Router::new()
        .route("/", get(async || page("text/html; charset=utf-8", include_str!("../static/index.html"))))
        .route("/app.js", get(async || page("text/javascript", include_str!("../static/app.js"))))
        .route("/style.css", get(async || page("text/css", include_str!("../static/style.css"))))
        .route("/icon.svg", get(async || page("image/svg+xml", include_str!("../static/icon.svg"))))
        .route("/notes", get(notes::list).post(notes::add))
        .merge(admin)
        .merge(portcullis::axum::router(&auth))
        .merge(portcullis::axum::root_router(&auth))
        // Whatever isn't named here asks for a session; whoever forgets to name something notices at once.
        .layer(
            auth.deny_by_default()
                .public(Method::GET, "/")
                .public(Method::GET, "/app.js")
                .public(Method::GET, "/style.css")
                .public(Method::GET, "/icon.svg")
                .public_routes(auth.root_routes()),
        )
        .with_state(App { auth, pool })
}

/// A file that may do what it needs to and no more, and can't be laid under another site's page.
fn page(media_type: &'static str, text: &'static str) -> impl IntoResponse {
    let policy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
    ([(CONTENT_TYPE, media_type), (CONTENT_SECURITY_POLICY, policy)], text)
}
