//! Databases on the test server, seen from beside the store.

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, query_scalar, raw_sql};

use super::{BACKEND, Store};
use crate::support;

/// A database on the test server.
pub(crate) struct Database {
    server: PgConnectOptions,
    pub(crate) name: String,
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
        let url = support::server(BACKEND, "PORTCULLIS_TEST_POSTGRES")?;
        Some(Self { server: url.parse().unwrap(), name, is_dropped_with_this })
    }

    /// From the unmodified template: nobody is ever connected to it, so several databases can copy it at once.
    async fn create(&self) -> sqlx::Result<()> {
        let create = format!("create database {} template template0", self.name);
        raw_sql(AssertSqlSafe(create)).execute(&mut self.server.connect().await?).await.map(drop)
    }

    pub(crate) async fn migrated() -> Option<(Self, Store)> {
        let database = Self::empty().await?;
        let store = database.open().await;
        store.migrate().await.unwrap();
        Some((database, store))
    }

    pub(crate) fn options(&self) -> PgConnectOptions {
        self.server.clone().database(&self.name)
    }

    pub(crate) fn url(&self) -> String {
        self.options().to_url_lossy().to_string()
    }

    /// The database as another node would open it.
    pub(crate) async fn open(&self) -> Store {
        Store::connect(&self.url()).await.unwrap()
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
        self.try_execute(sql).await.unwrap();
    }

    pub(crate) async fn try_execute(&self, sql: &str) -> sqlx::Result<()> {
        raw_sql(AssertSqlSafe(sql)).execute(&mut self.connection().await).await.map(drop)
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        query_scalar(AssertSqlSafe(sql)).fetch_one(&mut self.connection().await).await.unwrap()
    }

    /// How often the server has ended a deadlock in this database. To be asked when nobody is connected any more.
    pub(crate) async fn deadlocks(&self) -> i64 {
        self.at_rest("select deadlocks from pg_stat_database where datname = current_database()").await
    }

    /// How many rows `reads` looks at, whether or not it returns them.
    pub(crate) async fn rows_read(&self, reads: impl AsyncFnOnce(&Store)) -> i64 {
        const ROWS: &str = "
            select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint from pg_stat_user_tables
            where relname like 'auth_%'";
        self.execute("analyze").await;
        let before = self.at_rest(ROWS).await;
        let store = self.open().await;
        reads(&store).await;
        store.close().await;
        self.at_rest(ROWS).await - before
    }

    /// A number of the server's statistics, which a connection adds to when it ends, at the latest.
    async fn at_rest(&self, sql: &str) -> i64 {
        const OTHERS: &str = "
            select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
        while self.number(OTHERS).await > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        self.number(sql).await
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
