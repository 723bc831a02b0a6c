//! Statements about registrations that wait.

use async_trait::async_trait;
use auth_core::domain::{Email, Pending, TokenId};
use auth_store::commit::{PendingStatements, Written};
use diesel::prelude::{ExpressionMethods as _, QueryDsl as _};

use super::super::dialect;
use super::super::{Id, auth_pending_registrations as waiting};
use super::Tx;
use crate::error::Error;

#[async_trait]
impl PendingStatements for Tx<'_> {
    async fn insert_pending(&mut self, pending: &Pending) -> Result<Written, Error> {
        let insert = diesel::insert_into(waiting::table).values((
            waiting::id.eq(Id(pending.id.as_uuid())),
            waiting::email.eq(pending.email.as_str()),
            waiting::email_canonical.eq(pending.email.canonical()),
            waiting::slot.eq(i64::from(pending.slot)),
            waiting::password_hash.eq(pending.password.as_str()),
            waiting::name.eq(pending.name.as_deref()),
            waiting::locale.eq(pending.locale.as_deref()),
            waiting::attributes.eq(pending.attributes.to_text()),
            waiting::link_digest.eq(pending.link.as_bytes().as_slice()),
            waiting::link_until.eq(pending.link_until.as_micros()),
            waiting::code_mac.eq(pending.code.to_bytes().to_vec()),
            waiting::code_until.eq(pending.code_until.as_micros()),
            waiting::attempts.eq(i64::from(pending.attempts)),
            waiting::requested_from.eq(pending.requested_from.as_bytes().as_slice()),
            waiting::created_at.eq(pending.created_at.as_micros()),
        ));
        self.run_unless_taken(insert, dialect::SLOT_TAKEN).await
    }

    async fn lock_pendings(&mut self, pending: TokenId) -> Result<(), Error> {
        Ok(dialect::lock_pendings(self.0, Id(pending.as_uuid())).await?)
    }

    async fn claim_pending(&mut self, pending: TokenId, limit: u32) -> Result<u64, Error> {
        let unspent = waiting::table.find(Id(pending.as_uuid())).filter(waiting::attempts.lt(i64::from(limit)));
        self.run(diesel::update(unspent).set(waiting::attempts.eq(waiting::attempts + 1_i64))).await
    }

    async fn delete_pending(&mut self, pending: TokenId) -> Result<u64, Error> {
        self.run(diesel::delete(waiting::table.find(Id(pending.as_uuid())))).await
    }

    async fn delete_pendings(&mut self, email: &Email) -> Result<u64, Error> {
        self.run(diesel::delete(waiting::table.filter(waiting::email_canonical.eq(email.canonical())))).await
    }
}
