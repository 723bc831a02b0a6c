//! Applying migrations where no transaction can undo them: MySQL commits before and after each statement about tables.

use std::io;

use auth_schema::{Migration, VERSION_TABLE};
use sqlx::mysql::MySqlPool;
use sqlx::{Connection as _, Executor as _, query_scalar, raw_sql};

use super::number;
use super::store::{Connection, is_applied, sql};

/// Notes that a migration is under way. No migration has that version.
const BEGIN: &str = "insert into auth_schema_version (version, name) values (0, 'under way')";
const IS_UNDER_WAY: &str = "select 1 from auth_schema_version where version = 0";
const NOTE: &str = "insert into auth_schema_version (version, name) values ($1, $2)";
const END: &str = "delete from auth_schema_version where version = 0";

/// Applies `migration`; `false`: another node was faster.
///
/// One that stopped halfway, as with the process or the server, left its note: then what was done already is passed over, and
/// the rest is done. Without the note, a table that is there is somebody else's, and an error.
pub(super) async fn apply(pool: &MySqlPool, migration: &Migration) -> sqlx::Result<bool> {
    let mut connection = pool.acquire().await?;
    // Ends the lock, whatever happens, and the longer limits.
    connection.close_on_drop();
    lock(&mut connection).await?;
    raw_sql(VERSION_TABLE).execute(&mut *connection).await?;
    // Asked again, now that nobody else is at it.
    if is_applied(&mut connection, migration).await? {
        return Ok(false);
    }
    let is_resumed = connection.fetch_optional(IS_UNDER_WAY).await?.is_some();
    if !is_resumed {
        connection.execute(BEGIN).await?;
    }
    for statement in migration.sql.split_inclusive(";\n") {
        if let Err(error) = connection.execute(statement).await {
            match &error {
                sqlx::Error::Database(said) if says_already(number(&**said)) && is_resumed => continue,
                sqlx::Error::Database(said) if says_already(number(&**said)) => connection.execute(END).await?,
                _ => return Err(error),
            };
            return Err(error);
        }
    }
    let mut tx = connection.begin().await?;
    sql(NOTE).bind(i64::from(migration.version)).bind(migration.name).execute(&mut *tx).await?;
    tx.execute(END).await?;
    tx.commit().await?;
    Ok(true)
}

/// Waits a minute at most for others that migrate this database. The lock is the server's, for all of its databases, so the
/// name has this one's in it.
async fn lock(connection: &mut Connection) -> sqlx::Result<()> {
    const LIMITS: &str = "set session lock_wait_timeout = 60 /*M! , max_statement_time = 0 */";
    const LOCK: &str = "select get_lock(left(concat('auth_schema.', database()), 64), 60)";
    connection.execute(LIMITS).await?;
    match query_scalar::<_, Option<i64>>(LOCK).fetch_one(connection).await? {
        Some(1) => Ok(()),
        _ => Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "another node is migrating"))),
    }
}

/// What a statement says that was run before: there is such a table, column, key, row or constraint, or no longer any.
const fn says_already(number: u16) -> bool {
    matches!(number, 1050 | 1051 | 1060 | 1061 | 1062 | 1091 | 1826 | 3822)
}
