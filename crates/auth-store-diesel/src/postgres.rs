//! PostgreSQL: what is particular to it, then the shared store.

mod address;
mod pipelines;
mod tls;

use auth_core::port::StoreError;
use auth_store::trouble::Trouble;
use auth_store::usage::PoolUsage;
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::dsl::array;
use diesel::prelude::{ExpressionMethods as _, NullableExpressionMethods as _, QueryDsl as _};
use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind};
use diesel::{QueryResult, SelectableHelper as _};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AnsiTransactionManager, RunQueryDsl as _, SimpleAsyncConnection as _};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use uuid::Uuid;

use crate::error::Error;
use address::Address;
use pipelines::Pipelines;

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
pub use store::Store as PostgresStore;
pub use store::{Participant, Refusal};

/// Connections of a [`PostgresStore`] for writing and for lists, unless the host brings its own pool.
pub const CONNECTIONS: usize = 10;

/// Connections of a [`PostgresStore`] for reading, unless the host brings its own pool. Each takes any number of reads at
/// once, which the server answers one after the other.
pub const PIPELINES: usize = 4;

/// A pool of connections to a server.
pub type Pool = store::Pool;

impl PostgresStore {
    /// Connects to the database at `url`: [`CONNECTIONS`] as [`manager`] makes them, and [`PIPELINES`] more.
    ///
    /// What is read by its key goes over the latter, many reads at a time; so writers queueing for a row leave readers
    /// alone. A read that finds its connection dead is asked again over the pool.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the URL can't be read or the server refuses us, [`StoreError::Unavailable`] when it
    /// can't be reached within five seconds.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let address = Address::parse(url).map_err(store::store_error)?;
        let pool = Pool::builder(connections_to(address.clone())).max_size(CONNECTIONS).build();
        let writes = pool.map_err(|error| store::store_error(Error::Other(error.into())))?;
        store::with(&writes, None, store::judge, |_| ready(Ok(())).boxed()).await.map_err(store::store_error)?;
        Ok(Self::over(Readers::Own(Pipelines::to(address)), writes))
    }

    /// A store on the host's own pool. Its connections should be made as [`manager`] makes them, or with limits of the like;
    /// they need not be tested before they are lent ([`RecyclingMethod::Fast`]): the store finds out itself.
    pub fn new(pool: Pool) -> Self {
        Self::over(Readers::Shared(store::PoolReaders::of(pool.clone())), pool)
    }
}

/// Makes connections to `url` for a pool, which wait at most two seconds for a lock and run at most five seconds a
/// statement, and whose transactions the server ends when this process hangs for ten.
///
/// The URL's `sslmode` decides about TLS:
///
/// - `disable`: none.
/// - `prefer`, the default: where the server has it. Its certificate isn't looked at: whoever can change what is sent can
///   also say that there is no TLS.
/// - `require`, `verify-ca`, `verify-full`: always, and the certificate has to be the host's, signed by one in the file
///   `sslrootcert` or, without that, by one that the system trusts. That is more than libpq and sqlx ask of `require`.
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
        async move { address.connect().await }.boxed()
    });
    // The address is kept here, with the password in it, and nowhere else.
    AsyncDieselConnectionManager::new_with_config("", config)
}

/// Connections for reading.
#[derive(Clone)]
pub(crate) enum Readers {
    /// Of this store's own, used by many at a time.
    Own(Pipelines),
    /// Those of the host's pool.
    Shared(store::PoolReaders),
}

impl Readers {
    async fn fetch<U: Send + 'static>(&self, query: impl store::Select<U>) -> Result<Vec<U>, Error> {
        match self {
            Self::Own(pipelines) => pipelines.fetch(query).await,
            Self::Shared(pool) => pool.fetch(query).await,
        }
    }

    fn usage(&self) -> PoolUsage {
        match self {
            Self::Own(pipelines) => pipelines.usage(),
            Self::Shared(pool) => pool.usage(),
        }
    }

    async fn close(&self) {
        match self {
            Self::Own(pipelines) => pipelines.close().await,
            Self::Shared(pool) => pool.close().await,
        }
    }
}

type Db = diesel::pg::Pg;
/// A connection to this database.
pub type Connection = diesel_async::AsyncPgConnection;
type Reader<'c> = &'c Connection;
pub(crate) type IdType = diesel::sql_types::Uuid;

const DIALECT: auth_schema::Dialect = auth_schema::Dialect::Postgres;

/// A list over a connection for reading would hold up the reads behind it.
const LISTS_GO_APART: bool = true;

