//! A PostgreSQL database that lives as long as the run.

use std::sync::Arc;

use auth_core::port::Store;
use auth_store_sqlx::PostgresStore;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, raw_sql};

use crate::Outcome;

#[derive(Debug)]
pub(crate) struct Database {
    server: PgConnectOptions,
    name: String,
    store: PostgresStore,
}

impl Database {
    /// On the server that `PORTCULLIS_TEST_POSTGRES` names; `None` where it isn't set.
    pub(crate) async fn create() -> Outcome<Option<Self>> {
        let Ok(url) = std::env::var("PORTCULLIS_TEST_POSTGRES") else { return Ok(None) };
        let server: PgConnectOptions = url.parse()?;
        let name = format!("portcullis_bench_{}", auth_testkit::given::id::<uuid::Uuid>().simple());
        raw_sql(AssertSqlSafe(format!("create database {name}"))).execute(&mut server.connect().await?).await?;
        let store = PostgresStore::connect(server.clone().database(&name).to_url_lossy().as_str()).await?;
        store.migrate().await?;
        Ok(Some(Self { server, name, store }))
    }

    pub(crate) fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.store.clone())
    }

    pub(crate) async fn drop(self) -> Outcome<()> {
        self.store.close().await;
        let drop = format!("drop database {} with (force)", self.name);
        raw_sql(AssertSqlSafe(drop)).execute(&mut self.server.connect().await?).await?;
        Ok(())
    }
}
