//! SQLite: what is particular to it, then the shared store.

use std::borrow::Cow;
use std::time::Duration;

use auth_core::port::StoreError;
#[cfg(feature = "migrate")]
use auth_schema::Migration;
use auth_store::trouble::Trouble;
use sqlx::error::DatabaseError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

#[allow(clippy::duplicate_mod, reason = "one source for all dialects")]
#[path = "store/mod.rs"]
mod store;
#[allow(clippy::duplicate_mod, reason = "one source for both dialects")]
#[path = "writes.rs"]
mod writes;

pub use store::Store as SqliteStore;
pub use store::{Connection, Participant, Refusal};

/// Connections of a [`SqliteStore`] for reading; for writing there is one, since SQLite has one writer anyway, and
/// waiting for a turn in a queue is fairer than polling for the lock.
pub const READERS: u32 = 8;

impl SqliteStore {
    /// Opens the database file at `url` with [`options`]; makes it, readable to its owner only, where there is none.
    ///
    /// `sqlite::memory:` is a database of this store's own, on a single connection.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the URL can't be read or names no database, [`StoreError::Unavailable`] when the file
    /// can't be opened or stays locked for five seconds.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let options = options(url)?;
        // Nothing about a file gets stale, and the one connection to a database in memory must never be closed.
        let pool = SqlitePoolOptions::new()
            .acquire_timeout(Duration::from_secs(5))
            .max_lifetime(None)
            .idle_timeout(None)
            .test_before_acquire(false);
        let in_memory = url.contains(":memory:") || url.contains("mode=memory");
        if !in_memory {
            auth_store::sqlite::create(options.get_filename()).map_err(|error| store::store_error(error.into()))?;
        }
        let writes = store::patiently(|| pool.clone().max_connections(1).connect_with(options.clone()));
        let writes = writes.await.map_err(store::store_error)?;
        let reads = if in_memory {
            store::Readers::shared(writes.clone())
        } else {
            store::Readers::own(pool.max_connections(READERS).connect_lazy_with(options))
        };
        Ok(Self::over(reads, writes))
    }

    /// A store on the host's own pools, which may be one and the same. Their connections should be made with
    /// [`options`], or have foreign keys on and a busy timeout; the pool for writes does best with a single connection.
    pub fn new(reads: SqlitePool, writes: SqlitePool) -> Self {
        Self::over(store::Readers::shared(reads), writes)
    }
}

/// Options for connections to `url`: write-ahead log, foreign keys on, `synchronous` normal (a power cut may lose the
/// last commits, never the database), and up to five seconds of waiting for a lock.
///
/// # Errors
/// [`StoreError::Failed`] when the URL can't be read.
pub fn options(url: &str) -> Result<SqliteConnectOptions, StoreError> {
    let options: SqliteConnectOptions = url.parse().map_err(store::store_error)?;
    Ok(options
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5)))
}

type Db = sqlx::Sqlite;

use writes::{ADD_PEPPER_CHECK, ADD_ROLE, first_of};

/// The shared statements number their placeholders.
fn placeholder(n: usize) -> String {
    format!("${n}")
}

fn query(text: &'static str) -> store::Statement {
    sqlx::query(text)
}

/// Its message quotes no values.
fn message(error: &dyn DatabaseError) -> Cow<'_, str> {
    error.message().into()
}

const DIALECT: auth_schema::Dialect = auth_schema::Dialect::Sqlite;

/// Takes the write lock at once: a transaction that reads first can't wait for it later (`SQLITE_BUSY_SNAPSHOT`).
const BEGIN: &str = "begin immediate";

/// There is one writer at a time.
const LOCK_USER: Option<&str> = None;
const LOCK_WAITING: Option<&str> = None;

const LEASE_MAIL: &str = "
    update auth_mail_outbox set lease = $1, due_at = $2, attempts = attempts + 1
    where id in (
        select id from auth_mail_outbox where state = 'queued' and due_at <= $3 order by due_at, id limit $4)
    returning id, user_id, recipient, recipient_canonical, kind, body, created_at, expires_at, attempts";

const VERSION_TABLE_EXISTS: &str =
    "select count(*) from sqlite_master where type = 'table' and name = 'auth_schema_version'";

#[cfg(feature = "migrate")]
async fn apply_migration(pool: &SqlitePool, migration: &Migration) -> sqlx::Result<bool> {
    // The transaction holds the write lock already.
    store::in_one_transaction(pool, migration, "").await
}

const EMAIL_TAKEN: &str = "auth_users.email_canonical";
const SLOT_TAKEN: &str = "auth_pending_registrations.email_canonical, auth_pending_registrations.slot";
const KEY_NUMBER_TAKEN: &str = "auth_signing_keys.number";

/// The message names columns, not the constraint.
fn violates(error: &dyn DatabaseError, unique: &str) -> bool {
    error.is_unique_violation() && error.message().strip_prefix("UNIQUE constraint failed: ") == Some(unique)
}

fn trouble(error: &dyn DatabaseError) -> Trouble {
    let extended: i32 = error.code().and_then(|code| code.parse().ok()).unwrap_or_default();
    match extended & 0xff {
        // Busy, locked.
        5 | 6 => Trouble::Contention,
        // I/O error, disk full, can't open.
        10 | 13 | 14 => Trouble::Away,
        _ => Trouble::Failure,
    }
}
