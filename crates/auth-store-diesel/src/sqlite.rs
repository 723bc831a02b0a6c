//! SQLite: what is particular to it, then the shared store.

mod file;

use auth_core::port::StoreError;
use auth_store::trouble::Trouble;
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind};
use diesel::sql_types::Binary;
use diesel::{
    ConnectionResult, ExpressionMethods as _, QueryDsl as _, QueryResult, SelectableHelper as _, SqliteConnection,
};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncConnection as _, RunQueryDsl as _, SimpleAsyncConnection as _};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use uuid::Uuid;

use crate::error::Error;
use file::File;

#[cfg(feature = "migrate")]
#[allow(clippy::duplicate_mod, reason = "one source for two dialects")]
#[path = "migration.rs"]
mod migration;
#[allow(clippy::duplicate_mod, reason = "one source for all dialects")]
#[path = "store/mod.rs"]
mod store;
#[allow(clippy::duplicate_mod, reason = "one source for two dialects")]
#[path = "writes.rs"]
mod writes;

#[cfg(feature = "migrate")]
use migration::apply as apply_migration;
pub use store::Store as SqliteStore;
pub use store::{Participant, Refusal};

/// Connections of a [`SqliteStore`] for reading; for writing there is one, since SQLite has one writer anyway, and
/// waiting for a turn in a queue is fairer than polling for the lock.
pub const READERS: usize = 8;

/// A pool of connections to a file.
pub type Pool = store::Pool;

impl SqliteStore {
    /// Opens the database file at `url`, by connections as [`manager`] makes them; makes it, readable to its owner only,
    /// where there is none.
    ///
    /// `sqlite::memory:` is a database of this store's own, on a single connection.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the URL can't be read or names no database, [`StoreError::Unavailable`] when the file
    /// can't be opened or stays locked for five seconds.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let file = File::parse(url).map_err(store::store_error)?;
        file.create().map_err(store::store_error)?;
        let writes = pool(&file, 1)?;
        // Opens it, or says at once why that can't be done.
        let open = || store::with(&writes, None, store::judge, |_| ready(Ok(())).boxed());
        store::patiently(open).await.map_err(store::store_error)?;
        let reads = if file.is_in_memory() { writes.clone() } else { pool(&file, READERS)? };
        Ok(Self::over(Readers::of(reads), writes))
    }

    /// A store on the host's own pools, which may be one and the same. Their connections should be made as [`manager`] makes
    /// them, or have foreign keys on and a busy timeout; the pool for writes does best with a single connection.
    pub fn new(reads: Pool, writes: Pool) -> Self {
        Self::over(Readers::of(reads), writes)
    }
}

fn pool(file: &File, connections: usize) -> Result<Pool, StoreError> {
    let pool = Pool::builder(connections_to(file)).max_size(connections).build();
    pool.map_err(|error| store::store_error(Error::Other(error.into())))
}

/// Makes connections to the file at `url` for a pool: write-ahead log, foreign keys on, `synchronous` normal (a power cut may
/// lose the last commits, never the database), and up to five seconds of waiting for a lock.
///
/// # Errors
/// [`StoreError::Failed`] when the URL can't be read.
pub fn manager(url: &str) -> Result<AsyncDieselConnectionManager<Connection>, StoreError> {
    Ok(connections_to(&File::parse(url).map_err(store::store_error)?))
}

fn connections_to(file: &File) -> AsyncDieselConnectionManager<Connection> {
    let mut config = ManagerConfig::default();
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(|url| open(url.to_owned()).boxed());
    AsyncDieselConnectionManager::new_with_config(file.url(), config)
}

