//! Notes that one writes for oneself.

use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use minijinja::{Environment, context};
use portcullis::axum::{CsrfToken, CurrentUser};
use serde::Deserialize;
use sqlx::SqlitePool;

use crate::failure::Failure;
use crate::plan::Plan;
use crate::profile;

/// A note, as the form sends it.
#[derive(Debug, Deserialize)]
pub struct Note {
    text: String,
}

/// Makes the application's own table. It may point at Portcullis's.
///
/// # Errors
/// What the database says.
pub async fn migrate(pool: &SqlitePool) -> sqlx::Result<()> {
    let table = "create table if not exists notes (
        id integer primary key,
        user_id blob not null references auth_users (id) on delete cascade,
        text text not null)";
    sqlx::query(table).execute(pool).await.map(drop)
}

/// The notes of whoever is signed in, and a form for another.
pub async fn list(user: CurrentUser, csrf: CsrfToken, State(pool): State<SqlitePool>) -> Result<Html<String>, Failure> {
    let notes: Vec<String> = sqlx::query_scalar("select text from notes where user_id = $1 order by id")
        .bind(user.id.as_bytes().as_slice())
        .fetch_all(&pool)
        .await?;
    let nickname = profile::nickname_of(&pool, user.id).await?;
    let page = context! { nickname, notes, plan => Plan::of(&user)?.as_str(), csrf_token => csrf.as_str() };
    let mut templates = Environment::new();
    templates.add_template("notes.html", include_str!("../templates/notes.html"))?;
    Ok(Html(templates.get_template("notes.html")?.render(page)?))
}

/// Takes the form. Without the CSRF token in it, or from another site, it doesn't get here.
pub async fn add(
    user: CurrentUser,
    State(pool): State<SqlitePool>,
    Form(note): Form<Note>,
) -> Result<Response, Failure> {
    // One statement, so that two forms at once don't both find room for the last note.
    let insert = "insert into notes (user_id, text)
        select $1, $2 where (select count(*) from notes where user_id = $1) < $3";
    let added = sqlx::query(insert)
        .bind(user.id.as_bytes().as_slice())
        .bind(note.text)
        .bind(Plan::of(&user)?.notes())
        .execute(&pool)
        .await?;
    Ok(match added.rows_affected() {
        0 => (StatusCode::PAYMENT_REQUIRED, "Your plan has room for no more notes.").into_response(),
        _ => Redirect::to("/notes").into_response(),
    })
}
