//! The pages: the door for everybody, the news for whoever is signed in.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{FromRef, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderName, Method, StatusCode};
use axum::response::{Html, Redirect};
use axum::routing::get;
use axum::{Form, Router};
use minijinja::{Environment, Value, context};
use portcullis::AuthHttp;
use portcullis::axum::{CurrentUser, Guards};
use serde::Deserialize;

/// What handlers need.
#[derive(Debug, Clone, FromRef)]
struct App {
    /// Who is signed in.
    auth: AuthHttp,
    news: News,
}

type News = Arc<Mutex<Vec<String>>>;

type Page = Result<([(HeaderName, &'static str); 1], Html<String>), StatusCode>;

/// The application's routes beside Portcullis's.
pub(crate) fn router(auth: AuthHttp) -> Router {
    let script = ([(CONTENT_TYPE, "text/javascript")], include_str!("../static/door.js"));
    Router::new()
        .route("/", get(door))
        .route("/door.js", get(async move || script))
        .route("/news", get(read).post(tell))
        .merge(portcullis::axum::router(&auth))
        .merge(portcullis::axum::root_router(&auth))
        // The door stands here, and what leads to it. Whatever else there is, and whatever will be, asks who one is.
        .layer(
            auth.deny_by_default()
                .public(Method::GET, "/")
                .public(Method::GET, "/door.js")
                .public_routes(auth.root_routes()),
        )
        .with_state(App { auth, news: News::default() })
}

async fn door() -> Page {
    page(include_str!("../templates/door.html"), &context! {})
}

async fn read(user: CurrentUser, State(news): State<News>) -> Page {
    let news = news.lock().unwrap_or_else(PoisonError::into_inner).clone();
    page(include_str!("../templates/news.html"), &context! { news, email => user.email.as_str() })
}

#[derive(Deserialize)]
struct Told {
    text: String,
}

/// Takes the form. It needs no CSRF token: from another site the cookies don't come along, and from another port of this host,
/// where they do, it is the wrong origin.
async fn tell(user: CurrentUser, State(news): State<News>, Form(told): Form<Told>) -> Redirect {
    let told = format!("{}: {}", user.email, told.text);
    news.lock().unwrap_or_else(PoisonError::into_inner).push(told);
    Redirect::to("/news")
}

/// A page that may do what it needs to and no more, and can't be laid under another site's. Escapes what users wrote.
fn page(template: &str, values: &Value) -> Page {
    let policy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
    let page = Environment::new().render_named_str("page.html", template, values);
    Ok(([(CONTENT_SECURITY_POLICY, policy)], Html(page.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?)))
}
