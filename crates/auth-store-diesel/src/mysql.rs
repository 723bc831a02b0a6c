//! MySQL and MariaDB: what is particular to them, then the shared store.

mod address;
#[cfg(feature = "migrate")]
mod migration;
mod writes;

use auth_core::port::StoreError;
use auth_store::mysql::duplicate_key;
use auth_store::trouble::Trouble;
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::prelude::{ExpressionMethods as _, NullableExpressionMethods as _, QueryDsl as _};
use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind};
use diesel::sql_types::Binary;
use diesel::{QueryResult, SelectableHelper as _};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AnsiTransactionManager, RunQueryDsl as _, SimpleAsyncConnection as _};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use uuid::Uuid;

use crate::error::Error;
use address::Address;

#[allow(clippy::duplicate_mod, reason = "one source for all dialects")]
#[path = "store/mod.rs"]
mod store;

#[cfg(feature = "migrate")]
use migration::apply as apply_migration;
pub use store::Store as MysqlStore;
pub use store::{Participant, Refusal};

/// Connections of a [`MysqlStore`] for reading, and as many for writing, unless the host brings its own pool.
pub const CONNECTIONS: usize = 10;

/// A pool of connections to a server.
pub type Pool = store::Pool;

impl MysqlStore {
    /// Connects to the database at `url`, by two pools of [`CONNECTIONS`] as [`manager`] makes them.
    ///
    /// Reads and writes have a pool each, so that writers queueing for a row leave readers alone. A read that finds its
    /// connection dead is asked again over the other pool.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the URL can't be read or the server refuses us, [`StoreError::Unavailable`] when it
    /// can't be reached within five seconds.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let address = Address::parse(url).map_err(store::store_error)?;
        let (reads, writes) = (pool(&address)?, pool(&address)?);
        store::with(&writes, None, store::judge, |_| ready(Ok(())).boxed()).await.map_err(store::store_error)?;
        Ok(Self::over(Readers::of(reads), writes))
    }

    /// A store on the host's own pool. Its connections should be made as [`manager`] makes them, or be [`set_up`]; they need
    /// not be tested before they are lent ([`RecyclingMethod::Fast`]): the store finds out itself.
    pub fn new(pool: Pool) -> Self {
        Self::over(Readers::of(pool.clone()), pool)
    }
}

fn pool(address: &Address) -> Result<Pool, StoreError> {
    let pool = Pool::builder(connections_to(address.clone())).max_size(CONNECTIONS).build();
    pool.map_err(|error| store::store_error(Error::Other(error.into())))
}

/// Makes connections to `url`, which begins with `mysql://` or `mariadb://`, for a pool; each is [`set_up`].
///
/// The URL's `ssl-mode` decides about TLS:
///
/// - `DISABLED`: none.
/// - `PREFERRED`, the default: where the server has it. Its certificate isn't looked at: whoever can change what is sent can
///   also say that there is no TLS.
/// - `REQUIRED`, `VERIFY_CA`, `VERIFY_IDENTITY`: always, and the certificate has to be the host's, signed by one in the file
///   `ssl-ca` or, without that, by one that browsers trust. That is more than MySQL's own client and sqlx ask of `REQUIRED`.
///
/// # Errors
/// [`StoreError::Failed`] when the URL can't be read.
pub fn manager(url: &str) -> Result<AsyncDieselConnectionManager<Connection>, StoreError> {
    Ok(connections_to(Address::parse(url).map_err(store::store_error)?))
}

fn connections_to(address: Address) -> AsyncDieselConnectionManager<Connection> {
    let mut config = ManagerConfig::default();
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(move |_| {
        let address = address.clone();
        async move {
            let mut connection = address.connect().await?;
            set_up(&mut connection).await.map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
            Ok(connection)
        }
        .boxed()
    });
    // The address is kept here, with the password in it, and nowhere else.
    AsyncDieselConnectionManager::new_with_config("", config)
}

/// Makes a new connection refuse what doesn't fit a column instead of cutting it off, wait at most two seconds for a lock,
/// see what others have committed, and speak English, which errors are known by. Where the server has such limits, it runs a
/// statement for five seconds at most, and ends a transaction when this process hangs for ten.
///
/// # Errors
/// What the server says.
pub async fn set_up(connection: &mut Connection) -> QueryResult<()> {
    // Comments that begin with `/*M!` are MariaDB's to run, those with `/*!80000` MySQL's. MySQL limits reads only.
    const SESSION: &str = "
        set session sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', innodb_lock_wait_timeout = 2,
            lc_messages = 'en_US'
            /*M! , max_statement_time = 5, idle_transaction_timeout = 10 */ /*!80000 , max_execution_time = 5000 */;
        set session transaction isolation level read committed";
    connection.batch_execute(SESSION).await
}

type Db = diesel::mysql::Mysql;
/// A connection to this database.
pub type Connection = diesel_async::AsyncMysqlConnection;
type Reader<'c> = &'c mut Connection;
type Readers = store::PoolReaders;
pub(crate) type IdType = Binary;

const DIALECT: auth_schema::Dialect = auth_schema::Dialect::Mysql;

/// A connection serves one query at a time.
const LISTS_GO_APART: bool = false;

/// The connection ends with the work that is cut short, and the server with it, by its own limits at the latest.
const MAY_BE_CUT_SHORT: bool = true;

fn id_to_column(id: &Uuid) -> &[u8; 16] {
    id.as_bytes()
}

fn id_from_column(value: <Db as Backend>::RawValue<'_>) -> deserialize::Result<Uuid> {
    Ok(Uuid::from_slice(&<Vec<u8> as FromSql<Binary, Db>>::from_sql(value)?)?)
}

