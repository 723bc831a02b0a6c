//! PostgreSQL: what is particular to it, then the shared store.

use std::borrow::Cow;
use std::time::Duration;

use auth_core::port::StoreError;
#[cfg(feature = "migrate")]
use auth_schema::Migration;
use auth_store::trouble::Trouble;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

#[allow(clippy::duplicate_mod, reason = "one source for all dialects")]
#[path = "store/mod.rs"]
mod store;
#[allow(clippy::duplicate_mod, reason = "one source for both dialects")]
#[path = "writes.rs"]
mod writes;

pub use store::Store as PostgresStore;
pub use store::{Connection, Participant, Refusal};

/// Connections of a [`PostgresStore`] for reading, and as many for writing, unless the host brings its own pool.
pub const CONNECTIONS: u32 = 10;

impl PostgresStore {
    /// Connects to the database at `url` with [`options`] and pools of [`CONNECTIONS`].
    ///
    /// Reads and writes have a pool each, so that writers queueing for a row leave readers alone. The reading pool
    /// doesn't ping a connection before each use, nor after: a read that finds it dead is asked again over the other one,
    /// which does.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the URL can't be read or the server refuses us, [`StoreError::Unavailable`] when it
    /// can't be reached within five seconds.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let options = options(url)?;
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(Duration::from_secs(5));
        let writes = pool.clone().connect_with(options.clone()).await.map_err(store::store_error)?;
        let reads = pool.test_before_acquire(false).connect_lazy_with(options);
        Ok(Self::over(store::Readers::own(reads), writes))
    }

    /// A store on the host's own pool. Its connections should be made with [`options`], or with limits of the like, and
    /// tested before they are acquired (sqlx's default): a write isn't asked twice. The pool's `acquire_timeout` decides
    /// how long a request waits for a database that is away.
    pub fn new(pool: PgPool) -> Self {
        Self::over(store::Readers::shared(pool.clone()), pool)
    }
}

/// Options for connections to `url` that wait at most two seconds for a lock and run at most five seconds a statement,
/// and whose transactions the server ends when this process hangs for ten.
///
/// # Errors
/// [`StoreError::Failed`] when the URL can't be read.
pub fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    let options: PgConnectOptions = url.parse().map_err(store::store_error)?;
    Ok(options.options([
        ("lock_timeout", "2s"),
        ("statement_timeout", "5s"),
        ("idle_in_transaction_session_timeout", "10s"),
    ]))
}

type Db = sqlx::Postgres;

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

const DIALECT: auth_schema::Dialect = auth_schema::Dialect::Postgres;

/// Named, since a database may be set to another default: after the wait for a lock, a statement has to see what the one
/// who held it has written.
const BEGIN: &str = "begin isolation level read committed";

/// Locks against other commits, not against the key share that rows which refer to the user take.
const LOCK_USER: Option<&str> = Some("select id from auth_users where id = $1 for no key update");

/// All registrations of an address, in one order for everybody: each click on one of their mails ends the others, and two
/// that took them in different orders would deadlock.
const LOCK_WAITING: Option<&str> = Some(
    "select id from auth_pending_registrations
    where email_canonical = (select email_canonical from auth_pending_registrations where id = $1)
    order by id for update",
);

/// Skips what another worker is just leasing. The array is evaluated once; a plain `in` may be, again, for each row.
const LEASE_MAIL: &str = "
    update auth_mail_outbox set lease = $1, due_at = $2, attempts = attempts + 1
    where id = any (array(
        select id from auth_mail_outbox where state = 'queued' and due_at <= $3
        order by due_at, id limit $4 for update skip locked))
    returning id, user_id, recipient, recipient_canonical, kind, body, created_at, expires_at, attempts";

const VERSION_TABLE_EXISTS: &str =
    "select count(*) from pg_catalog.pg_class where oid = to_regclass('auth_schema_version')";

#[cfg(feature = "migrate")]
async fn apply_migration(pool: &PgPool, migration: &Migration) -> sqlx::Result<bool> {
    // The lock is the transaction's, and any number that all nodes agree on: the bytes of `portcull`.
    const LOCK: &str = "
        set local lock_timeout = '60s';
        set local statement_timeout = 0;
        select pg_advisory_xact_lock(8101820098873224300)";
    store::in_one_transaction(pool, migration, LOCK).await
}

const EMAIL_TAKEN: &str = "auth_users_email_key";
const SLOT_TAKEN: &str = "auth_pending_registrations_slot_key";
const KEY_NUMBER_TAKEN: &str = "auth_signing_keys_pkey";

fn violates(error: &dyn DatabaseError, unique: &str) -> bool {
    error.is_unique_violation() && error.constraint() == Some(unique)
}

fn trouble(error: &dyn DatabaseError) -> Trouble {
    let code = error.code().unwrap_or_default();
    match &*code {
        // Deadlock, serialisation failure, lock timeout.
        "40P01" | "40001" | "55P03" => Trouble::Contention,
        // Foreign key: what a row is to refer to was deleted since the statement saw it. The next attempt doesn't see it.
        "23503" => Trouble::Contention,
        // The server ends the connection: shutdown, crash of another backend, dropped database, a time limit.
        "57P01" | "57P02" | "57P04" | "57P05" | "25P03" => Trouble::Cut,
        // Starting up; statement timeout; a standby that doesn't take writes.
        "57P03" | "57014" | "25006" => Trouble::Away,
        // Classes: connection exception, insufficient resources.
        code if code.starts_with("08") || code.starts_with("53") => Trouble::Away,
        _ => Trouble::Failure,
    }
}
