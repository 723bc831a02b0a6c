//! A type that names no role: the core's, whose values are names.
//~ `auth_core::domain::Role` names no role
//~ name one: `roles! { pub Editor = "editor"; }`, and ask for `HasRole<Editor>`

use auth_axum::HasRole;
use auth_core::domain::Role;
use auth_http::AuthHttp;

#[axum::debug_handler(state = AuthHttp)]
async fn purge(admin: HasRole<Role>) -> String {
    admin.email.to_string()
}