fn reader(connection: &mut Connection) -> Reader<'_> {
    connection
}

const HELLO: Option<store::Hello> = Some(|connection| connection.batch_execute("do 1").boxed());

/// Named, since the default is another: after the wait for a lock, a statement has to see what the one who held it has
/// written, and a row that isn't there must not lock the gap where it would be.
fn begin(connection: &mut Connection) -> BoxFuture<'_, QueryResult<()>> {
    const BEGIN: &str = "set transaction isolation level read committed; start transaction";
    AnsiTransactionManager::begin_transaction_sql(connection, BEGIN).boxed()
}

async fn lock_user(connection: &mut Connection, user: store::Id) -> QueryResult<()> {
    use store::auth_users::{id, table};

    table.find(user).select(id).for_update().load::<store::Id>(connection).await.map(drop)
}

/// All registrations of an address, in the order of its index for everybody: each click on one of their mails ends the
/// others, and two that took them in different orders would deadlock.
async fn lock_pendings(connection: &mut Connection, pending: store::Id) -> QueryResult<()> {
    use store::auth_pending_registrations::{email_canonical, id, table};

    let clicked = diesel::alias!(store::auth_pending_registrations as clicked);
    let address = clicked.filter(clicked.field(id).eq(pending)).select(clicked.field(email_canonical)).single_value();
    let of_address = table.filter(email_canonical.nullable().eq(address)).select(id).for_update();
    of_address.load::<store::Id>(connection).await.map(drop)
}

/// Leases what is due, and reads it: there is no `returning`.
async fn lease_mail(
    connection: &mut Connection,
    lease: store::Id,
    now: i64,
    until: i64,
    limit: i64,
) -> QueryResult<Vec<store::LeasedRow>> {
    use store::auth_mail_outbox::{due_at, lease as held_by, state, table};

    // Of workers that want the same mail one gets its row. The others wait, see that it isn't due any more, and go on to
    // the next. diesel limits no updates.
    let take = store::Parts::<()>::of("update auth_mail_outbox set lease = ")
        .id(lease)
        .sql(", due_at = ")
        .number(until)
        .sql(", attempts = attempts + 1 where state = 'queued' and due_at <= ")
        .number(now)
        .sql(" order by due_at, id limit ")
        .number(limit);
    if take.execute(connection).await? == 0 {
        return Ok(Vec::new());
    }
    let taken = table.filter(state.eq("queued")).filter(due_at.eq(until)).filter(held_by.eq(lease));
    taken.select(store::LeasedRow::as_select()).load(connection).await
}

const VERSION_TABLE_EXISTS: &str = "
    select count(*) from information_schema.tables
    where table_schema = database() and table_name = 'auth_schema_version'";

const EMAIL_TAKEN: &str = "auth_users_email_key";
const SLOT_TAKEN: &str = "auth_pending_registrations_slot_key";
const KEY_NUMBER_TAKEN: &str = "PRIMARY";

fn violates(kind: &DatabaseErrorKind, said: &dyn DatabaseErrorInformation, unique: &str) -> bool {
    matches!(kind, DatabaseErrorKind::UniqueViolation) && duplicate_key(said.message()) == Some(unique)
}

/// The message without the values that it quotes, which are addresses and digests: this goes into logs.
fn message(said: &dyn DatabaseErrorInformation) -> String {
    let message = said.message();
    if message.starts_with("Duplicate entry ") {
        format!("duplicate entry for key {:?}", duplicate_key(message).unwrap_or_default())
    } else if ["Incorrect ", "Truncated ", "Out of range ", "Data truncated "]
        .iter()
        .any(|words| message.starts_with(words))
    {
        "a value that the column doesn't take".to_owned()
    } else {
        message.to_owned()
    }
}

/// diesel hands out a few errors by name, and of all others the text, which `set_up` wants in English.
fn trouble(_: &DatabaseErrorKind, message: &str) -> Trouble {
    let begins_with = |words: &[&str]| words.iter().any(|words| message.starts_with(words));
    if message.contains("try restarting transaction") || begins_with(&["Record has changed since last read"]) {
        return Trouble::Contention;
    }
    if begins_with(&[
        // The driver's own words for a connection that is gone, or that nobody understands any more.
        "Input/output error",
        "Driver error",
        // The server ends the connection: shutdown, `kill`, a time limit.
        "Server shutdown in progress",
        "Connection was killed",
        "Got an error reading communication packets",
        "Got timeout reading communication packets",
        "The client was disconnected by the server",
    ]) || message.contains("Normal shutdown")
    {
        return Trouble::Cut;
    }
    if begins_with(&[
        "Too many connections",
        "Out of memory",
        "Out of sort memory",
        "Disk full",
        "The table ",
        "Can't create a new thread",
        "User ",
        // A statement that took too long or was stopped; a server or a transaction that takes no writes.
        "Query execution was interrupted",
        "Query was interrupted",
        "The MySQL server is running with the",
        "The MariaDB server is running with the",
    ]) {
        return Trouble::Away;
    }
    Trouble::Failure
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AU2: what the server quotes goes no further.
    #[test]
    fn au2_messages_lose_their_values() {
        for (said, told) in [
            (
                "Duplicate entry 'ann@example.com' for key 'auth_users.auth_users_email_key'",
                "duplicate entry for key \"auth_users_email_key\"",
            ),
            ("Incorrect string value: '\\xF0' for column 'x' at row 1", "a value that the column doesn't take"),
            ("Unknown column 'x' in 'field list'", "Unknown column 'x' in 'field list'"),
        ] {
            assert_eq!(message(&said.to_owned()), told);
        }
    }
}
