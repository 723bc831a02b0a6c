//! The pages, made by the server: a front page for everybody, and a board for whoever is signed in.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{FromRef, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderName, Method, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use minijinja::{Environment, Value, context};
use portcullis::AuthHttp;
use portcullis::axum::{CsrfToken, CurrentUser, FreshUser, Guards, HasRole, Rejection, roles};
use serde::Deserialize;

roles! {
    /// Looks after the board.
    Editor = "editor";
}

/// What handlers need.
#[derive(Debug, Clone, FromRef)]
struct App {
    /// Who is signed in.
    auth: AuthHttp,
    notices: Arc<Mutex<Vec<String>>>,
}

type Page = Result<([(HeaderName, &'static str); 1], Html<String>), StatusCode>;

/// The application's routes beside Portcullis's.
pub fn router(auth: AuthHttp) -> Router {
    let script = ([(CONTENT_TYPE, "text/javascript")], include_str!("../static/forms.js"));
    Router::new()
        .route("/", get(home))
        .route("/forms.js", get(async move || script))
        .route("/board", get(show).post(pin))
        .route("/board/clear", post(clear))
        .merge(portcullis::axum::router(&auth))
        .merge(portcullis::axum::root_router(&auth))
        // Whatever isn't named here asks for a session, and a form for its CSRF token.
        .layer(
            auth.deny_by_default()
                .public(Method::GET, "/")
                .public(Method::GET, "/forms.js")
                .public_routes(auth.root_routes()),
        )
        .with_state(App { auth, notices: Arc::default() })
}

/// Forms to sign up and in for guests; for whoever is signed in, the way to the board and out.
async fn home(user: Option<CurrentUser>) -> Page {
    page(include_str!("../templates/home.html"), &context! { email => user.map(|user| user.email.to_string()) })
}

async fn show(user: CurrentUser, csrf: CsrfToken, State(notices): State<Arc<Mutex<Vec<String>>>>) -> Page {
    let notices = notices.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let is_editor = user.roles.iter().any(|role| role.as_str() == "editor");
    let values = context! { notices, is_editor, csrf_token => csrf.as_str() };
    page(include_str!("../templates/board.html"), &values)
}

#[derive(Deserialize)]
struct Notice {
    text: String,
}

/// Takes the form. Without the CSRF token in it, or from another site, it doesn't get here.
async fn pin(
    user: CurrentUser,
    State(notices): State<Arc<Mutex<Vec<String>>>>,
    Form(notice): Form<Notice>,
) -> Redirect {
    let notice = format!("{}: {}", user.email, notice.text);
    notices.lock().unwrap_or_else(PoisonError::into_inner).push(notice);
    Redirect::to("/board")
}

/// Takes everything down: for editors, and not from a screen that was left alone. Who has to prove again who they are is sent
/// to where they can.
async fn clear(
    _: HasRole<Editor>,
    fresh: Result<FreshUser, Rejection>,
    State(notices): State<Arc<Mutex<Vec<String>>>>,
) -> Response {
    match fresh {
        Ok(_) => {
            notices.lock().unwrap_or_else(PoisonError::into_inner).clear();
            Redirect::to("/board").into_response()
        }
        Err(rejection) => match rejection.into_response() {
            refused if refused.status() == StatusCode::FORBIDDEN => Redirect::to("/#again").into_response(),
            failed => failed,
        },
    }
}

/// A page that may do what it needs to and no more, and can't be laid under another site's. Escapes what users wrote.
fn page(template: &str, values: &Value) -> Page {
    let policy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
    let page = Environment::new().render_named_str("page.html", template, values);
    Ok(([(CONTENT_SECURITY_POLICY, policy)], Html(page.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?)))
}
