//! Applying migrations in a transaction, which undoes changes of tables as well.

use std::time::Duration;

use auth_schema::{Migration, VERSION_TABLE};
use diesel_async::SimpleAsyncConnection as _;
use futures_util::FutureExt as _;

use super::store::{Pool, end, is_applied, judge, with_patience};
use super::{BEFORE_MIGRATING, Connection, begin};
use crate::error::Error;

/// Longer than nodes wait for each other.
const PATIENCE: Duration = Duration::from_secs(90);

/// Applies `migration`; `false`: another node was faster.
pub(super) async fn apply(pool: &Pool, migration: &'static Migration) -> Result<bool, Error> {
    with_patience(PATIENCE, pool, Some(begin), judge, move |connection| {
        async move {
            let outcome = run(connection, migration).await;
            end(connection, outcome).await
        }
        .boxed()
    })
    .await
}

async fn run(connection: &mut Connection, migration: &Migration) -> Result<bool, Error> {
    connection.batch_execute(BEFORE_MIGRATING).await?;
    connection.batch_execute(VERSION_TABLE).await?;
    // Asked again, now that nobody else is at it.
    if is_applied(connection, migration).await? {
        return Ok(false);
    }
    connection.batch_execute(&migration.script()).await?;
    Ok(true)
}
