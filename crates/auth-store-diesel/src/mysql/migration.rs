//! Applying migrations where no transaction can undo them: MySQL commits before and after each statement about tables.

use std::time::Duration;

use auth_schema::{Migration, VERSION_TABLE};
use diesel::QueryResult;
use diesel::prelude::{ExpressionMethods as _, QueryDsl as _};
use diesel::result::{DatabaseErrorKind, Error as QueryError};
use diesel::sql_types::{BigInt, Nullable};
use diesel_async::{AsyncConnection as _, RunQueryDsl as _, SimpleAsyncConnection as _};
use tokio::time::timeout;

use super::store::{Parts, Pool, auth_schema_version as versions, is_applied, taken};
use super::{Connection, HELLO};
use crate::error::Error;

/// Longer than nodes wait for each other.
const PATIENCE: Duration = Duration::from_secs(90);

/// Notes that a migration is under way. No migration has that version.
const UNDER_WAY: i64 = 0;

/// Applies `migration`; `false`: another node was faster.
///
/// One that stopped halfway, as with the process or the server, left its note: then what was done already is passed over, and
/// the rest is done. Without the note, a table that is there is somebody else's, and an error.
pub(super) async fn apply(pool: &Pool, migration: &'static Migration) -> Result<bool, Error> {
    // It ends with the attempt, and with it the lock and the longer limits.
    let mut connection = taken(pool, HELLO).await?;
    timeout(PATIENCE, run(&mut connection, migration)).await.map_err(|_| Error::TimedOut)?
}

async fn run(connection: &mut Connection, migration: &Migration) -> Result<bool, Error> {
    lock(connection).await?;
    connection.batch_execute(VERSION_TABLE).await?;
    // Asked again, now that nobody else is at it.
    if is_applied(connection, migration).await? {
        return Ok(false);
    }
    let noted = versions::table.find(UNDER_WAY).select(versions::version).load::<i64>(connection).await?;
    let is_resumed = !noted.is_empty();
    if !is_resumed {
        note(connection, UNDER_WAY, "under way").await?;
    }
    for statement in migration.sql.split_inclusive(";\n") {
        match connection.batch_execute(statement).await {
            Err(QueryError::DatabaseError(kind, said)) if says_already(&kind, said.message()) => {
                if !is_resumed {
                    end(connection).await?;
                    return Err(QueryError::DatabaseError(kind, said).into());
                }
            }
            outcome => outcome?,
        }
    }
    let (version, name) = (i64::from(migration.version), migration.name);
    let done = connection.transaction(async |connection| {
        note(connection, version, name).await?;
        end(connection).await
    });
    done.await?;
    Ok(true)
}

async fn note(connection: &mut Connection, version: i64, name: &str) -> QueryResult<()> {
    let note = diesel::insert_into(versions::table).values((versions::version.eq(version), versions::name.eq(name)));
    note.execute(connection).await.map(drop)
}

async fn end(connection: &mut Connection) -> QueryResult<()> {
    diesel::delete(versions::table.find(UNDER_WAY)).execute(connection).await.map(drop)
}

/// Waits a minute at most for others that migrate this database. The lock is the server's, for all of its databases, so the
/// name has this one's in it.
async fn lock(connection: &mut Connection) -> Result<(), Error> {
    const LIMITS: &str = "set session lock_wait_timeout = 60 /*M! , max_statement_time = 0 */";
    const LOCK: &str = "select get_lock(left(concat('auth_schema.', database()), 64), 60)";
    connection.batch_execute(LIMITS).await?;
    let locked: Vec<Option<i64>> = Parts::<Nullable<BigInt>>::of(LOCK).load(connection).await?;
    if locked == [Some(1)] { Ok(()) } else { Err(Error::TimedOut) }
}

/// What a statement says that was run before: there is such a table, column, key, row or constraint, or no longer any.
fn says_already(kind: &DatabaseErrorKind, message: &str) -> bool {
    let words =
        ["Unknown table", "Duplicate column name", "Duplicate key name", "Duplicate foreign key", "Duplicate check"];
    matches!(kind, DatabaseErrorKind::UniqueViolation)
        || (message.starts_with("Table ") && message.ends_with(" already exists"))
        || message.starts_with("Can't DROP ")
        || words.iter().any(|words| message.starts_with(words))
}
