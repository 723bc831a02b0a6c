//! Statements about one-time tokens.

use async_trait::async_trait;
use auth_core::domain::{Email, Purpose, Token, TokenId, UserId};
use auth_store::commit::TokenStatements;

use super::super::sql;
use super::Tx;

#[async_trait]
impl TokenStatements for Tx<'_> {
    async fn insert_token(&mut self, token: &Token, at_most: u32) -> sqlx::Result<u64> {
        const INSERT: &str = "
            insert into auth_one_time_tokens (id, user_id, purpose, email, email_canonical, account, account_canonical,
                link_digest, link_until, code_mac, code_until, attempts, requested_from, created_at)
            select $1, u.id, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 from auth_users u
            where u.id = $14 and u.email_canonical = coalesce($15, u.email_canonical) and (
                select count(*) from auth_one_time_tokens t
                where t.user_id = u.id and t.purpose = $16 and (
                    (t.link_digest is not null and t.link_until > $17)
                    or (t.code_mac is not null and t.code_until > $18))
                ) < $19";
        let account = token.account.as_ref().map(Email::canonical);
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

    async fn delete_token(&mut self, user: UserId, token: TokenId) -> sqlx::Result<u64> {
        const DELETE: &str = "delete from auth_one_time_tokens where id = $1 and user_id = $2";
        self.run(sql(DELETE).bind(token.as_uuid()).bind(user.as_uuid())).await
    }

    async fn delete_tokens(&mut self, user: UserId, purpose: Purpose) -> sqlx::Result<u64> {
        const DELETE: &str = "delete from auth_one_time_tokens where user_id = $1 and purpose = $2";
        self.run(sql(DELETE).bind(user.as_uuid()).bind(purpose.as_str())).await
    }
}
