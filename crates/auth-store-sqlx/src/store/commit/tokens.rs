//! Statements about one-time tokens.

use async_trait::async_trait;
use auth_core::domain::{DeviceId, Email, Mac, Purpose, SessionId, Timestamp, Token, TokenId, UserId};
use auth_store::commit::TokenStatements;

use super::super::sql;
use super::Tx;

#[async_trait]
impl TokenStatements for Tx<'_> {
    async fn insert_token(&mut self, token: &Token, at_most: u32) -> sqlx::Result<u64> {
        const INSERT: &str = "
            insert into auth_one_time_tokens (id, user_id, purpose, email, email_canonical, account, account_canonical,
                link_digest, link_until, code_mac, code_until, attempts, requested_from, epoch, device_id, methods, session_id,
                created_at)
            select $1, u.id, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17 from auth_users u
            where u.id = $18 and u.email_canonical = coalesce($19, u.email_canonical) and (
                select count(*) from auth_one_time_tokens t
                where t.user_id = u.id and t.purpose = $20 and (
                    (t.link_digest is not null and t.link_until > $21)
                    or (t.code_mac is not null and t.code_until > $22))
                ) < $23";
        let account = token.account.as_ref().map(Email::canonical);
        let sign_in = token.sign_in.as_ref();
        let query = sql(INSERT)
            .bind(token.id.as_uuid())
            .bind(token.purpose.as_str())
            .bind(token.email.as_str())
            .bind(token.email.canonical())
            .bind(token.account.as_ref().map(Email::as_str))
            .bind(account)
            .bind(token.link.as_ref().map(|digest| digest.as_bytes().as_slice()))
            .bind(token.link_until.as_micros())
            .bind(token.code.map(|code| code.to_bytes().to_vec()))
            .bind(token.code_until.as_micros())
            .bind(i64::from(token.attempts))
            .bind(token.requested_from.as_bytes().as_slice())
            .bind(sign_in.map(|first| i64::from(first.epoch.number())))
            .bind(sign_in.and_then(|first| first.device).map(DeviceId::as_uuid))
            .bind(sign_in.map(|first| first.methods.to_text()))
            .bind(token.session.map(SessionId::as_uuid))
            .bind(token.created_at.as_micros())
            .bind(token.user.as_uuid())
            .bind(account)
            .bind(token.purpose.as_str())
            .bind(token.created_at.as_micros())
            .bind(token.created_at.as_micros())
            .bind(i64::from(at_most));
        self.run(query).await
    }

    async fn trim_tokens(&mut self, user: UserId, purpose: Purpose, keep: u32) -> sqlx::Result<u64> {
        const TRIM: &str = "
            delete from auth_one_time_tokens where user_id = $1 and purpose = $2 and id not in (select id from (
                select id from auth_one_time_tokens where user_id = $3 and purpose = $4
                order by created_at desc, id desc limit $5) as kept)";
        let (user, purpose) = (user.as_uuid(), purpose.as_str());
        self.run(sql(TRIM).bind(user).bind(purpose).bind(user).bind(purpose).bind(i64::from(keep))).await
    }

    async fn claim_attempt(&mut self, user: UserId, token: TokenId, limit: u32) -> sqlx::Result<u64> {
        const CLAIM: &str = "
            update auth_one_time_tokens set attempts = attempts + 1 where id = $1 and user_id = $2 and attempts < $3";
        self.run(sql(CLAIM).bind(token.as_uuid()).bind(user.as_uuid()).bind(i64::from(limit))).await
    }

    async fn return_attempt(&mut self, user: UserId, token: TokenId) -> sqlx::Result<u64> {
        const RETURN: &str = "
            update auth_one_time_tokens set attempts = attempts - 1 where id = $1 and user_id = $2 and attempts > 0";
        self.run(sql(RETURN).bind(token.as_uuid()).bind(user.as_uuid())).await
    }

    async fn renew_code(&mut self, user: UserId, token: TokenId, code: &Mac, until: Timestamp) -> sqlx::Result<u64> {
        const RENEW: &str =
            "update auth_one_time_tokens set code_mac = $1, code_until = $2 where id = $3 and user_id = $4";
        let query = sql(RENEW).bind(code.to_bytes().to_vec()).bind(until.as_micros());
        self.run(query.bind(token.as_uuid()).bind(user.as_uuid())).await
    }

    async fn delete_token(&mut self, user: UserId, token: TokenId) -> sqlx::Result<u64> {
        const DELETE: &str = "delete from auth_one_time_tokens where id = $1 and user_id = $2";
        self.run(sql(DELETE).bind(token.as_uuid()).bind(user.as_uuid())).await
    }

    async fn delete_tokens(&mut self, user: UserId, purpose: Purpose) -> sqlx::Result<u64> {
        const DELETE: &str = "delete from auth_one_time_tokens where user_id = $1 and purpose = $2";
        self.run(sql(DELETE).bind(user.as_uuid()).bind(purpose.as_str())).await
    }
}
