//! Everybody's own runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use portcullis::AuthHttp;
use portcullis::axum::{CurrentUser, FreshUser, Guards};
use portcullis::domain::UserId;
use serde::{Deserialize, Serialize};

/// What handlers need.
#[derive(Debug, Clone, FromRef)]
struct App {
    /// Who is signed in.
    auth: AuthHttp,
    diary: Diary,
}

/// The runs of each user.
#[derive(Debug, Clone, Default)]
struct Diary(Arc<Mutex<HashMap<UserId, Vec<Run>>>>);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Run {
    metres: u32,
    seconds: u32,
}

/// The application's routes beside Portcullis's.
pub(crate) fn router(auth: AuthHttp) -> Router {
    Router::new()
        .route("/runs", get(list).post(add).delete(forget))
        .merge(portcullis::axum::router(&auth))
        .merge(portcullis::axum::root_router(&auth))
        // Whatever isn't named here asks for an access token.
        .layer(auth.deny_by_default().public_routes(auth.root_routes()))
        .with_state(App { auth, diary: Diary::default() })
}

async fn list(user: CurrentUser, State(diary): State<Diary>) -> Json<Vec<Run>> {
    Json(diary.with(user.id, |runs| runs.clone()))
}

async fn add(user: CurrentUser, State(diary): State<Diary>, Json(run): Json<Run>) -> StatusCode {
    diary.with(user.id, |runs| runs.push(run));
    StatusCode::CREATED
}

/// Not from a phone that was left lying about: later than ten minutes after the sign-in it is 403
/// `REAUTHENTICATION_REQUIRED`, which tells the app to ask again for password or code.
async fn forget(user: FreshUser, State(diary): State<Diary>) -> StatusCode {
    diary.with(user.id, Vec::clear);
    StatusCode::NO_CONTENT
}

impl Diary {
    fn with<T>(&self, user: UserId, what: impl FnOnce(&mut Vec<Run>) -> T) -> T {
        what(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(user).or_default())
    }
}
