//! What the others get wrong, done right: so that they are refused for what they are about.

use auth_axum::{Admin, CurrentUser, Guards, HasPermission, HasRole};
use auth_http::AuthHttp;
use axum::Router;
use axum::extract::FromRef;
use axum::routing::get;

auth_axum::roles! {
    Editor = "editor";
}

auth_axum::permissions! {
    WritePosts = "posts.write";
}

#[derive(Clone, FromRef)]
struct App {
    auth: AuthHttp,
}

#[axum::debug_handler(state = App)]
async fn hello(user: CurrentUser) -> String {
    user.email.to_string()
}

#[axum::debug_handler(state = AuthHttp)]
async fn purge(admin: HasRole<Admin>) -> String {
    admin.email.to_string()
}

#[axum::debug_handler(state = AuthHttp)]
async fn write(author: HasPermission<WritePosts>) -> String {
    author.email.to_string()
}

#[axum::debug_handler(state = AuthHttp)]
async fn publish(editor: HasRole<Editor>) -> String {
    editor.email.to_string()
}

fn guarded(auth: &AuthHttp) -> Router {
    let router = Router::new().route("/purge", get(purge)).route("/write", get(write)).route("/publish", get(publish));
    let hello = Router::new().route("/", get(hello)).with_state(App { auth: auth.clone() });
    router.layer(auth.require_session()).with_state(auth.clone()).merge(hello)
}
