//! Replies that are kept.

use async_trait::async_trait;
use auth_core::domain::{Digest, LeaseId, Sealed, Timestamp};
use auth_core::port::{Claim, Claimed, Idempotency, StoreError};

use super::{MemoryStore, Tables};

/// A claim, and the reply once there is one.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) claimed: Claimed,
    pub(super) reply: Option<Sealed>,
}

impl Row {
    /// Whether the row still stands for anything: a reply until it expires, a claim until it must have crashed.
    fn counts(&self, now: Timestamp) -> bool {
        let until = if self.reply.is_some() { self.claimed.expires_at } else { self.claimed.claimed_until };
        now < until
    }
}

#[async_trait]
impl Idempotency for MemoryStore {
    async fn claim(&self, request: &Claimed, now: Timestamp) -> Result<Claim, StoreError> {
        let claim = self.with(|tables| match tables.replies.get(&request.key).filter(|row| row.counts(now)) {
            Some(Row { claimed, reply: None }) => Claim::InProgress { fingerprint: claimed.fingerprint },
            Some(Row { claimed, reply: Some(reply) }) => {
                Claim::Finished { fingerprint: claimed.fingerprint, reply: reply.clone() }
            }
            None => {
                tables.replies.insert(request.key, Row { claimed: request.clone(), reply: None });
                Claim::Fresh
            }
        });
        Ok(claim.await)
    }

    async fn finish(&self, key: &Digest, claim: LeaseId, reply: &Sealed) -> Result<(), StoreError> {
        self.with(|tables| {
            if let Some(row) = tables.unfinished(key, claim) {
                row.reply = Some(reply.clone());
            }
        })
        .await;
        Ok(())
    }

    async fn release(&self, key: &Digest, claim: LeaseId) -> Result<(), StoreError> {
        self.with(|tables| {
            if tables.unfinished(key, claim).is_some() {
                tables.replies.remove(key);
            }
        })
        .await;
        Ok(())
    }
}

impl Tables {
    fn unfinished(&mut self, key: &Digest, claim: LeaseId) -> Option<&mut Row> {
        self.replies.get_mut(key).filter(|row| row.claimed.claim == claim && row.reply.is_none())
    }
}
