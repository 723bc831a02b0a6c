//! Applying migrations.

use auth_core::port::StoreError;
use auth_schema::{Migration, VERSION_TABLE};
use sqlx::{AssertSqlSafe, raw_sql};

use super::{Store, dialect, patiently, sql, store_error};

const IS_APPLIED: &str = "select version from auth_schema_version where version = $1";

impl Store {
    /// Applies the migrations that are missing, each in a transaction of its own, and returns them.
    ///
    /// Of nodes that start at once one applies a migration, and the others wait for it.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not do it; migrations applied until then stay.
    pub async fn migrate(&self) -> Result<Vec<&'static Migration>, StoreError> {
        let mut applied = Vec::new();
        for migration in self.check_schema().await? {
            if patiently(|| self.apply_migration(migration)).await.map_err(store_error)? {
                tracing::info!(version = migration.version, name = migration.name, "migrated the schema");
                applied.push(migration);
            }
        }
        Ok(applied)
    }

    /// `false`: another node was faster.
    async fn apply_migration(&self, migration: &Migration) -> sqlx::Result<bool> {
        let mut tx = self.writes.begin_with(dialect::BEGIN).await?;
        raw_sql(dialect::BEFORE_MIGRATING).execute(&mut *tx).await?;
        raw_sql(VERSION_TABLE).execute(&mut *tx).await?;
        // Asked again, now that nobody else is at it.
        let is_applied = sql(IS_APPLIED).bind(i64::from(migration.version)).fetch_optional(&mut *tx).await?.is_some();
        if !is_applied {
            raw_sql(AssertSqlSafe(migration.script())).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(!is_applied)
    }
}
