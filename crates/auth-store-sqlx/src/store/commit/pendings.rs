//! Changing registrations that wait.

use auth_core::domain::{Email, Pending, TokenId};
use auth_core::port::Rejected;

use super::super::{Connection, dialect, sql};
use super::{Failure, guard, run, unless_taken};

pub(super) async fn add(tx: &mut Connection, pending: &Pending) -> Result<(), Failure> {
    const ADD: &str = "
        insert into auth_pending_registrations (id, email, email_canonical, slot, password_hash, name, locale, attributes,
            link_digest, link_until, code_mac, code_until, attempts, requested_from, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    let query = sql(ADD)
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
    unless_taken(run(tx, query).await, dialect::SLOT_TAKEN, Rejected::TooManyTokens).map(drop)
}

/// Locks every registration of the address, so that commits about them queue up.
async fn lock(tx: &mut Connection, pending: TokenId) -> Result<(), Failure> {
    match dialect::LOCK_WAITING {
        Some(lock) => run(tx, sql(lock).bind(pending.as_uuid())).await.map(drop),
        None => Ok(()),
    }
}

pub(super) async fn claim(tx: &mut Connection, pending: TokenId, limit: u32) -> Result<(), Failure> {
    lock(tx, pending).await?;
    const CLAIM: &str = "update auth_pending_registrations set attempts = attempts + 1 where id = $1 and attempts < $2";
    guard(tx, sql(CLAIM).bind(pending.as_uuid()).bind(i64::from(limit)), Rejected::Attempts).await
}

pub(super) async fn spend(tx: &mut Connection, pending: TokenId) -> Result<(), Failure> {
    lock(tx, pending).await?;
    const SPEND: &str = "delete from auth_pending_registrations where id = $1";
    guard(tx, sql(SPEND).bind(pending.as_uuid()), Rejected::Token).await
}

pub(super) async fn drop_all(tx: &mut Connection, email: &Email) -> Result<(), Failure> {
    const DROP: &str = "delete from auth_pending_registrations where email_canonical = $1";
    run(tx, sql(DROP).bind(email.canonical())).await.map(drop)
}