async fn open(url: String) -> ConnectionResult<Connection> {
    // The timeout first: another process may be about to change the log's mode.
    const SET_UP: &str = "
        pragma busy_timeout = 5000;
        pragma journal_mode = wal;
        pragma synchronous = normal;
        pragma foreign_keys = on";
    let mut connection = Connection::establish(&url).await?;
    connection.batch_execute(SET_UP).await.map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

type Db = diesel::sqlite::Sqlite;
/// A connection to this database.
pub type Connection = SyncConnectionWrapper<SqliteConnection>;
type Reader<'c> = &'c mut Connection;
type Readers = store::PoolReaders;
pub(crate) type IdType = Binary;

const DIALECT: auth_schema::Dialect = auth_schema::Dialect::Sqlite;

/// A connection serves one query at a time.
const LISTS_GO_APART: bool = false;

/// A statement runs on a thread of its own, which nothing stops; dropping the future would wait for that thread, and block
/// all else on a worker of the runtime, or panic on a runtime without workers.
const MAY_BE_CUT_SHORT: bool = false;

fn id_to_column(id: &Uuid) -> &[u8; 16] {
    id.as_bytes()
}

fn id_from_column(value: <Db as Backend>::RawValue<'_>) -> deserialize::Result<Uuid> {
    Ok(Uuid::from_slice(&<Vec<u8> as FromSql<Binary, Db>>::from_sql(value)?)?)
}

fn reader(connection: &mut Connection) -> Reader<'_> {
    connection
}

/// Nothing about a file gets stale.
const HELLO: Option<store::Hello> = None;

/// Takes the write lock at once: a transaction that reads first can't wait for it later (`SQLITE_BUSY_SNAPSHOT`).
fn begin(connection: &mut Connection) -> BoxFuture<'_, QueryResult<()>> {
    let begin = |connection: &mut SqliteConnection| {
        diesel::connection::AnsiTransactionManager::begin_transaction_sql(connection, "begin immediate")
    };
    connection.spawn_blocking(begin)
}

/// There is one writer at a time.
#[expect(clippy::unused_async, reason = "other dialects do something")]
async fn lock_user(_: &mut Connection, _: store::Id) -> QueryResult<()> {
    Ok(())
}

#[expect(clippy::unused_async, reason = "other dialects do something")]
async fn lock_pendings(_: &mut Connection, _: store::Id) -> QueryResult<()> {
    Ok(())
}

async fn lease_mail(
    connection: &mut Connection,
    lease: store::Id,
    now: i64,
    until: i64,
    limit: i64,
) -> QueryResult<Vec<store::LeasedRow>> {
    use store::auth_mail_outbox::{attempts, due_at, id, lease as held_by, state, table};

    let due = diesel::alias!(store::auth_mail_outbox as due);
    let (is, since) = (due.field(id), due.field(due_at));
    let due =
        due.filter(due.field(state).eq("queued")).filter(since.le(now)).order((since, is)).limit(limit).select(is);
    let take = diesel::update(table.filter(id.eq_any(due)))
        .set((held_by.eq(lease), due_at.eq(until), attempts.eq(attempts + 1_i64)))
        .returning(store::LeasedRow::as_returning());
    take.load(connection).await
}

const VERSION_TABLE_EXISTS: &str =
    "select count(*) from sqlite_master where type = 'table' and name = 'auth_schema_version'";

/// The transaction holds the write lock already.
#[cfg(feature = "migrate")]
const BEFORE_MIGRATING: &str = "";

const EMAIL_TAKEN: &str = "auth_users.email_canonical";
const SLOT_TAKEN: &str = "auth_pending_registrations.email_canonical, auth_pending_registrations.slot";
const KEY_NUMBER_TAKEN: &str = "auth_signing_keys.number";

/// The message names columns, not the constraint.
fn violates(kind: &DatabaseErrorKind, said: &dyn DatabaseErrorInformation, unique: &str) -> bool {
    matches!(kind, DatabaseErrorKind::UniqueViolation)
        && said.message().strip_prefix("UNIQUE constraint failed: ") == Some(unique)
}

fn message(said: &dyn DatabaseErrorInformation) -> String {
    said.message().to_owned()
}

fn trouble(_: &DatabaseErrorKind, message: &str) -> Trouble {
    // SQLite's texts are the same everywhere.
    match message {
        "database is locked" | "database table is locked" | "database schema is locked" => Trouble::Contention,
        "disk I/O error" | "database or disk is full" | "unable to open database file" => Trouble::Away,
        message if message.starts_with("database table is locked: ") => Trouble::Contention,
        _ => Trouble::Failure,
    }
}
