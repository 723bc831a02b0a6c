//! Writes that PostgreSQL and SQLite do in one statement each, and spell alike.
//!
//! Of racing inserts on one key, the database lets one happen and shows its row to the others' `where`: the row count is
//! the verdict.

use std::time::Duration;

use auth_core::domain::{Budget, LeaseId, Role, Subject, Timestamp, UserId};
use auth_core::port::{Claimed, StoreError};

use super::store::{Connection, Row, Statement, Store, sql};

/// Brings a role into being, uncounted. Keeps the one that is there.
pub(super) const ADD_ROLE: &str = "insert into auth_roles (name) values ($1) on conflict (name) do nothing";

/// Keeps the check that is there.
pub(super) const ADD_PEPPER_CHECK: &str =
    "insert into auth_pepper_checks (key_id, mac) values ($1, $2) on conflict (key_id) do nothing";

/// Rows of a table that are to be changed or deleted, `$limit` at most, the first in that order.
macro_rules! first_of {
    ($table:literal, $key:literal, $condition:literal, $order:literal, $limit:literal) => {
        concat!(
            "where (",
            $key,
            ") in (select ",
            $key,
            " from ",
            $table,
            " where ",
            $condition,
            " order by ",
            $order,
            " limit ",
            $limit,
            ")"
        )
    };
}
pub(super) use first_of;

async fn rows(connection: &mut Connection, query: Statement) -> sqlx::Result<u64> {
    Ok(query.execute(connection).await?.rows_affected())
}

/// Counts one use: begins a window where there is none or the last has ended, else adds to it below the limit.
pub(super) async fn charge(
    tx: &mut Connection,
    subject: &Subject,
    budget: Budget,
    limit: u32,
    window: Duration,
    at: Timestamp,
) -> sqlx::Result<u64> {
    const CHARGE: &str = "
        insert into auth_budgets (subject, budget, window_seconds, ends_at, used) values ($1, $2, $3, $4, 1)
        on conflict (subject, budget, window_seconds) do update set
            used = case when auth_budgets.ends_at <= $5 then 1 else auth_budgets.used + 1 end,
            ends_at = case when auth_budgets.ends_at <= $6 then excluded.ends_at else auth_budgets.ends_at end
        where auth_budgets.ends_at <= $7 or auth_budgets.used < $8";
    let now = at.as_micros();
    let query = sql(CHARGE)
        .bind(subject.as_uuid())
        .bind(budget.as_str())
        .bind(i64::try_from(window.as_secs()).unwrap_or(i64::MAX))
        .bind((at + window).as_micros());
    rows(tx, query.bind(now).bind(now).bind(now).bind(i64::from(limit))).await
}

/// Changes no row where the user holds the role already, nor where there is no such role.
pub(super) async fn hold_role(tx: &mut Connection, user: UserId, role: &Role) -> sqlx::Result<u64> {
    const HOLD: &str = "
        insert into auth_user_roles (user_id, role) select $1, name from auth_roles where name = $2
        on conflict (user_id, role) do nothing";
    rows(tx, sql(HOLD).bind(user.as_uuid()).bind(role.as_str())).await
}

/// Claims a key that is free, or whose claim or reply is over.
pub(super) async fn claim(store: &Store, request: &Claimed, now: Timestamp) -> Result<bool, StoreError> {
    const CLAIM: &str = "
        insert into auth_idempotency (key_digest, fingerprint, claim, claimed_until, expires_at, reply)
        values ($1, $2, $3, $4, $5, null)
        on conflict (key_digest) do update set
            fingerprint = excluded.fingerprint, claim = excluded.claim, claimed_until = excluded.claimed_until,
            expires_at = excluded.expires_at, reply = null
        where auth_idempotency.expires_at <= $6
            or (auth_idempotency.reply is null and auth_idempotency.claimed_until <= $7)";
    let query = || {
        sql(CLAIM)
            .bind(request.key.as_bytes().as_slice())
            .bind(request.fingerprint.to_bytes().to_vec())
            .bind(request.claim.as_uuid())
            .bind(request.claimed_until.as_micros())
            .bind(request.expires_at.as_micros())
            .bind(now.as_micros())
            .bind(now.as_micros())
    };
    Ok(store.execute(query).await? == 1)
}

/// Takes a lease that is free or over, or renews one's own.
pub(super) async fn acquire(
    store: &Store,
    name: &str,
    holder: LeaseId,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool, StoreError> {
    const ACQUIRE: &str = "
        insert into auth_leases (name, holder, held_until) values ($1, $2, $3)
        on conflict (name) do update set holder = excluded.holder, held_until = excluded.held_until
        where auth_leases.holder = excluded.holder or auth_leases.held_until <= $4";
    let query = || sql(ACQUIRE).bind(name).bind(holder.as_uuid()).bind(until.as_micros()).bind(now.as_micros());
    Ok(store.execute(query).await? == 1)
}

/// Leases what is due.
pub(super) async fn lease_mail(
    store: &Store,
    lease: LeaseId,
    until: Timestamp,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Row>, StoreError> {
    let query = || {
        let query = sql(super::LEASE_MAIL).bind(lease.as_uuid()).bind(until.as_micros()).bind(now.as_micros());
        query.bind(i64::from(limit))
    };
    store.written(query).await
}
