//! Nobody but the library says who is signed in.
//~ cannot initialize a tuple struct which contains private fields

use std::sync::Arc;

use auth_axum::CurrentUser;
use auth_core::domain::Signed;

fn forge(signed: Signed) -> CurrentUser {
    CurrentUser(Arc::new(signed))
}
