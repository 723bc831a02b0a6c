//! MySQL, played by MariaDB.

mod contention;
mod database;
mod halfway;
mod outage;
mod refusals;
#[path = "../shared/mod.rs"]
mod shared;

use auth_core::domain::User;
use auth_schema::Dialect;
use auth_store_sqlx::mysql;
use sqlx::mysql::MySqlPoolOptions;
use sqlx::{Executor as _, query, query_scalar};

pub(crate) use auth_store_sqlx::MysqlStore as Store;
pub(crate) use database::Database;
pub(crate) use mysql::{Connection, Participant, Refusal};

pub(crate) const DIALECT: Dialect = Dialect::Mysql;
pub(crate) const BACKEND: &str = "mariadb";
pub(crate) const RANDOM_ID: &str = "random_bytes(16)";
pub(crate) const ID: &str = "binary(16)";

/// What a participant of the shared tests writes.
pub(crate) async fn insert_profile(connection: &mut Connection, user: &User) -> Result<(), Refusal> {
    let insert = query("insert into profiles (user_id, nickname) values (?, ?)");
    Ok(insert.bind(user.id.as_uuid()).bind(user.email.as_str()).execute(connection).await.map(drop)?)
}

/// A statement that the database refuses.
pub(crate) async fn stumble(connection: &mut Connection) -> Result<(), Refusal> {
    Ok(query("insert into profiles (user_id, nickname) values (null, null)").execute(connection).await.map(drop)?)
}

/// A store on a host's pool, whose connections are set to another isolation level.
async fn serializable(database: &Database) -> Store {
    let pool = MySqlPoolOptions::new().after_connect(|connection, _| {
        let set = "set session transaction isolation level serializable";
        Box::pin(async move { connection.execute(set).await.map(drop) })
    });
    Store::new(pool.connect_with(database.options()).await.unwrap())
}

/// A store on a host's pool of three, whose connections were as loose as old servers' are before they were set up; and what
/// they say of their limits.
async fn on_a_loose_pool(database: &Database, limits: &'static str) -> (Store, String) {
    let pool = MySqlPoolOptions::new().max_connections(3).after_connect(|connection, _| {
        Box::pin(async move {
            connection.execute("set session sql_mode = ''").await?;
            mysql::set_up(connection).await
        })
    });
    let pool = pool.connect_with(database.options()).await.unwrap();
    let limits = query_scalar(limits).fetch_one(&pool).await.unwrap();
    (Store::new(pool), limits)
}
