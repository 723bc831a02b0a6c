//! Trying again while others are in the way.

use std::time::Duration;

use tokio::time::Instant;

use crate::trouble::Trouble;

/// How long a statement or a transaction may take once it has its connection. The server's own limits are shorter; this
/// one is for a server that no longer answers at all.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How often something that met contention is tried again.
const RETRIES: u32 = 5;

/// Does `work` until it meets no contention, as `judge` finds: at most six times, and never anew after [`PATIENCE`].
///
/// # Errors
/// What the last attempt came to.
pub async fn patiently<T, E, F>(judge: impl Fn(&E) -> Trouble, work: impl Fn() -> F) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let give_up = Instant::now() + PATIENCE;
    let mut retries = 0;
    loop {
        let outcome = work().await;
        let is_contention = outcome.as_ref().is_err_and(|error| judge(error) == Trouble::Contention);
        if !is_contention || retries == RETRIES || Instant::now() >= give_up {
            return outcome;
        }
        retries += 1;
        tracing::debug!(retries, "contention in the store, trying again");
        // Those who collided must not collide again in step.
        tokio::time::sleep(Duration::from_millis(rand::random_range(1..=32))).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// How often work is done that comes to `trouble` each time.
    async fn attempts(trouble: Trouble, each: Duration) -> u32 {
        let attempts = Cell::new(0);
        let work = || async {
            attempts.set(attempts.get() + 1);
            tokio::time::sleep(each).await;
            Err::<(), _>(trouble)
        };
        assert_eq!(patiently(|trouble| *trouble, work).await, Err(trouble));
        attempts.get()
    }

    /// DF8: retries are bounded, in number and in time, and are for contention only.
    #[tokio::test(start_paused = true)]
    async fn df8_retries_are_bounded() {
        assert_eq!(attempts(Trouble::Contention, Duration::ZERO).await, 6);
        assert_eq!(attempts(Trouble::Contention, PATIENCE / 2).await, 2);
        for trouble in [Trouble::Cut, Trouble::Away, Trouble::Failure] {
            assert_eq!(attempts(trouble, Duration::ZERO).await, 1, "{trouble:?}");
        }
    }
}
