//! PostgreSQL.

#[path = "../shared/both.rs"]
mod both;
#[path = "../../../auth-store-sqlx/tests/postgres/contention.rs"]
mod contention;
#[path = "../../../auth-store-sqlx/tests/postgres/database.rs"]
mod database;
#[path = "../../../auth-store-sqlx/tests/postgres/outage.rs"]
mod outage;
mod pools;
#[path = "../../../auth-store-sqlx/tests/shared/mod.rs"]
mod shared;

use auth_core::domain::User;
use auth_schema::Dialect;
use diesel::sql_types::{Text, Uuid};
use diesel_async::RunQueryDsl as _;

pub(crate) use auth_store_diesel::PostgresStore as Store;
pub(crate) use auth_store_diesel::postgres::{Connection, Participant, Refusal};
pub(crate) use auth_store_sqlx::PostgresStore as OtherStore;
pub(crate) use database::Database;

pub(crate) const DIALECT: Dialect = Dialect::Postgres;
pub(crate) const BACKEND: &str = "postgres";
pub(crate) const RANDOM_ID: &str = "gen_random_uuid()";
pub(crate) const ID: &str = "uuid";

/// What a participant of the shared tests writes.
pub(crate) async fn insert_profile(connection: &mut Connection, user: &User) -> Result<(), Refusal> {
    let insert = diesel::sql_query("insert into profiles (user_id, nickname) values ($1, $2)");
    let insert = insert.bind::<Uuid, _>(user.id.as_uuid()).bind::<Text, _>(user.email.as_str());
    Ok(insert.execute(connection).await.map(drop)?)
}

/// A statement that the database refuses.
pub(crate) async fn stumble(connection: &mut Connection) -> Result<(), Refusal> {
    let insert = diesel::sql_query("insert into profiles (user_id, nickname) values (null, null)");
    Ok(insert.execute(connection).await.map(drop)?)
}
