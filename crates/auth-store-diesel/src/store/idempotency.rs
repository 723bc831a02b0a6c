//! Claiming idempotency keys.

use async_trait::async_trait;
use auth_core::domain::{Digest, LeaseId, Mac, Sealed, Timestamp};
use auth_core::port::{Claim, Claimed, Idempotency, StoreError};
use auth_store::claim::{self, ClaimStatements};
use diesel::prelude::{ExpressionMethods as _, QueryDsl as _};
use diesel_async::RunQueryDsl;
use futures_util::FutureExt as _;

use super::dialect::writes;
use super::{Id, Prepared, Store, auth_idempotency as keys, row};

#[async_trait]
impl Idempotency for Store {
    async fn claim(&self, request: &Claimed, now: Timestamp) -> Result<Claim, StoreError> {
        claim::claim(self, request, now).await
    }

    async fn finish(&self, key: &Digest, claim: LeaseId, reply: &Sealed) -> Result<(), StoreError> {
        let (key, reply) = (*key, reply.as_bytes().to_vec());
        let finish = move || diesel::update(claimed!(key, claim)).set(keys::reply.eq(reply.clone()));
        self.execute(move |connection| Prepared(finish()).execute(connection)).await.map(drop)
    }

    async fn release(&self, key: &Digest, claim: LeaseId) -> Result<(), StoreError> {
        let key = *key;
        let release = move || diesel::delete(claimed!(key, claim));
        self.execute(move |connection| Prepared(release()).execute(connection)).await.map(drop)
    }
}

/// A key whose request is under way, by that claim.
macro_rules! claimed {
    ($key:expr, $claim:expr) => {
        keys::table
            .filter(keys::key_digest.eq($key.as_bytes().to_vec()))
            .filter(keys::claim.eq(Id($claim.as_uuid())))
            .filter(keys::reply.is_null())
    };
}
use claimed;

impl ClaimStatements for Store {
    async fn write_claim(&self, request: &Claimed, now: Timestamp) -> Result<bool, StoreError> {
        let request = request.clone();
        self.execute(move |connection| writes::claim(connection, request.clone(), now).boxed()).await
    }

    async fn read_claim(&self, request: &Claimed) -> Result<Option<(Mac, Option<Sealed>)>, StoreError> {
        let query = || {
            keys::table
                .filter(keys::key_digest.eq(request.key.as_bytes().to_vec()))
                .select((keys::fingerprint, keys::reply))
        };
        let rows: Vec<(Vec<u8>, Option<Vec<u8>>)> = self.rows(query).await?;
        let Some((fingerprint, reply)) = rows.into_iter().next() else { return Ok(None) };
        Ok(Some((row::mac(&fingerprint)?, reply.map(Sealed::from_bytes))))
    }
}
