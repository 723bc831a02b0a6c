//! Deleting what has expired.

use std::time::Duration;

use crate::auth::Auth;
use crate::flow::signing_keys;
use crate::port::StoreError;

/// Cleans every hour, for as long as the future is polled. Any number of processes may run it on one store; one of them
/// cleans at a time.
pub async fn run(auth: &Auth) {
    loop {
        match clean(auth).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "deleted what has expired"),
            Err(error) => tracing::warn!(%error, "cleaning stopped; trying again in an hour"),
        }
        tokio::time::sleep(PERIOD).await;
    }
}

/// Cleans now, in batches, and says how many rows that deleted; none where another node is at it, or was within the hour.
///
/// # Errors
/// [`StoreError`] when the store could not answer; what was deleted until then stays deleted.
pub async fn clean(auth: &Auth) -> Result<u64, StoreError> {
    let now = auth.now();
    // Held for most of the period, so that of many nodes one cleans once in it.
    if !auth.store.acquire("housekeeping", auth.node, now, now + PERIOD.saturating_sub(Duration::from_secs(60))).await?
    {
        return Ok(0);
    }
    signing_keys::retire(auth, now).await?;
    let mut rows = 0;
    loop {
        let deleted = auth.store.sweep(now, now.before(MAIL_KEPT), BATCH).await?;
        rows += deleted;
        if deleted < u64::from(BATCH) {
            return Ok(rows);
        }
        // Between batches others get at the tables.
        tokio::task::yield_now().await;
    }
}

const PERIOD: Duration = Duration::from_secs(3600);
/// Rows of sent and dead mail, without bodies, stay for a week, to answer "was it sent?".
const MAIL_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
const BATCH: u32 = 500;
