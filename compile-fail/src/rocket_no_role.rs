//! A type that names no role, in a guard of Rocket's.
//~ `auth_core::domain::Role` names no role
//~ name one: `roles! { pub Editor = "editor"; }`, and ask for `HasRole<Editor>`

use auth_core::domain::Role;
use auth_rocket::HasRole;
use rocket::post;

#[post("/purge")]
fn purge(admin: HasRole<Role>) -> String {
    admin.email.to_string()
}
