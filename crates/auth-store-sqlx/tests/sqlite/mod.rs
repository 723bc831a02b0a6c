//! SQLite.

mod contention;
mod database;
mod files;
#[path = "../shared/mod.rs"]
mod shared;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use auth_core::domain::User;
use auth_schema::Dialect;
use auth_store_sqlx::sqlite;
use sqlx::query;
use sqlx::sqlite::SqlitePoolOptions;

pub(crate) use auth_store_sqlx::SqliteStore as Store;
pub(crate) use database::Database;
pub(crate) use sqlite::{Connection, Participant, Refusal};

pub(crate) const DIALECT: Dialect = Dialect::Sqlite;
pub(crate) const BACKEND: &str = "sqlite";
pub(crate) const RANDOM_ID: &str = "randomblob(16)";
pub(crate) const ID: &str = "blob";

/// What a participant of the shared tests writes.
pub(crate) async fn insert_profile(connection: &mut Connection, user: &User) -> Result<(), Refusal> {
    let insert = query("insert into profiles (user_id, nickname) values ($1, $2)");
    Ok(insert.bind(user.id.as_uuid()).bind(user.email.as_str()).execute(connection).await.map(drop)?)
}

/// A statement that the database refuses.
pub(crate) async fn stumble(connection: &mut Connection) -> Result<(), Refusal> {
    Ok(query("insert into profiles (user_id, nickname) values (null, null)").execute(connection).await.map(drop)?)
}

/// A store whose connections don't wait, so that every collision is `SQLITE_BUSY`.
async fn impatient(database: &Database) -> Store {
    let options = sqlite::options(&database.url()).unwrap().busy_timeout(Duration::ZERO);
    let pool = SqlitePoolOptions::new().connect_with(options).await.unwrap();
    Store::new(pool.clone(), pool)
}

/// How many rows `reads` looks at: SQLite tells its steps only, and takes five or more for each row.
async fn rows_read(database: &Database, reads: impl AsyncFnOnce(&Store)) -> i64 {
    let steps = Arc::new(AtomicI64::new(0));
    let counter = steps.clone();
    let pool = SqlitePoolOptions::new().max_connections(1).after_connect(move |connection, _| {
        let counter = counter.clone();
        Box::pin(async move {
            connection.lock_handle().await?.set_progress_handler(10, move || {
                counter.fetch_add(10, Ordering::Relaxed);
                true
            });
            Ok(())
        })
    });
    let pool = pool.connect_with(sqlite::options(&database.url()).unwrap()).await.unwrap();
    let store = Store::new(pool.clone(), pool);
    let before = steps.load(Ordering::Relaxed);
    reads(&store).await;
    store.close().await;
    (steps.load(Ordering::Relaxed) - before) / 5
}
