//! Connections for reading.

use auth_store::usage::PoolUsage;

use super::dialect;
use super::pool::{Pool, close, usage, with};
use super::{Select, judge};
use crate::error::Error;

/// Reads over a pool, a query a connection. None is tested before it is used.
#[derive(Clone)]
pub(crate) struct PoolReaders(Pool);

impl PoolReaders {
    pub(crate) fn of(pool: Pool) -> Self {
        Self(pool)
    }

    pub(crate) fn usage(&self) -> PoolUsage {
        usage(&self.0)
    }

    pub(crate) async fn close(&self) {
        close(&self.0).await;
    }

    pub(crate) async fn fetch<U: Send + 'static>(&self, query: impl Select<U>) -> Result<Vec<U>, Error> {
        with(&self.0, None, judge, move |connection| {
            Box::pin(async move { Ok(query.all(dialect::reader(connection)).await?) })
        })
        .await
    }
}
