//! SQLite.

mod contention;
mod files;
#[path = "../shared/mod.rs"]
mod shared;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use auth_schema::Dialect;
use auth_store_sqlx::{SqliteStore, sqlite};
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, SqliteConnection, query_scalar, raw_sql};
use tempfile::TempDir;

use crate::support;

pub(crate) const DIALECT: Dialect = Dialect::Sqlite;
pub(crate) const BACKEND: &str = "sqlite";
pub(crate) const RANDOM_ID: &str = "randomblob(16)";
pub(crate) const ID: &str = "blob";
pub(crate) use sqlite::{Connection, Participant, Refusal};
pub(crate) type Store = SqliteStore;

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

    pub(crate) async fn migrated() -> Option<(Self, SqliteStore)> {
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
    pub(crate) async fn open(&self) -> SqliteStore {
        SqliteStore::connect(&self.url()).await.unwrap()
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

    /// How many rows `reads` looks at, whether or not it returns them: SQLite tells its steps only, and takes five or more
    /// for each row.
    pub(crate) async fn rows_read(&self, reads: impl AsyncFnOnce(&SqliteStore)) -> i64 {
        let steps = Arc::new(AtomicI64::new(0));
        let counter = steps.clone();
        let pool = SqlitePoolOptions::new().max_connections(1).after_connect(move |connection, _| {
            let counter = counter.clone();
            Box::pin(async move {
                connection.lock_handle().await?.set_progress_handler(10, move || {
                    counter.fetch_add(10, Ordering::Relaxed);
                    true
                });
                Ok(())
            })
        });
        let pool = pool.connect_with(sqlite::options(&self.url()).unwrap()).await.unwrap();
        let store = SqliteStore::new(pool.clone(), pool);
        let before = steps.load(Ordering::Relaxed);
        reads(&store).await;
        store.close().await;
        (steps.load(Ordering::Relaxed) - before) / 5
    }
}
