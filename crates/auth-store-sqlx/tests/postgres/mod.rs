//! PostgreSQL.

mod contention;
mod outage;
#[path = "../shared/mod.rs"]
mod shared;

use auth_schema::Dialect;
use auth_store_sqlx::PostgresStore;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, query_scalar, raw_sql};

use crate::support;

pub(crate) const DIALECT: Dialect = Dialect::Postgres;

/// A database on the test server.
pub(crate) struct Database {
    server: PgConnectOptions,
    name: String,
    is_dropped_with_this: bool,
}

impl Database {
    /// `None` where the run leaves PostgreSQL out.
    pub(crate) async fn empty() -> Option<Self> {
        let database = Self::named(support::unique_name(), true)?;
        database.create().await.unwrap();
        Some(database)
    }

    /// One for all processes of this run, left behind on the server; `None` where the run leaves PostgreSQL out.
    pub(crate) async fn of_this_run() -> Option<Self> {
        let database = Self::named(format!("portcullis_suite_{}", support::run()), false)?;
        match database.create().await {
            // Another process was faster, and is done or still at it.
            Err(sqlx::Error::Database(error)) if matches!(error.code().as_deref(), Some("42P04" | "23505")) => {}
            outcome => outcome.unwrap(),
        }
        Some(database)
    }

    fn named(name: String, is_dropped_with_this: bool) -> Option<Self> {
        let url = support::server("postgres", "PORTCULLIS_TEST_POSTGRES")?;
        Some(Self { server: url.parse().unwrap(), name, is_dropped_with_this })
    }

    /// From the unmodified template: nobody is ever connected to it, so several databases can copy it at once.
    async fn create(&self) -> sqlx::Result<()> {
        let create = format!("create database {} template template0", self.name);
        raw_sql(AssertSqlSafe(create)).execute(&mut self.server.connect().await?).await.map(drop)
    }

    pub(crate) async fn migrated() -> Option<(Self, PostgresStore)> {
        let database = Self::empty().await?;
        let store = database.open().await;
        store.migrate().await.unwrap();
        Some((database, store))
    }

    fn options(&self) -> PgConnectOptions {
        self.server.clone().database(&self.name)
    }

    pub(crate) fn url(&self) -> String {
        self.options().to_url_lossy().to_string()
    }

    /// The database as another node would open it.
    pub(crate) async fn open(&self) -> PostgresStore {
        PostgresStore::connect(&self.url()).await.unwrap()
    }

    pub(crate) async fn connection(&self) -> PgConnection {
        self.options().connect().await.unwrap()
    }

    pub(crate) async fn version(&self) -> String {
        let version: String =
            query_scalar("show server_version").fetch_one(&mut self.connection().await).await.unwrap();
        version.split(' ').next().unwrap_or_default().to_owned()
    }

    pub(crate) async fn execute(&self, sql: &str) {
        raw_sql(AssertSqlSafe(sql)).execute(&mut self.connection().await).await.unwrap();
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if !self.is_dropped_with_this {
            return;
        }
        let (server, name) = (self.server.clone(), self.name.clone());
        // A test's runtime can't be waited in.
        let dropping = std::thread::spawn(move || {
            auth_testkit::block_on(async {
                let drop = format!("drop database {name} with (force)");
                raw_sql(AssertSqlSafe(drop)).execute(&mut server.connect().await.unwrap()).await.unwrap();
            });
        });
        dropping.join().ok();
    }
}
