//! MySQL, played by MariaDB.

#[path = "../shared/both.rs"]
mod both;
#[path = "../../../auth-store-sqlx/tests/mysql/contention.rs"]
mod contention;
#[path = "../../../auth-store-sqlx/tests/mysql/database.rs"]
mod database;
#[path = "../../../auth-store-sqlx/tests/mysql/halfway.rs"]
mod halfway;
#[path = "../../../auth-store-sqlx/tests/mysql/outage.rs"]
mod outage;
#[path = "../../../auth-store-sqlx/tests/mysql/refusals.rs"]
mod refusals;
#[path = "../../../auth-store-sqlx/tests/shared/mod.rs"]
mod shared;

use auth_core::domain::User;
use auth_schema::Dialect;
use auth_store_diesel::mysql::{self, Pool};
use diesel::sql_types::{Binary, Text};
use diesel_async::pooled_connection::deadpool::Hook;
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};

pub(crate) use auth_store_diesel::MysqlStore as Store;
pub(crate) use auth_store_diesel::mysql::{Connection, Participant, Refusal};
pub(crate) use auth_store_sqlx::MysqlStore as OtherStore;
pub(crate) use database::Database;

pub(crate) const DIALECT: Dialect = Dialect::Mysql;
pub(crate) const BACKEND: &str = "mariadb";
pub(crate) const RANDOM_ID: &str = "random_bytes(16)";
pub(crate) const ID: &str = "binary(16)";

/// What a participant of the shared tests writes.
pub(crate) async fn insert_profile(connection: &mut Connection, user: &User) -> Result<(), Refusal> {
    let insert = diesel::sql_query("insert into profiles (user_id, nickname) values (?, ?)");
    let insert = insert.bind::<Binary, _>(user.id.as_bytes().as_slice()).bind::<Text, _>(user.email.as_str());
    Ok(insert.execute(connection).await.map(drop)?)
}

/// A statement that the database refuses.
pub(crate) async fn stumble(connection: &mut Connection) -> Result<(), Refusal> {
    let insert = diesel::sql_query("insert into profiles (user_id, nickname) values (null, null)");
    Ok(insert.execute(connection).await.map(drop)?)
}

/// A store on a host's pool, whose connections are set to another isolation level.
async fn serializable(database: &Database) -> Store {
    let set = Hook::async_fn(|connection: &mut Connection, _| {
        let set = "set session transaction isolation level serializable";
        Box::pin(async move {
            connection.batch_execute(set).await.unwrap();
            Ok(())
        })
    });
    let manager = mysql::manager(&database.url()).unwrap();
    Store::new(Pool::builder(manager).post_create(set).build().unwrap())
}

/// A store on a host's pool of three, whose connections were as loose as old servers' are before they were set up; and what
/// they say of their limits.
async fn on_a_loose_pool(database: &Database, limits: &'static str) -> (Store, String) {
    let set_up = Hook::async_fn(|connection: &mut Connection, _| {
        Box::pin(async move {
            connection.batch_execute("set session sql_mode = ''").await.unwrap();
            mysql::set_up(connection).await.unwrap();
            Ok(())
        })
    });
    let manager = mysql::manager(&database.url()).unwrap();
    let pool = Pool::builder(manager).post_create(set_up).max_size(3).build().unwrap();
    let limits = diesel::select(diesel::dsl::sql::<Text>(limits.strip_prefix("select ").unwrap()));
    let limits = limits.get_result(&mut pool.get().await.unwrap()).await.unwrap();
    (Store::new(pool), limits)
}
