//! Claiming idempotency keys. In an exclusive transaction one may look first and write then, so a claim needs no more.

use async_trait::async_trait;
use auth_core::domain::{Digest, LeaseId, Sealed, Timestamp};
use auth_core::port::{Claim, Claimed, Idempotency, StoreError};

use crate::RedbStore;
use crate::record::Reply;
use crate::transaction::Snapshot as _;

#[async_trait]
impl Idempotency for RedbStore {
    async fn claim(&self, request: &Claimed, now: Timestamp) -> Result<Claim, StoreError> {
        let request = request.clone();
        self.write(move |tx| {
            let earlier = tx.find::<Reply>(request.key.as_bytes())?;
            Ok(match earlier.filter(|reply| reply.counts(now)) {
                Some(Reply { fingerprint, reply: Some(reply), .. }) => Claim::Finished { fingerprint, reply },
                Some(Reply { fingerprint, reply: None, .. }) => Claim::InProgress { fingerprint },
                None => {
                    let Claimed { fingerprint, claim, claimed_until, expires_at, .. } = request;
                    let claimed = Reply { fingerprint, claim, claimed_until, expires_at, reply: None };
                    tx.put(request.key.as_bytes(), &claimed)?;
                    Claim::Fresh
                }
            })
        })
        .await
    }

    async fn finish(&self, key: &Digest, claim: LeaseId, reply: &Sealed) -> Result<(), StoreError> {
        let (key, kept) = (*key, reply.clone());
        let finish = move |reply: &mut Reply| reply.reply = Some(kept);
        self.write(move |tx| tx.update(key.as_bytes(), |reply| reply.is_under_way(claim), finish)).await.map(drop)
    }

    async fn release(&self, key: &Digest, claim: LeaseId) -> Result<(), StoreError> {
        let key = *key;
        let release = self.write(move |tx| tx.delete(key.as_bytes(), |reply: &Reply| reply.is_under_way(claim)));
        release.await.map(drop)
    }
}

impl Reply {
    /// Whether it still stands for anything: a reply until it expires, a claim until it must have crashed.
    fn counts(&self, now: Timestamp) -> bool {
        now < if self.reply.is_some() { self.expires_at } else { self.claimed_until }
    }

    fn is_under_way(&self, claim: LeaseId) -> bool {
        self.claim == claim && self.reply.is_none()
    }
}
