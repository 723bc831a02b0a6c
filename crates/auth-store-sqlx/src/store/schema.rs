//! The schema in the database, and the one this version needs.

use auth_core::port::StoreError;
use auth_schema::{Migration, missing};

use super::row::Fields;
use super::{Store, dialect, sql};

const APPLIED: &str = "select version from auth_schema_version";

impl Store {
    /// The migrations that this version needs and the database doesn't have, oldest first; empty when all is well.
    ///
    /// Those of a later version are passed over: during a deployment, old nodes run beside new ones.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    pub async fn check_schema(&self) -> Result<Vec<&'static Migration>, StoreError> {
        let rows = self.rows(|| sql(dialect::VERSION_TABLE_EXISTS)).await?;
        let exists = rows.first().is_some_and(|row| Fields::of(row).number("count").is_ok_and(|count| count > 0));
        let rows = if exists { self.rows(|| sql(APPLIED)).await? } else { Vec::new() };
        let applied: Result<Vec<_>, _> = rows.iter().map(|row| Fields::of(row).number("version")).collect();
        Ok(missing(dialect::DIALECT, &applied?))
    }
}
