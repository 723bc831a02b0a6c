//! On MariaDB, in a database of each check's own.

use std::sync::Arc;

use auth_store_sqlx::MysqlStore;
use auth_testkit::http::Mount;
use auth_testkit::{block_on, given};
use sqlx::mysql::MySqlConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, MySqlConnection, query_scalar, raw_sql};

use super::report;
use crate::web;

/// A database that is dropped with this.
struct Database {
    server: MySqlConnectOptions,
    name: String,
}

impl Database {
    async fn create(server: MySqlConnectOptions) -> Self {
        let name = format!("portcullis_http_{}", given::id::<uuid::Uuid>().simple());
        let create = format!("create database {name}");
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
                let drop = format!("drop database {name}");
                raw_sql(AssertSqlSafe(drop)).execute(&mut connect(&server).await).await.unwrap();
            });
        });
        dropping.join().ok();
    }
}

async fn open() -> Option<Mount> {
    let database = Database::create(server()?).await;
    let store = MysqlStore::connect(&database.url()).await.unwrap();
    store.migrate().await.unwrap();
    Some(Mount::new(Arc::new(store), web::mounted).guarded(database))
}

web::http_suite_on_sql!(open);

#[tokio::test]
async fn reports_what_it_ran_against() {
    let Some(server) = server() else { return };
    let version: String = query_scalar("select version()").fetch_one(&mut connect(&server).await).await.unwrap();
    report::suite_ran_against("mariadb", version.split('-').next().unwrap_or_default());
}

fn server() -> Option<MySqlConnectOptions> {
    report::server("mariadb", "PORTCULLIS_TEST_MARIADB").map(|url| url.parse().unwrap())
}

async fn connect(server: &MySqlConnectOptions) -> MySqlConnection {
    server.connect().await.unwrap()
}
