//! On PostgreSQL, in a database of each check's own.

use std::sync::Arc;

use auth_store_sqlx::PostgresStore;
use auth_testkit::http::Mount;
use auth_testkit::{block_on, given};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, query_scalar, raw_sql};

use super::report;
use crate::web;

/// A database that is dropped with this.
struct Database {
    server: PgConnectOptions,
    name: String,
}

impl Database {
    async fn create(server: PgConnectOptions) -> Self {
        let name = format!("portcullis_http_{}", given::id::<uuid::Uuid>().simple());
        // From the unmodified template: nobody is ever connected to it, so several databases can copy it at once.
        let create = format!("create database {name} template template0");
        raw_sql(AssertSqlSafe(create)).execute(&mut connect(&server).await).await.unwrap();
        Self { server, name }
    }

    fn url(&self) -> String {
        self.server.clone().database(&self.name).to_url_lossy().to_string()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // A test's runtime can't be waited in.
        let dropping = std::thread::spawn(move || {
            block_on(async {
                let drop = format!("drop database {name} with (force)");
                raw_sql(AssertSqlSafe(drop)).execute(&mut connect(&server).await).await.unwrap();
            });
        });
        dropping.join().ok();
    }
}

async fn open() -> Option<Mount> {
    let database = Database::create(server()?).await;
    let store = PostgresStore::connect(&database.url()).await.unwrap();
    store.migrate().await.unwrap();
    Some(Mount::new(Arc::new(store), web::mounted).guarded(database))
}

auth_testkit::http_suite!(open);

#[tokio::test]
async fn reports_what_it_ran_against() {
    let Some(server) = server() else { return };
    let version: String = query_scalar("show server_version").fetch_one(&mut connect(&server).await).await.unwrap();
    report::suite_ran_against("postgres", version.split(' ').next().unwrap_or_default());
}

/// The server; `None` where the run leaves it out. One that is neither given nor left out fails the test: nobody should
/// believe that it was tried.
fn server() -> Option<PgConnectOptions> {
    let skipped = std::env::var("PORTCULLIS_SKIP").unwrap_or_default();
    if skipped.split(',').any(|name| name.trim() == "postgres") {
        return None;
    }
    let url = std::env::var("PORTCULLIS_TEST_POSTGRES").unwrap_or_else(|_| {
        panic!("PORTCULLIS_TEST_POSTGRES isn't set: run `cargo xtask test`, or set it, or put postgres into PORTCULLIS_SKIP")
    });
    Some(url.parse().unwrap())
}

async fn connect(server: &PgConnectOptions) -> PgConnection {
    server.connect().await.unwrap()
}
