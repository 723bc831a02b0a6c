//! Inserting or updating, as MySQL spells it: it has no condition on what happens to a row that is there already, nor does
//! the number of changed rows tell an insert from an update that changes nothing.
//!
//! So each of these is an update whose row count is the verdict, and an insert that finds a duplicate key where somebody
//! was faster.

use std::time::Duration;

use auth_core::domain::{Budget, LeaseId, Role, Subject, Timestamp, UserId};
use auth_core::port::{Claimed, StoreError};

use super::store::{Connection, Row, Statement, Store, sql, store_error};

async fn rows(connection: &mut Connection, query: Statement) -> sqlx::Result<u64> {
    Ok(query.execute(connection).await?.rows_affected())
}

/// Whether an insert inserted: not where the key is there already.
async fn inserts(store: &Store, query: impl Fn() -> Statement + Send) -> Result<bool, StoreError> {
    match store.try_execute(query).await {
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
        outcome => outcome.map(|_| true).map_err(store_error),
    }
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
    // A row to be counted in, and the lock on it: whoever else counts here waits for this commit.
    const BEGIN: &str = "
        insert into auth_budgets (subject, budget, window_seconds, ends_at, used) values ($1, $2, $3, $4, 0)
        on duplicate key update used = used";
    // Assigned from left to right, each with the values that were assigned before.
    const COUNT: &str = "
        update auth_budgets set
            used = case when ends_at <= $1 then 1 else used + 1 end,
            ends_at = case when ends_at <= $2 then $3 else ends_at end
        where subject = $4 and budget = $5 and window_seconds = $6 and (ends_at <= $7 or used < $8)";
    let (now, ends_at) = (at.as_micros(), (at + window).as_micros());
    let seconds = i64::try_from(window.as_secs()).unwrap_or(i64::MAX);
    let begin = sql(BEGIN).bind(subject.as_uuid()).bind(budget.as_str()).bind(seconds).bind(ends_at);
    rows(tx, begin).await?;
    let count = sql(COUNT).bind(now).bind(now).bind(ends_at);
    let count = count.bind(subject.as_uuid()).bind(budget.as_str()).bind(seconds).bind(now).bind(i64::from(limit));
    rows(tx, count).await
}

/// Changes no row where the user holds the role already, nor where there is no such role.
pub(super) async fn hold_role(tx: &mut Connection, user: UserId, role: &Role) -> sqlx::Result<u64> {
    // A row that refers to the role locks it for reading, and counting the holder in needs it for writing: two commits
    // that had come as far as the former would deadlock. Roles that aren't counted are everybody's, and stay unlocked.
    const IS_COUNTED: &str = "select 1 from auth_roles where name = $1 and holders is not null";
    const LOCK: &str = "select 1 from auth_roles where name = $1 for update";
    const HOLD: &str = "
        insert into auth_user_roles (user_id, role)
        select new.user_id, r.name from (select $1 as user_id) as new join auth_roles r on r.name = $2
        where not exists (select 1 from auth_user_roles h where h.user_id = new.user_id and h.role = r.name)";
    if sql(IS_COUNTED).bind(role.as_str()).fetch_optional(&mut *tx).await?.is_some() {
        rows(tx, sql(LOCK).bind(role.as_str())).await?;
    }
    rows(tx, sql(HOLD).bind(user.as_uuid()).bind(role.as_str())).await
}

/// Claims a key that is free, or whose claim or reply is over.
pub(super) async fn claim(store: &Store, request: &Claimed, now: Timestamp) -> Result<bool, StoreError> {
    const TAKE_OVER: &str = "
        update auth_idempotency set fingerprint = $1, claim = $2, claimed_until = $3, expires_at = $4, reply = null
        where key_digest = $5 and (expires_at <= $6 or (reply is null and claimed_until <= $7))";
    const CLAIM: &str = "
        insert into auth_idempotency (fingerprint, claim, claimed_until, expires_at, key_digest, reply)
        values ($1, $2, $3, $4, $5, null)";
    let new = |text| {
        sql(text)
            .bind(request.fingerprint.to_bytes().to_vec())
            .bind(request.claim.as_uuid())
            .bind(request.claimed_until.as_micros())
            .bind(request.expires_at.as_micros())
            .bind(request.key.as_bytes().as_slice())
    };
    let take_over = || new(TAKE_OVER).bind(now.as_micros()).bind(now.as_micros());
    Ok(store.execute(take_over).await? == 1 || inserts(store, || new(CLAIM)).await?)
}

/// Takes a lease that is free or over, or renews one's own.
pub(super) async fn acquire(
    store: &Store,
    name: &str,
    holder: LeaseId,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool, StoreError> {
    const TAKE_OVER: &str = "
        update auth_leases set holder = $1, held_until = $2 where name = $3 and (holder = $4 or held_until <= $5)";
    const TAKE: &str = "insert into auth_leases (holder, held_until, name) values ($1, $2, $3)";
    let new = |text| sql(text).bind(holder.as_uuid()).bind(until.as_micros()).bind(name);
    let take_over = || new(TAKE_OVER).bind(holder.as_uuid()).bind(now.as_micros());
    Ok(store.execute(take_over).await? == 1 || inserts(store, || new(TAKE)).await?)
}

/// Leases what is due, and reads it: there is no `returning`.
pub(super) async fn lease_mail(
    store: &Store,
    lease: LeaseId,
    until: Timestamp,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Row>, StoreError> {
    // Of workers that want the same mail one gets its row. The others wait, see that it isn't due any more, and go on to
    // the next.
    const LEASE: &str = "
        update auth_mail_outbox set lease = $1, due_at = $2, attempts = attempts + 1
        where state = 'queued' and due_at <= $3 order by due_at, id limit $4";
    const LEASED: &str = "
        select id, user_id, recipient, recipient_canonical, kind, body, created_at, expires_at, attempts
        from auth_mail_outbox where state = 'queued' and due_at = $1 and lease = $2";
    let take = || sql(LEASE).bind(lease.as_uuid()).bind(until.as_micros()).bind(now.as_micros()).bind(i64::from(limit));
    match store.execute(take).await? {
        0 => Ok(Vec::new()),
        _ => store.written(|| sql(LEASED).bind(until.as_micros()).bind(lease.as_uuid())).await,
    }
}
