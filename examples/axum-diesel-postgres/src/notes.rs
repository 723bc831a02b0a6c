//! Notes that one writes for oneself.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use diesel::{ExpressionMethods as _, QueryDsl as _};
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};
use portcullis::axum::CurrentUser;
use portcullis::diesel::postgres::Pool;
use serde::Deserialize;

use schema::notes;

/// As diesel has it: a module of its own, since what the macro makes has no documentation.
mod schema {
    diesel::table! {
        notes (id) {
            id -> BigInt,
            user_id -> Uuid,
            text -> Text,
        }
    }
}

/// A note, as a client sends it.
#[derive(Debug, Deserialize)]
pub struct Note {
    text: String,
}

/// Makes the application's own table. It may point at Portcullis's.
///
/// # Errors
/// What the database says.
pub async fn migrate(pool: &Pool) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let table = "create table if not exists notes (
        id bigint generated always as identity primary key,
        user_id uuid not null references auth_users (id) on delete cascade,
        text text not null)";
    Ok(pool.get().await?.batch_execute(table).await?)
}

/// The notes of whoever is signed in.
///
/// # Errors
/// [`Failure`] when the database says so.
pub async fn list(user: CurrentUser, State(pool): State<Pool>) -> Result<Json<Vec<String>>, Failure> {
    let theirs = notes::table.filter(notes::user_id.eq(user.id.as_uuid())).order(notes::id).select(notes::text);
    Ok(Json(theirs.load(&mut pool.get().await?).await?))
}

/// Takes one more.
///
/// # Errors
/// [`Failure`] when the database says so.
pub async fn add(user: CurrentUser, State(pool): State<Pool>, Json(note): Json<Note>) -> Result<StatusCode, Failure> {
    diesel::insert_into(notes::table)
        .values((notes::user_id.eq(user.id.as_uuid()), notes::text.eq(note.text)))
        .execute(&mut pool.get().await?)
        .await?;
    Ok(StatusCode::CREATED)
}

/// Any error of ours: logged, and answered with 500.
#[derive(Debug)]
pub struct Failure(Box<dyn std::error::Error + Send + Sync>);

impl<E: Into<Box<dyn std::error::Error + Send + Sync>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        tracing::error!(error = %self.0, "a request failed");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}
