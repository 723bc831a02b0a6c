//! Database files, seen from beside the store.

use std::path::{Path, PathBuf};

use auth_store_sqlx::sqlite;
use sqlx::{AssertSqlSafe, ConnectOptions, SqliteConnection, query_scalar, raw_sql};
use tempfile::TempDir;

use super::Store;
use crate::support;

pub(crate) struct Database {
    file: PathBuf,
    /// Deleted with this.
    _folder: Option<TempDir>,
}

impl Database {
    /// Always there: SQLite is built in.
    pub(crate) async fn empty() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        Some(Self { file: folder.path().join("store.db"), _folder: Some(folder) })
    }

    /// One for all processes of this run, left behind in the target folder.
    pub(crate) async fn of_this_run() -> Option<Self> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sqlite-suite");
        std::fs::create_dir_all(&folder).unwrap();
        Some(Self { file: folder.join(support::run()).with_extension("db"), _folder: None })
    }

    pub(crate) async fn migrated() -> Option<(Self, Store)> {
        let database = Self::empty().await?;
        let store = database.open().await;
        store.migrate().await.unwrap();
        Some((database, store))
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite://{}", self.file().display())
    }

    /// The database as another process would open it.
    pub(crate) async fn open(&self) -> Store {
        Store::connect(&self.url()).await.unwrap()
    }

    pub(crate) async fn connection(&self) -> SqliteConnection {
        sqlite::options(&self.url()).unwrap().create_if_missing(true).connect().await.unwrap()
    }

    pub(crate) async fn version(&self) -> String {
        query_scalar("select sqlite_version()").fetch_one(&mut self.connection().await).await.unwrap()
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

    /// There is one writer at a time.
    pub(crate) async fn deadlocks(&self) -> i64 {
        0
    }

    /// How many rows `reads` looks at, whether or not it returns them.
    pub(crate) async fn rows_read(&self, reads: impl AsyncFnOnce(&Store)) -> i64 {
        super::rows_read(self, reads).await
    }
}
