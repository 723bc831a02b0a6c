//! The store that the configuration names.

use std::sync::Arc;

use async_trait::async_trait;
use auth_core::port::{Store, StoreError};
use auth_schema::Migration;
use auth_store_sqlx::PoolUsage;

use crate::Failure;
use crate::config::{Config, Database, Library};

/// A store that can bring its schema up to date, and tells of its connections.
#[async_trait]
pub(crate) trait SqlStore: Store {
    /// Applies the migrations that are missing, and returns them.
    async fn bring_up_to_date(&self) -> Result<Vec<&'static Migration>, StoreError>;

    /// What the connections of each pool are doing, by the pool's name.
    fn pools(&self) -> [(&'static str, PoolUsage); 2];
}

/// Connects to the database, by the library that is to speak to it.
pub(crate) async fn open(config: &Config) -> Result<Arc<dyn SqlStore>, StoreError> {
    /// All kinds of databases alike.
    macro_rules! connect {
        ($library:ident) => {
            match &config.database {
                Database::Sqlite { url, .. } => Arc::new($library::SqliteStore::connect(url).await?),
                #[cfg(feature = "postgres")]
                Database::Postgres(url) => Arc::new($library::PostgresStore::connect(url.expose()).await?),
                #[cfg(feature = "mysql")]
                Database::Mysql(url) => Arc::new($library::MysqlStore::connect(url.expose()).await?),
            }
        };
    }
    Ok(match config.library {
        Library::Sqlx => connect!(auth_store_sqlx),
        #[cfg(feature = "diesel")]
        Library::Diesel => connect!(auth_store_diesel),
    })
}

/// The store, with the schema that this version needs.
///
/// The embedded database is ours, and is brought up to date here. A server is its operators': where something is missing
/// they are told what, and nothing is changed.
pub(super) async fn ready(config: &Config) -> Result<Arc<dyn SqlStore>, Failure> {
    let store = open(config).await?;
    if matches!(config.database, Database::Sqlite { .. }) {
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
    ($library:ident) => {
        sql_store!($library::SqliteStore);
        #[cfg(feature = "postgres")]
        sql_store!($library::PostgresStore);
        #[cfg(feature = "mysql")]
        sql_store!($library::MysqlStore);
    };
    ($library:ident::$store:ident) => {
        #[async_trait]
        impl SqlStore for $library::$store {
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

sql_store!(auth_store_sqlx);
#[cfg(feature = "diesel")]
sql_store!(auth_store_diesel);
