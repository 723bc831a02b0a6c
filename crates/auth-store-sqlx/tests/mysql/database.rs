//! Databases on the test server, seen from beside the store.

use auth_store_sqlx::mysql;
use sqlx::mysql::MySqlConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, MySqlConnection, query_scalar, raw_sql};

use super::{BACKEND, Store};
use crate::support;

/// A database on the test server.
pub(crate) struct Database {
    server: MySqlConnectOptions,
    name: String,
    is_dropped_with_this: bool,
}

impl Database {
    /// `None` where the run leaves MariaDB out.
    pub(crate) async fn empty() -> Option<Self> {
        let database = Self::named(support::unique_name(), true)?;
        database.create().await;
        Some(database)
    }

    /// One for all processes of this run, left behind on the server; `None` where the run leaves MariaDB out.
    pub(crate) async fn of_this_run() -> Option<Self> {
        let database = Self::named(format!("portcullis_suite_{}", support::run()), false)?;
        database.create().await;
        Some(database)
    }

    fn named(name: String, is_dropped_with_this: bool) -> Option<Self> {
        let url = support::server(BACKEND, "PORTCULLIS_TEST_MARIADB")?;
        // The shared tests put texts together with `||`.
        let server = mysql::options(&url).unwrap().pipes_as_concat(true);
        Some(Self { server, name, is_dropped_with_this })
    }

    /// With the server's default collation, which takes `a`, `A` and `á` for one letter.
    async fn create(&self) {
        let create = format!("create database if not exists {}", self.name);
        raw_sql(AssertSqlSafe(create)).execute(&mut self.server.connect().await.unwrap()).await.unwrap();
    }

    pub(crate) async fn migrated() -> Option<(Self, Store)> {
        let database = Self::empty().await?;
        let store = database.open().await;
        store.migrate().await.unwrap();
        Some((database, store))
    }

    pub(crate) fn options(&self) -> MySqlConnectOptions {
        self.server.clone().database(&self.name)
    }

    pub(crate) fn url(&self) -> String {
        self.options().to_url_lossy().to_string()
    }

    /// The database as another node would open it.
    pub(crate) async fn open(&self) -> Store {
        Store::connect(&self.url()).await.unwrap()
    }

    pub(crate) async fn connection(&self) -> MySqlConnection {
        let mut connection = self.options().connect().await.unwrap();
        // The shared tests make their thousands of rows by recursion.
        connection.execute("set session max_recursive_iterations = 100000").await.unwrap();
        connection
    }

    pub(crate) async fn version(&self) -> String {
        let version: String = query_scalar("select version()").fetch_one(&mut self.connection().await).await.unwrap();
        version.split('-').next().unwrap_or_default().to_owned()
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

    /// How often the server's log tells of a lock in this database that was part of a deadlock. The server's own counter
    /// is for all of its databases, and other tests make deadlocks on purpose.
    pub(crate) async fn deadlocks(&self) -> i64 {
        let log = support::server(BACKEND, "PORTCULLIS_TEST_MARIADB_LOG").expect("not left out");
        let log = std::fs::read_to_string(log).unwrap();
        log.matches(&format!("of table `{}`.", self.name)).count().try_into().unwrap()
    }

    /// How many rows `reads` looks at, whether or not it returns them.
    pub(crate) async fn rows_read(&self, reads: impl AsyncFnOnce(&Store)) -> i64 {
        const ROWS: &str = "
            select cast(coalesce(sum(rows_read), 0) as signed) from information_schema.table_statistics
            where table_schema = database() and table_name like 'auth_%'";
        self.execute("analyze table auth_users, auth_audit_events, auth_mail_outbox, auth_sessions").await;
        self.execute("set global userstat = 1").await;
        let before = self.number(ROWS).await;
        let store = self.open().await;
        reads(&store).await;
        store.close().await;
        self.number(ROWS).await - before
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
                let drop = format!("drop database {name}");
                raw_sql(AssertSqlSafe(drop)).execute(&mut server.connect().await.unwrap()).await.unwrap();
            });
        });
        dropping.join().ok();
    }
}
