//! SQLite.

#[path = "../shared/both.rs"]
mod both;
#[path = "../../../auth-store-sqlx/tests/sqlite/contention.rs"]
mod contention;
#[path = "../../../auth-store-sqlx/tests/sqlite/database.rs"]
mod database;
#[path = "../../../auth-store-sqlx/tests/sqlite/files.rs"]
mod files;
#[path = "../../../auth-store-sqlx/tests/shared/mod.rs"]
mod shared;

use std::sync::{Arc, Mutex};

use auth_core::domain::User;
use auth_schema::Dialect;
use auth_store_diesel::sqlite::{self, Pool};
use diesel::connection::InstrumentationEvent;
use diesel::sql_types::{Binary, Text};
use diesel_async::pooled_connection::deadpool::Hook;
use diesel_async::{AsyncConnection as _, RunQueryDsl as _, SimpleAsyncConnection as _};
use sqlx::{AssertSqlSafe, Row as _};

pub(crate) use auth_store_diesel::SqliteStore as Store;
pub(crate) use auth_store_diesel::sqlite::{Connection, Participant, Refusal};
pub(crate) use auth_store_sqlx::SqliteStore as OtherStore;
pub(crate) use database::Database;

pub(crate) const DIALECT: Dialect = Dialect::Sqlite;
pub(crate) const BACKEND: &str = "sqlite";
pub(crate) const RANDOM_ID: &str = "randomblob(16)";
pub(crate) const ID: &str = "blob";

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

/// A store whose connections don't wait, so that every collision is `SQLITE_BUSY`.
async fn impatient(database: &Database) -> Store {
    let set_up = Hook::async_fn(|connection: &mut Connection, _| {
        Box::pin(async move {
            connection.batch_execute("pragma busy_timeout = 0").await.unwrap();
            Ok(())
        })
    });
    let pool = Pool::builder(sqlite::manager(&database.url()).unwrap()).post_create(set_up).build().unwrap();
    Store::new(pool.clone(), pool)
}

/// How many rows `reads` looks at, as far as SQLite's plans tell: all of a table that is scanned without an index. diesel has
/// no counter of steps.
async fn rows_read(database: &Database, reads: impl AsyncFnOnce(&Store)) -> i64 {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let notes = asked.clone();
    let listen = Hook::sync_fn(move |connection: &mut Connection, _| {
        let notes = notes.clone();
        connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                notes.lock().unwrap().push(query.to_string());
            }
        });
        Ok(())
    });
    let pool =
        Pool::builder(sqlite::manager(&database.url()).unwrap()).post_create(listen).max_size(1).build().unwrap();
    let store = Store::new(pool.clone(), pool);
    reads(&store).await;
    store.close().await;

    let mut rows = 0;
    let mut connection = database.connection().await;
    let asked = std::mem::take(&mut *asked.lock().unwrap());
    for statement in asked.iter().filter(|statement| statement.contains("auth_")) {
        // Behind two hyphens are the values.
        let text = statement.split(" -- binds").next().unwrap();
        let mut subqueries = Vec::new();
        let plan = sqlx::query(AssertSqlSafe(format!("explain query plan {text}")));
        for step in plan.fetch_all(&mut connection).await.unwrap() {
            let step: String = step.get("detail");
            // What is selected from a subquery goes by the subquery's name.
            if let Some(subquery) = step.strip_prefix("CO-ROUTINE ") {
                subqueries.push(format!("SCAN {subquery}"));
            } else if let Some(i) = subqueries.iter().position(|scan| *scan == step) {
                subqueries.swap_remove(i);
            } else if let Some(table) = step.strip_prefix("SCAN auth_").filter(|step| !step.contains("USING")) {
                rows += database.number(&format!("select count(*) from auth_{table}")).await;
            }
        }
    }
    assert!(!asked.is_empty());
    rows
}
