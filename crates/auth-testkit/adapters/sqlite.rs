//! On SQLite, in a file.

use std::sync::Arc;

use auth_store_sqlx::SqliteStore;
use auth_testkit::http::Mount;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, query_scalar};

use super::report;
use crate::web;

async fn open() -> Mount {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::connect(&format!("sqlite://{}/store.db", folder.path().display())).await.unwrap();
    store.migrate().await.unwrap();
    Mount::new(Arc::new(store), web::mounted).guarded(folder)
}

web::http_suite_on_sql!(open);

#[tokio::test]
async fn reports_what_it_ran_against() {
    let mut connection = SqliteConnectOptions::new().in_memory(true).connect().await.unwrap();
    let version: String = query_scalar("select sqlite_version()").fetch_one(&mut connection).await.unwrap();
    report::suite_ran_against("sqlite", &version);
}
