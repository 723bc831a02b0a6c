//! Claiming idempotency keys.

use async_trait::async_trait;
use auth_core::domain::{Digest, LeaseId, Mac, Sealed, Timestamp};
use auth_core::port::{Claim, Claimed, Idempotency, StoreError};
use auth_store::claim::{self, ClaimStatements};

use super::row::Fields;
use super::{Store, dialect, sql};

const READ: &str = "select fingerprint, reply from auth_idempotency where key_digest = $1";

const FINISH: &str = "
    update auth_idempotency set reply = $1 where key_digest = $2 and claim = $3 and reply is null";

const RELEASE: &str = "delete from auth_idempotency where key_digest = $1 and claim = $2 and reply is null";

#[async_trait]
impl Idempotency for Store {
    async fn claim(&self, request: &Claimed, now: Timestamp) -> Result<Claim, StoreError> {
        claim::claim(self, request, now).await
    }

    async fn finish(&self, key: &Digest, claim: LeaseId, reply: &Sealed) -> Result<(), StoreError> {
        let query = || sql(FINISH).bind(reply.as_bytes()).bind(key.as_bytes().as_slice()).bind(claim.as_uuid());
        self.execute(query).await.map(drop)
    }

    async fn release(&self, key: &Digest, claim: LeaseId) -> Result<(), StoreError> {
        let query = || sql(RELEASE).bind(key.as_bytes().as_slice()).bind(claim.as_uuid());
        self.execute(query).await.map(drop)
    }
}

impl ClaimStatements for Store {
    async fn write_claim(&self, request: &Claimed, now: Timestamp) -> Result<bool, StoreError> {
        dialect::writes::claim(self, request, now).await
    }

    async fn read_claim(&self, request: &Claimed) -> Result<Option<(Mac, Option<Sealed>)>, StoreError> {
        let rows = self.rows(|| sql(READ).bind(request.key.as_bytes().as_slice())).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let mut fields = Fields::of(row);
        Ok(Some((fields.mac()?, fields.take::<Option<&[u8]>>()?.map(Sealed::from_bytes))))
    }
}