/// The connection ends with the work that is cut short, and the server with it, by its own limits at the latest.
const MAY_BE_CUT_SHORT: bool = true;

const fn id_to_column(id: &Uuid) -> &Uuid {
    id
}

fn id_from_column(value: <Db as Backend>::RawValue<'_>) -> deserialize::Result<Uuid> {
    FromSql::<IdType, Db>::from_sql(value)
}

fn reader(connection: &mut Connection) -> Reader<'_> {
    connection
}

const HELLO: Option<store::Hello> = Some(|connection| connection.batch_execute("select 1").boxed());

/// Named, since a database may be set to another default: after the wait for a lock, a statement has to see what the one
/// who held it has written.
fn begin(connection: &mut Connection) -> BoxFuture<'_, QueryResult<()>> {
    AnsiTransactionManager::begin_transaction_sql(connection, "begin isolation level read committed").boxed()
}

/// Locks against other commits, not against the key share that rows which refer to the user take.
async fn lock_user(connection: &mut Connection, user: store::Id) -> QueryResult<()> {
    use store::auth_users::{id, table};

    table.find(user).select(id).for_no_key_update().load::<store::Id>(connection).await.map(drop)
}

/// All registrations of an address, in one order for everybody: each click on one of their mails ends the others, and two
/// that took them in different orders would deadlock.
async fn lock_pendings(connection: &mut Connection, pending: store::Id) -> QueryResult<()> {
    use store::auth_pending_registrations::{email_canonical, id, table};

    let clicked = diesel::alias!(store::auth_pending_registrations as clicked);
    let address = clicked.filter(clicked.field(id).eq(pending)).select(clicked.field(email_canonical)).single_value();
    let of_address = table.filter(email_canonical.nullable().eq(address)).order(id).select(id).for_update();
    of_address.load::<store::Id>(connection).await.map(drop)
}

/// Skips what another worker is just leasing. The array is evaluated once; a plain `in` may be, again, for each row.
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
    let due = due.filter(due.field(state).eq("queued")).filter(since.le(now)).order((since, is)).limit(limit);
    let due = due.select(is).for_update().skip_locked();
    let take = diesel::update(table.filter(id.eq_any(array(due))))
        .set((held_by.eq(lease), due_at.eq(until), attempts.eq(attempts + 1_i64)))
        .returning(store::LeasedRow::as_returning());
    take.load(connection).await
}

const VERSION_TABLE_EXISTS: &str =
    "select count(*) from pg_catalog.pg_class where oid = to_regclass('auth_schema_version')";

/// The lock is the transaction's, and any number that all nodes agree on: the bytes of `portcull`.
#[cfg(feature = "migrate")]
const BEFORE_MIGRATING: &str = "
    set local lock_timeout = '60s';
    set local statement_timeout = 0;
    select pg_advisory_xact_lock(8101820098873224300)";

const EMAIL_TAKEN: &str = "auth_users_email_key";
const SLOT_TAKEN: &str = "auth_pending_registrations_slot_key";
const KEY_NUMBER_TAKEN: &str = "auth_signing_keys_pkey";

fn violates(kind: &DatabaseErrorKind, said: &dyn DatabaseErrorInformation, unique: &str) -> bool {
    matches!(kind, DatabaseErrorKind::UniqueViolation) && said.constraint_name() == Some(unique)
}

/// Values are in the details.
fn message(said: &dyn DatabaseErrorInformation) -> String {
    said.message().to_owned()
}

/// diesel hands out a few SQLSTATEs by name, and of all others the text. A server may be set to another language; so what
/// isn't known here is tried again by whoever can ([`Error::is_unknown`]).
fn trouble(_: &DatabaseErrorKind, message: &str) -> Trouble {
    let begins_with = |words: &[&str]| words.iter().any(|words| message.starts_with(words));
    if begins_with(&["deadlock detected", "canceling statement due to lock timeout"]) {
        return Trouble::Contention;
    }
    if begins_with(&[
        "terminating connection",
        "the database system is shutting down",
        "canceling statement due to conflict with recovery",
    ]) {
        return Trouble::Cut;
    }
    if begins_with(&[
        "the database system is",
        "canceling statement due to",
        "sorry, too many clients already",
        "remaining connection slots are reserved",
        "too many connections for",
        "out of memory",
        "out of shared memory",
        "could not extend file",
        "could not write to file",
        "No space left on device",
    ]) {
        return Trouble::Away;
    }
    Trouble::Failure
}
