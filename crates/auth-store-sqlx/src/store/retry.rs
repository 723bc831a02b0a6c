//! Trying again while others are in the way.

use std::time::Duration;

use tokio::time::Instant;

use super::{PATIENCE, dialect};
use crate::error::Trouble;

/// How often something that met contention is tried again.
const RETRIES: u32 = 5;

/// Does `work` until it meets no contention: at most six times, and never anew after [`PATIENCE`].
pub(in super::super) async fn patiently<T, E, F>(work: impl Fn() -> F) -> Result<T, E>
where
    E: AsSqlError,
    F: Future<Output = Result<T, E>>,
{
    let give_up = Instant::now() + PATIENCE;
    let mut retries = 0;
    loop {
        let outcome = work().await;
        let error = outcome.as_ref().err().and_then(AsSqlError::as_sql_error);
        let is_contention = error.is_some_and(|error| Trouble::of(error, dialect::trouble) == Trouble::Contention);
        if !is_contention || retries == RETRIES || Instant::now() >= give_up {
            return outcome;
        }
        retries += 1;
        tracing::debug!(retries, "contention in the store, trying again");
        // Those who collided must not collide again in step.
        tokio::time::sleep(Duration::from_millis(rand::random_range(1..=32))).await;
    }
}

/// An error that may be the database's.
pub(in super::super) trait AsSqlError {
    fn as_sql_error(&self) -> Option<&sqlx::Error>;
}

impl AsSqlError for sqlx::Error {
    fn as_sql_error(&self) -> Option<&sqlx::Error> {
        Some(self)
    }
}
