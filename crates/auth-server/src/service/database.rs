//! The store that the configuration names.

use std::sync::Arc;

use async_trait::async_trait;
use auth_core::port::{Store, StoreError};
use auth_schema::Migration;
use auth_store_sqlx::PoolUsage;

use crate::Failure;
use crate::config::Database;

/// A store that can bring its schema up to date, and tells of its connections.
#[async_trait]
pub(crate) trait SqlStore: Store {
    /// Applies the migrations that are missing, and returns them.
    async fn bring_up_to_date(&self) -> Result<Vec<&'static Migration>, StoreError>;

    /// What the connections of each pool are doing, by the pool's name.
    fn pools(&self) -> [(&'static str, PoolUsage); 2];
}

/// Connects to the database.
pub(crate) async fn open(database: &Database) -> Result<Arc<dyn SqlStore>, StoreError> {
    Ok(match database {
        Database::Sqlite { url, .. } => Arc::new(auth_store_sqlx::SqliteStore::connect(url).await?),
        #[cfg(feature = "postgres")]
        Database::Postgres(url) => Arc::new(auth_store_sqlx::PostgresStore::connect(url.expose()).await?),
        #[cfg(feature = "mysql")]
        Database::Mysql(url) => Arc::new(auth_store_sqlx::MysqlStore::connect(url.expose()).await?),
    })
}

/// The store, with the schema that this version needs.
///
/// The embedded database is ours, and is brought up to date here. A server is its operators': where something is missing
/// they are told what, and nothing is changed.
pub(super) async fn ready(database: &Database) -> Result<Arc<dyn SqlStore>, Failure> {
    let store = open(database).await?;
    if matches!(database, Database::Sqlite { .. }) {
        store.bring_up_to_date().await?;
    }
    let missing = store.missing_migrations().await?;
    if missing.is_empty() {
        Ok(store)
    } else {
        Err(format!("the database lacks migrations ({}); run `auth-server migrate`", missing.join(", ")).into())
    }
}

/// What all stores call alike; their types differ.
macro_rules! sql_store {
    ($store:ident) => {
        #[async_trait]
        impl SqlStore for auth_store_sqlx::$store {
            async fn bring_up_to_date(&self) -> Result<Vec<&'static Migration>, StoreError> {
                self.migrate().await
            }

            fn pools(&self) -> [(&'static str, PoolUsage); 2] {
                let (read, write) = self.usage();
                [("read", read), ("write", write)]
            }
        }
    };
}

sql_store!(SqliteStore);
#[cfg(feature = "postgres")]
sql_store!(PostgresStore);
#[cfg(feature = "mysql")]
sql_store!(MysqlStore);
