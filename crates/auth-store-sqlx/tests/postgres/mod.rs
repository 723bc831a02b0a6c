//! PostgreSQL.

mod contention;
mod database;
mod outage;
#[path = "../shared/mod.rs"]
mod shared;

use auth_core::domain::User;
use auth_schema::Dialect;
use sqlx::query;

pub(crate) use auth_store_sqlx::PostgresStore as Store;
pub(crate) use auth_store_sqlx::postgres::{Connection, Participant, Refusal};
pub(crate) use database::Database;

pub(crate) const DIALECT: Dialect = Dialect::Postgres;
pub(crate) const BACKEND: &str = "postgres";
pub(crate) const RANDOM_ID: &str = "gen_random_uuid()";
pub(crate) const ID: &str = "uuid";

/// What a participant of the shared tests writes.
pub(crate) async fn insert_profile(connection: &mut Connection, user: &User) -> Result<(), Refusal> {
    let insert = query("insert into profiles (user_id, nickname) values ($1, $2)");
    Ok(insert.bind(user.id.as_uuid()).bind(user.email.as_str()).execute(connection).await.map(drop)?)
}

/// A statement that the database refuses.
pub(crate) async fn stumble(connection: &mut Connection) -> Result<(), Refusal> {
    Ok(query("insert into profiles (user_id, nickname) values (null, null)").execute(connection).await.map(drop)?)
}
