//! Statements about registrations that wait.

use async_trait::async_trait;
use auth_core::domain::{Email, Pending, TokenId};
use auth_store::commit::{PendingStatements, Written};

use super::super::{dialect, sql};
use super::Tx;

#[async_trait]
impl PendingStatements for Tx<'_> {
    async fn insert_pending(&mut self, pending: &Pending) -> sqlx::Result<Written> {
        const INSERT: &str = "
            insert into auth_pending_registrations (id, email, email_canonical, slot, password_hash, name, locale,
                attributes, link_digest, link_until, code_mac, code_until, attempts, requested_from, created_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
        let query = sql(INSERT)
            .bind(pending.id.as_uuid())
            .bind(pending.email.as_str())
            .bind(pending.email.canonical())
            .bind(i64::from(pending.slot))
            .bind(pending.password.as_str())
            .bind(pending.name.as_deref())
            .bind(pending.locale.as_deref())
            .bind(pending.attributes.to_text())
            .bind(pending.link.as_bytes().as_slice())
            .bind(pending.link_until.as_micros())
            .bind(pending.code.to_bytes().to_vec())
            .bind(pending.code_until.as_micros())
            .bind(i64::from(pending.attempts))
            .bind(pending.requested_from.as_bytes().as_slice())
            .bind(pending.created_at.as_micros());
        self.run_unless_taken(query, dialect::SLOT_TAKEN).await
    }

    async fn lock_pendings(&mut self, pending: TokenId) -> sqlx::Result<()> {
        match dialect::LOCK_WAITING {
            Some(lock) => self.run(sql(lock).bind(pending.as_uuid())).await.map(drop),
            None => Ok(()),
        }
    }

    async fn claim_pending(&mut self, pending: TokenId, limit: u32) -> sqlx::Result<u64> {
        const CLAIM: &str =
            "update auth_pending_registrations set attempts = attempts + 1 where id = $1 and attempts < $2";
        self.run(sql(CLAIM).bind(pending.as_uuid()).bind(i64::from(limit))).await
    }

    async fn delete_pending(&mut self, pending: TokenId) -> sqlx::Result<u64> {
        self.run(sql("delete from auth_pending_registrations where id = $1").bind(pending.as_uuid())).await
    }

    async fn delete_pendings(&mut self, email: &Email) -> sqlx::Result<u64> {
        const DELETE: &str = "delete from auth_pending_registrations where email_canonical = $1";
        self.run(sql(DELETE).bind(email.canonical())).await
    }
}
