//! An axum application with accounts on diesel: see the README.

pub mod notes;

use std::fmt;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::get;
use portcullis::AuthHttp;
use portcullis::axum::Guards as _;
use portcullis::diesel::postgres::Pool;

/// What handlers need.
#[derive(Clone, FromRef)]
pub struct App {
    /// Who is signed in.
    pub auth: AuthHttp,
    /// The application's own tables.
    pub pool: Pool,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("auth", &self.auth).finish_non_exhaustive()
    }
}

/// The application's routes beside Portcullis's.
pub fn router(auth: AuthHttp, pool: Pool) -> Router {
    Router::new()
        .route("/notes", get(notes::list).post(notes::add))
        .merge(portcullis::axum::router(&auth))
        .merge(portcullis::axum::root_router(&auth))
        // Whatever isn't named here asks for a session; whoever forgets to name something notices at once.
        .layer(auth.deny_by_default().public_routes(auth.root_routes()))
        .with_state(App { auth, pool })
}
