//! The schema in the database, and the one this version needs.

use auth_core::port::StoreError;
use auth_schema::{Migration, missing};
use diesel::QueryDsl as _;
use diesel::sql_types::BigInt;

use super::row::number;
use super::{Parts, Store, auth_schema_version, dialect};

impl Store {
    /// The migrations that this version needs and the database doesn't have, oldest first; empty when all is well.
    ///
    /// Those of a later version are passed over: during a deployment, old nodes run beside new ones.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    pub async fn check_schema(&self) -> Result<Vec<&'static Migration>, StoreError> {
        // Asks the database about itself.
        let tables: Vec<i64> = self.rows(|| Parts::<BigInt>::of(dialect::VERSION_TABLE_EXISTS)).await?;
        let applied: Vec<i64> = match tables.first() {
            None | Some(0) => Vec::new(),
            Some(_) => self.rows(|| auth_schema_version::table.select(auth_schema_version::version)).await?,
        };
        let applied: Result<Vec<_>, _> = applied.into_iter().map(|version| number(version, "version")).collect();
        Ok(missing(dialect::DIALECT, &applied?))
    }
}
