//! Claiming idempotency keys.

use auth_core::domain::{Mac, Sealed, Timestamp};
use auth_core::port::{Claim, Claimed, StoreError};

/// The statements that a claim is made of.
pub trait ClaimStatements: Sync {
    /// Writes the claim, without a reply, where its key is new, has expired at `now`, or was claimed by somebody who didn't
    /// finish in time. Whether it was written: of racing statements on one key, one writes.
    fn write_claim(&self, request: &Claimed, now: Timestamp) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Fingerprint and reply of what is there of that key.
    fn read_claim(
        &self,
        request: &Claimed,
    ) -> impl Future<Output = Result<Option<(Mac, Option<Sealed>)>, StoreError>> + Send;
}

/// Claims a key: what [`Idempotency::claim`](auth_core::port::Idempotency::claim) does.
///
/// # Errors
/// [`StoreError`] when the store could not answer.
pub async fn claim(store: &impl ClaimStatements, request: &Claimed, now: Timestamp) -> Result<Claim, StoreError> {
    loop {
        if store.write_claim(request, now).await? {
            return Ok(Claim::Fresh);
        }
        match store.read_claim(request).await? {
            Some((fingerprint, Some(reply))) => return Ok(Claim::Finished { fingerprint, reply }),
            Some((fingerprint, None)) => return Ok(Claim::InProgress { fingerprint }),
            // It was released since, and the key is there to be claimed.
            None => {}
        }
    }
}
