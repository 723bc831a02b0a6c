//! A role where a permission is asked for.
//~ Admin` names no permission
//~ name one: `permissions! { pub WritePosts = "posts.write"; }`, and ask for `HasPermission<WritePosts>`

use auth_axum::{Admin, HasPermission};
use auth_http::AuthHttp;

#[axum::debug_handler(state = AuthHttp)]
async fn write(author: HasPermission<Admin>) -> String {
    author.email.to_string()
}
