//! Applying migrations.

use auth_core::port::StoreError;
use auth_schema::{Migration, VERSION_TABLE};
use sqlx::{AssertSqlSafe, Pool, raw_sql};

use super::{Connection, Db, Store, dialect, patiently, sql, store_error};

impl Store {
    /// Applies the migrations that are missing, one after the other, and returns them.
    ///
    /// Of nodes that start at once one applies a migration, and the others wait for it.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not do it; migrations applied until then stay.
    pub async fn migrate(&self) -> Result<Vec<&'static Migration>, StoreError> {
        let mut applied = Vec::new();
        for migration in self.check_schema().await? {
            if patiently(|| dialect::apply_migration(&self.writes, migration)).await.map_err(store_error)? {
                tracing::info!(version = migration.version, name = migration.name, "migrated the schema");
                applied.push(migration);
            }
        }
        Ok(applied)
    }
}

/// Applies `migration`, all of it or nothing, after `lock`; `false`: another node was faster.
#[allow(dead_code, reason = "not every dialect has transactions about tables")]
pub(in super::super) async fn in_one_transaction(
    pool: &Pool<Db>,
    migration: &Migration,
    lock: &'static str,
) -> sqlx::Result<bool> {
    let mut tx = pool.begin_with(dialect::BEGIN).await?;
    raw_sql(lock).execute(&mut *tx).await?;
    raw_sql(VERSION_TABLE).execute(&mut *tx).await?;
    // Asked again, now that nobody else is at it.
    if is_applied(&mut tx, migration).await? {
        return Ok(false);
    }
    raw_sql(AssertSqlSafe(migration.script())).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(true)
}

pub(in super::super) async fn is_applied(connection: &mut Connection, migration: &Migration) -> sqlx::Result<bool> {
    const IS_APPLIED: &str = "select version from auth_schema_version where version = $1";
    Ok(sql(IS_APPLIED).bind(i64::from(migration.version)).fetch_optional(connection).await?.is_some())
}
