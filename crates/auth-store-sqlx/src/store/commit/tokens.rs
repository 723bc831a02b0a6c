//! Changing one-time tokens.

use auth_core::domain::{Email, Purpose, Token, TokenId, UserId};
use auth_core::port::Rejected;

use super::super::{Connection, sql};
use super::{Failure, finds, guard, run};

pub(super) async fn issue(tx: &mut Connection, token: &Token, at_most: u32) -> Result<(), Failure> {
    const ISSUE: &str = "
        insert into auth_one_time_tokens (id, user_id, purpose, email, email_canonical, account, account_canonical,
            link_digest, link_until, code_mac, code_until, attempts, requested_from, created_at)
        select $1, u.id, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 from auth_users u
        where u.id = $14 and u.email_canonical = coalesce($15, u.email_canonical) and (
            select count(*) from auth_one_time_tokens t
            where t.user_id = u.id and t.purpose = $16 and (
                (t.link_digest is not null and t.link_until > $17) or (t.code_mac is not null and t.code_until > $18))
            ) < $19";
    const STILL_THERE: &str =
        "select 1 from auth_users where id = $1 and email_canonical = coalesce($2, email_canonical)";
    let account = token.account.as_ref().map(Email::canonical);
    let query = sql(ISSUE)
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
    match guard(tx, query, Rejected::EmailChanged).await {
        // Which of the preconditions it was: asked only where one was false.
        Err(Failure::Rejected(_)) => {
            let is_there = finds(tx, sql(STILL_THERE).bind(token.user.as_uuid()).bind(account)).await?;
            Err(Failure::Rejected(if is_there { Rejected::TooManyTokens } else { Rejected::EmailChanged }))
        }
        outcome => outcome,
    }
}

pub(super) async fn trim(tx: &mut Connection, user: UserId, purpose: Purpose, keep: u32) -> Result<(), Failure> {
    const TRIM: &str = "
        delete from auth_one_time_tokens where user_id = $1 and purpose = $2 and id not in (select id from (
            select id from auth_one_time_tokens where user_id = $3 and purpose = $4
            order by created_at desc, id desc limit $5) as kept)";
    let (user, purpose) = (user.as_uuid(), purpose.as_str());
    let query = sql(TRIM).bind(user).bind(purpose).bind(user).bind(purpose).bind(i64::from(keep));
    run(tx, query).await.map(drop)
}

pub(super) async fn claim_attempt(
    tx: &mut Connection,
    user: UserId,
    token: TokenId,
    limit: u32,
) -> Result<(), Failure> {
    const CLAIM: &str = "
        update auth_one_time_tokens set attempts = attempts + 1 where id = $1 and user_id = $2 and attempts < $3";
    let query = sql(CLAIM).bind(token.as_uuid()).bind(user.as_uuid()).bind(i64::from(limit));
    guard(tx, query, Rejected::Attempts).await
}

pub(super) async fn return_attempt(tx: &mut Connection, user: UserId, token: TokenId) -> Result<(), Failure> {
    const RETURN: &str = "
        update auth_one_time_tokens set attempts = attempts - 1 where id = $1 and user_id = $2 and attempts > 0";
    run(tx, sql(RETURN).bind(token.as_uuid()).bind(user.as_uuid())).await.map(drop)
}

pub(super) async fn spend(tx: &mut Connection, user: UserId, token: TokenId) -> Result<(), Failure> {
    const SPEND: &str = "delete from auth_one_time_tokens where id = $1 and user_id = $2";
    guard(tx, sql(SPEND).bind(token.as_uuid()).bind(user.as_uuid()), Rejected::Token).await
}

pub(super) async fn drop_all(tx: &mut Connection, user: UserId, purpose: Purpose) -> Result<(), Failure> {
    const DROP: &str = "delete from auth_one_time_tokens where user_id = $1 and purpose = $2";
    run(tx, sql(DROP).bind(user.as_uuid()).bind(purpose.as_str())).await.map(drop)
}
