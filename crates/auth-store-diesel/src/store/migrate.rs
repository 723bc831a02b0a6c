//! Applying migrations.

use auth_core::port::StoreError;
use auth_schema::Migration;
use diesel::QueryResult;
use diesel::prelude::{ExpressionMethods as _, QueryDsl as _};
use diesel_async::RunQueryDsl;

use super::dialect::{self, Connection};
use super::{Store, auth_schema_version, patiently, store_error};

impl Store {
    /// Applies the migrations that are missing, each in a transaction of its own where the database undoes changes of
    /// tables, and returns them.
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

/// Whether another node was faster.
pub(crate) async fn is_applied(connection: &mut Connection, migration: &Migration) -> QueryResult<bool> {
    let version = i64::from(migration.version);
    let found = auth_schema_version::table
        .filter(auth_schema_version::version.eq(version))
        .select(auth_schema_version::version)
        .load::<i64>(connection)
        .await?;
    Ok(!found.is_empty())
}
