//! A bookshop: its page, and what the page asks for.

use axum::extract::FromRef;
use axum::http::Method;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use portcullis::AuthHttp;
use portcullis::axum::{Guards, Guest, VerifiedUser};
use serde_json::{Value, json};

/// What handlers need.
#[derive(Debug, Clone, FromRef)]
struct App {
    /// Who is signed in.
    auth: AuthHttp,
}

/// The application's routes beside Portcullis's.
pub(crate) fn router(auth: AuthHttp) -> Router {
    Router::new()
        .route("/", get(async || file("text/html; charset=utf-8", include_str!("../static/index.html"))))
        .route("/app.js", get(async || file("text/javascript", include_str!("../static/app.js"))))
        .route("/api/welcome", get(welcome))
        .route("/api/shelf", get(shelf))
        .merge(portcullis::axum::router(&auth))
        .merge(portcullis::axum::root_router(&auth))
        // Whatever isn't named here asks for an access token.
        .layer(
            auth.deny_by_default()
                .public(Method::GET, "/")
                .public(Method::GET, "/app.js")
                .public(Method::GET, "/api/welcome")
                .public_routes(auth.root_routes()),
        )
        .with_state(App { auth })
}

/// For newcomers: whoever is signed in gets 403 `GUESTS_ONLY`, and the page shows them the shelf instead.
async fn welcome(_: Guest) -> Json<Value> {
    Json(json!({ "offer": "Your first book is on us." }))
}

/// One may sign in before one's address is proved; books go to proved ones only. Others get 403 `EMAIL_NOT_VERIFIED`.
async fn shelf(user: VerifiedUser) -> Json<Value> {
    Json(json!({ "owner": user.email.as_str(), "books": ["The Portcullis and the Moat"] }))
}

/// A file that may do what it needs to and no more, and can't be laid under another site's page.
fn file(media_type: &'static str, text: &'static str) -> impl IntoResponse {
    let policy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
    ([(CONTENT_TYPE, media_type), (CONTENT_SECURITY_POLICY, policy)], text)
}
