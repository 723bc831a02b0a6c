//! Statements about second factors.

use async_trait::async_trait;
use auth_core::domain::{FactorId, Factors, Mac, Sealed, Timestamp, TotpSecret, UserId};
use auth_store::commit::FactorStatements;

use super::super::parts::Parts;
use super::super::sql;
use super::Tx;

#[async_trait]
impl FactorStatements for Tx<'_> {
    async fn set_factors(&mut self, user: UserId, from: &Factors, to: &Factors) -> sqlx::Result<u64> {
        const SET: &str = "update auth_users set factors = $1 where id = $2 and factors = $3";
        self.run(sql(SET).bind(to.to_text()).bind(user.as_uuid()).bind(from.to_text())).await
    }

    async fn delete_enrolments(&mut self, user: UserId) -> sqlx::Result<u64> {
        const DELETE: &str = "delete from auth_totp_secrets where user_id = $1 and pending_until is not null";
        self.run(sql(DELETE).bind(user.as_uuid())).await
    }

    async fn insert_totp(&mut self, secret: &TotpSecret) -> sqlx::Result<u64> {
        const INSERT: &str = "
            insert into auth_totp_secrets (id, user_id, secret, last_step, pending_until)
            select $1, u.id, $2, $3, $4 from auth_users u where u.id = $5";
        let query = sql(INSERT)
            .bind(secret.id.as_uuid())
            .bind(secret.secret.as_bytes())
            .bind(secret.last_step.map(number))
            .bind(secret.pending_until.map(Timestamp::as_micros))
            .bind(secret.user.as_uuid());
        self.run(query).await
    }

    async fn confirm_totp(&mut self, user: UserId, factor: FactorId, step: u64) -> sqlx::Result<u64> {
        const CONFIRM: &str = "
            update auth_totp_secrets set last_step = $1, pending_until = null
            where id = $2 and user_id = $3 and pending_until is not null";
        self.run(sql(CONFIRM).bind(number(step)).bind(factor.as_uuid()).bind(user.as_uuid())).await
    }

    // Of a secret that isn't on, no step is before that one.
    async fn spend_totp_step(&mut self, user: UserId, factor: FactorId, step: u64) -> sqlx::Result<u64> {
        const SPEND: &str = "
            update auth_totp_secrets set last_step = $1 where id = $2 and user_id = $3 and last_step < $4";
        let query = sql(SPEND).bind(number(step)).bind(factor.as_uuid()).bind(user.as_uuid());
        self.run(query.bind(number(step))).await
    }

    async fn reseal_totp(&mut self, user: UserId, factor: FactorId, from: &Sealed, to: &Sealed) -> sqlx::Result<u64> {
        const RESEAL: &str = "update auth_totp_secrets set secret = $1 where id = $2 and user_id = $3 and secret = $4";
        let query = sql(RESEAL).bind(to.as_bytes()).bind(factor.as_uuid()).bind(user.as_uuid());
        self.run(query.bind(from.as_bytes())).await
    }

    async fn delete_totp(&mut self, user: UserId, keep: Option<FactorId>) -> sqlx::Result<u64> {
        let delete = Parts::of("delete from auth_totp_secrets").with(" where user_id = ", user.as_uuid());
        self.run(delete.with_any(" and id <> ", keep.map(FactorId::as_uuid)).statement()).await
    }

    async fn insert_recovery_codes(&mut self, user: UserId, codes: &[Mac]) -> sqlx::Result<u64> {
        let mut insert = Parts::of("insert into auth_recovery_codes (user_id, code_mac) values");
        for (i, code) in codes.iter().enumerate() {
            let row = if i == 0 { " (" } else { ", (" };
            insert = insert.with(row, user.as_uuid()).with(", ", code).then(")");
        }
        self.run(insert.statement()).await
    }

    async fn delete_recovery_codes(&mut self, user: UserId) -> sqlx::Result<u64> {
        self.run(sql("delete from auth_recovery_codes where user_id = $1").bind(user.as_uuid())).await
    }

    async fn delete_recovery_code(&mut self, user: UserId, code: &Mac) -> sqlx::Result<u64> {
        const DELETE: &str = "delete from auth_recovery_codes where user_id = $1 and code_mac = $2";
        self.run(sql(DELETE).bind(user.as_uuid()).bind(code.to_bytes().to_vec())).await
    }
}

/// As the database counts. Steps are half minutes since 1970: none is too many.
fn number(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}
