//! On PostgreSQL, in a schema of each check's own: a database takes the server longer to make than most checks take.

use std::sync::Arc;

use auth_store_sqlx::PostgresStore;
use auth_testkit::http::Mount;
use auth_testkit::{block_on, given};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, query_scalar};

use super::report;
use crate::web;

/// A schema that is dropped with this, once nobody is connected.
struct Schema {
    server: PgConnectOptions,
    name: String,
}

impl Schema {
    async fn create(server: PgConnectOptions) -> Self {
        let name = format!("portcullis_http_{}", given::id::<uuid::Uuid>().simple());
        execute(&server, format!("create schema {name}")).await;
        Self { server, name }
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // A test's runtime can't be waited in.
        let dropping = std::thread::spawn(move || block_on(execute(&server, format!("drop schema {name} cascade"))));
        dropping.join().ok();
    }
}

async fn execute(server: &PgConnectOptions, statement: String) {
    server.connect().await.unwrap().execute(AssertSqlSafe(statement)).await.unwrap();
}

async fn open() -> Option<Mount> {
    let server = server()?;
    let schema = Schema::create(server.parse().unwrap()).await;
    let store = PostgresStore::connect(&format!("{server}?options[search_path]={}", schema.name)).await.unwrap();
    store.migrate().await.unwrap();
    Some(Mount::new(Arc::new(store), web::mounted).guarded(schema))
}

web::http_suite_on_sql!(open);

#[tokio::test]
async fn reports_what_it_ran_against() {
    let Some(server) = server() else { return };
    let mut connection = server.parse::<PgConnectOptions>().unwrap().connect().await.unwrap();
    let version: String = query_scalar("show server_version").fetch_one(&mut connection).await.unwrap();
    report::suite_ran_against("postgres", version.split(' ').next().unwrap_or_default());
}

fn server() -> Option<String> {
    report::server("postgres", "PORTCULLIS_TEST_POSTGRES")
}
