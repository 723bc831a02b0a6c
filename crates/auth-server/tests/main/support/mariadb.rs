//! Databases on the MariaDB of the tests.

use sqlx::mysql::MySqlConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, MySqlConnection, query_scalar, raw_sql};

use super::database::PEPPER;
use super::process::Home;
use super::{report, server};

/// A database on the test server, dropped with this.
#[derive(Debug)]
pub(crate) struct Mariadb {
    server: MySqlConnectOptions,
    name: String,
}

impl Mariadb {
    /// `None` where the run leaves MariaDB out.
    pub(crate) async fn empty() -> Option<Self> {
        let url = server("mariadb", "PORTCULLIS_TEST_MARIADB")?;
        let unique = uuid::Uuid::from_bytes(rand::random()).simple();
        let database = Self { server: url.parse().unwrap(), name: format!("portcullis_{unique}") };
        let mut connection = database.server.connect().await.unwrap();
        let create = format!("create database {}", database.name);
        raw_sql(AssertSqlSafe(create)).execute(&mut connection).await.unwrap();
        let version: String = query_scalar("select version()").fetch_one(&mut connection).await.unwrap();
        report("mariadb", version.split('-').next().unwrap_or_default());
        Some(database)
    }

    pub(crate) fn options(&self) -> MySqlConnectOptions {
        self.server.clone().database(&self.name)
    }

    pub(crate) fn url(&self) -> String {
        self.options().to_url_lossy().to_string()
    }

    /// A home whose server uses this database.
    pub(crate) fn home(&self) -> Home {
        Home::new().with("DATABASE_URL", &self.url()).with("AUTH_PEPPER", PEPPER)
    }

    pub(crate) async fn connection(&self) -> MySqlConnection {
        self.options().connect().await.unwrap()
    }
}

impl Drop for Mariadb {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), std::mem::take(&mut self.name));
        // A test's runtime can't be waited in.
        let dropping = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
                let drop = format!("drop database {name}");
                raw_sql(AssertSqlSafe(drop)).execute(&mut server.connect().await.unwrap()).await.unwrap();
            });
        });
        dropping.join().ok();
    }
}
