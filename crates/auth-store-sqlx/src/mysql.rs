//! MySQL and MariaDB: what is particular to them, then the shared store.

mod message;
#[cfg(feature = "migrate")]
mod migration;
mod placeholders;
mod writes;

use std::time::Duration;

use auth_core::port::StoreError;
use auth_store::mysql::duplicate_key;
use auth_store::trouble::Trouble;
use sqlx::error::DatabaseError;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlDatabaseError, MySqlPool, MySqlPoolOptions};
use sqlx::{Executor as _, raw_sql};

#[allow(clippy::duplicate_mod, reason = "one source for all dialects")]
#[path = "store/mod.rs"]
mod store;

use message::without_values as message;
#[cfg(feature = "migrate")]
use migration::apply as apply_migration;
use placeholders::{placeholder, query};
pub use store::Store as MysqlStore;
pub use store::{Connection, Participant, Refusal};

/// Connections of a [`MysqlStore`] for reading, and as many for writing, unless the host brings its own pool.
pub const CONNECTIONS: u32 = 10;

impl MysqlStore {
    /// Connects to the database at `url` with [`options`] and pools of [`CONNECTIONS`], each [`set_up`].
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
        let pool = MySqlPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(Duration::from_secs(5))
            .after_connect(|connection, _| Box::pin(set_up(connection)));
        let writes = pool.clone().connect_with(options.clone()).await.map_err(store::store_error)?;
        let reads = pool.test_before_acquire(false).connect_lazy_with(options);
        Ok(Self::over(store::Readers::own(reads), writes))
    }

    /// A store on the host's own pool. Its connections should be [`set_up`] in `after_connect`, or have a strict
    /// `sql_mode`, `utf8mb4` and limits of the like, and be tested before they are acquired (sqlx's default): a write isn't
    /// asked twice. The pool's `acquire_timeout` decides how long a request waits for a database that is away.
    pub fn new(pool: MySqlPool) -> Self {
        Self::over(store::Readers::shared(pool.clone()), pool)
    }
}

/// Options for connections to `url`, which begins with `mysql://` or `mariadb://`.
///
/// # Errors
/// [`StoreError::Failed`] when the URL can't be read.
pub fn options(url: &str) -> Result<MySqlConnectOptions, StoreError> {
    let options: MySqlConnectOptions = url.parse().map_err(store::store_error)?;
    // What else sqlx would set is set by `set_up`, or isn't used.
    Ok(options.charset("utf8mb4").pipes_as_concat(false).no_engine_substitution(false).timezone(None))
}

/// Makes a new connection refuse what doesn't fit a column instead of cutting it off, wait at most two seconds for a lock,
/// and see what others have committed. Where the server has such limits, it runs a statement for five seconds at most, and
/// ends a transaction when this process hangs for ten.
///
/// # Errors
/// What the server says.
pub async fn set_up(connection: &mut MySqlConnection) -> sqlx::Result<()> {
    // Comments that begin with `/*M!` are MariaDB's to run, those with `/*!80000` MySQL's. MySQL limits reads only.
    const SESSION: &str = "
        set session sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', innodb_lock_wait_timeout = 2
            /*M! , max_statement_time = 5, idle_transaction_timeout = 10 */ /*!80000 , max_execution_time = 5000 */;
        set session transaction isolation level read committed";
    connection.execute(raw_sql(SESSION)).await.map(drop)
}

type Db = sqlx::MySql;

const DIALECT: auth_schema::Dialect = auth_schema::Dialect::Mysql;

/// Named, since the default is another: after the wait for a lock, a statement has to see what the one who held it has
/// written, and a row that isn't there must not lock the gap where it would be.
const BEGIN: &str = "set transaction isolation level read committed; start transaction";

const LOCK_USER: Option<&str> = Some("select id from auth_users where id = $1 for update");

/// All registrations of an address, in the order of its index for everybody: each click on one of their mails ends the
/// others, and two that took them in different orders would deadlock.
const LOCK_WAITING: Option<&str> = Some(
    "select id from auth_pending_registrations
    where email_canonical = (select email_canonical from (
        select email_canonical from auth_pending_registrations where id = $1) as clicked)
    for update",
);

const ADD_ROLE: &str = "insert into auth_roles (name) values ($1) on duplicate key update name = name";

const ADD_PEPPER_CHECK: &str =
    "insert into auth_pepper_checks (key_id, mac) values ($1, $2) on duplicate key update mac = mac";

/// Rows of a table that are to be changed or deleted, `$limit` at most, the first in that order. MySQL takes a limit there,
/// and would look at the whole table for a key that is `in` a subquery.
macro_rules! first_of {
    ($table:literal, $key:literal, $condition:literal, $order:literal, $limit:literal) => {
        concat!("where ", $condition, " order by ", $order, " limit ", $limit)
    };
}
use first_of;

const VERSION_TABLE_EXISTS: &str = "
    select count(*) from information_schema.tables
    where table_schema = database() and table_name = 'auth_schema_version'";

const EMAIL_TAKEN: &str = "auth_users_email_key";
const SLOT_TAKEN: &str = "auth_pending_registrations_slot_key";
const KEY_NUMBER_TAKEN: &str = "PRIMARY";

fn violates(error: &dyn DatabaseError, unique: &str) -> bool {
    error.is_unique_violation() && duplicate_key(error.message()) == Some(unique)
}

fn trouble(error: &dyn DatabaseError) -> Trouble {
    match number(error) {
        // Deadlock, lock timeout, a row changed since it was read.
        1213 | 1205 | 1020 => Trouble::Contention,
        // Foreign keys: what a row is to refer to was deleted since the statement saw it. The next attempt doesn't see it.
        1216 | 1217 | 1451 | 1452 => Trouble::Contention,
        // The server ends the connection: shutdown, `kill`, a time limit.
        1053 | 1077 | 1079 | 1152 | 1184 | 1927 | 3169 | 4031 => Trouble::Cut,
        // Too many connections, out of memory, disk or table full, too much for this user.
        1040 | 1041 | 1037 | 1038 | 1021 | 1114 | 1135 | 1203 | 1226 => Trouble::Away,
        // A statement that took too long or was stopped; a server or a transaction that takes no writes.
        1317 | 1969 | 3024 | 1290 | 1792 | 1836 => Trouble::Away,
        _ => Trouble::Failure,
    }
}

/// The server's number for an error. Its SQLSTATE says too little.
fn number(error: &dyn DatabaseError) -> u16 {
    error.try_downcast_ref::<MySqlDatabaseError>().map_or(0, MySqlDatabaseError::number)
}
