//! Inserting or updating, as MySQL spells it: it has no condition on what happens to a row that is there already, nor does
//! the number of changed rows tell an insert from an update that changes nothing.
//!
//! So each of these is an update whose row count is the verdict, and an insert that finds a duplicate key where somebody
//! was faster.

use auth_core::domain::{PepperCheck, Timestamp};
use auth_core::port::Claimed;
use diesel::QueryResult;
use diesel::dsl::{DuplicatedKeys, case_when, exists, not};
use diesel::prelude::{
    BoolExpressionMethods as _, ExpressionMethods as _, Insertable as _, IntoSql as _, QueryDsl as _,
};
use diesel::query_builder::QueryFragment;
use diesel::result::{DatabaseErrorKind, Error as QueryError};
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl as _;

use super::store::{
    Id, Parts, Prepared, auth_budgets, auth_idempotency, auth_leases, auth_pepper_checks, auth_roles, auth_user_roles,
};
use super::{Connection, Db, IdType};

/// One use of a budget.
pub(super) struct Use {
    pub(super) subject: Id,
    pub(super) budget: &'static str,
    /// In seconds.
    pub(super) window: i64,
    pub(super) limit: i64,
    pub(super) now: i64,
    /// Where a window ends that begins now.
    pub(super) ends_at: i64,
}

/// Counts one use: begins a window where there is none or the last has ended, else adds to it below the limit.
pub(super) async fn charge(connection: &mut Connection, one: &Use) -> QueryResult<usize> {
    use auth_budgets::{ends_at, used};

    // A row to be counted in, and the lock on it: whoever else counts here waits for this commit.
    let begin = diesel::insert_into(auth_budgets::table)
        .values((
            auth_budgets::subject.eq(one.subject),
            auth_budgets::budget.eq(one.budget),
            auth_budgets::window_seconds.eq(one.window),
            ends_at.eq(one.ends_at),
            used.eq(0_i64),
        ))
        .on_conflict(DuplicatedKeys)
        .do_nothing();
    Prepared(begin).execute(connection).await?;
    let is_over = || ends_at.le(one.now);
    let counted =
        auth_budgets::table.find((one.subject, one.budget, one.window)).filter(is_over().or(used.lt(one.limit)));
    // Assigned from left to right, each with the values that were assigned before.
    let count = diesel::update(counted).set((
        used.eq(case_when(is_over(), 1_i64.into_sql::<BigInt>()).otherwise(used + 1_i64)),
        ends_at.eq(case_when(is_over(), one.ends_at.into_sql::<BigInt>()).otherwise(ends_at)),
    ));
    Prepared(count).execute(connection).await
}

/// Brings a role into being, uncounted. Keeps the one that is there.
pub(super) fn role(name: &str) -> impl QueryFragment<Db> + Send {
    diesel::insert_into(auth_roles::table).values(auth_roles::name.eq(name)).on_conflict(DuplicatedKeys).do_nothing()
}

/// Changes no row where the user holds the role already, nor where there is no such role.
pub(super) async fn hold_role(connection: &mut Connection, user: Id, role: &str) -> QueryResult<usize> {
    // A row that refers to the role locks it for reading, and counting the holder in needs it for writing: two commits
    // that had come as far as the former would deadlock. Roles that aren't counted are everybody's, and stay unlocked.
    let counted = auth_roles::table.find(role).filter(auth_roles::holders.is_not_null()).select(auth_roles::name);
    if !counted.load::<String>(connection).await?.is_empty() {
        auth_roles::table.find(role).select(auth_roles::name).for_update().load::<String>(connection).await?;
    }
    let held = auth_user_roles::table.find((user, role));
    let hold = auth_roles::table
        .filter(auth_roles::name.eq(role))
        .filter(not(exists(held)))
        .select((user.into_sql::<IdType>(), auth_roles::name))
        .insert_into(auth_user_roles::table)
        .into_columns((auth_user_roles::user_id, auth_user_roles::role));
    Prepared(hold).execute(connection).await
}

/// Keeps the check that is there.
pub(super) fn pepper_check(check: &PepperCheck) -> impl QueryFragment<Db> + Send {
    diesel::insert_into(auth_pepper_checks::table)
        .values((
            auth_pepper_checks::key_id.eq(check.key.as_bytes().to_vec()),
            auth_pepper_checks::mac.eq(check.mac.to_bytes().to_vec()),
        ))
        .on_conflict(DuplicatedKeys)
        .do_nothing()
}

/// Claims a key that is free, or whose claim or reply is over.
pub(super) async fn claim(connection: &mut Connection, request: Claimed, now: Timestamp) -> QueryResult<bool> {
    use auth_idempotency::{claim, claimed_until, expires_at, fingerprint, key_digest, reply};

    let now = now.as_micros();
    let key = request.key.as_bytes().as_slice();
    let new = || {
        (
            fingerprint.eq(request.fingerprint.to_bytes().to_vec()),
            claim.eq(Id(request.claim.as_uuid())),
            claimed_until.eq(request.claimed_until.as_micros()),
            expires_at.eq(request.expires_at.as_micros()),
            reply.eq(None::<Vec<u8>>),
        )
    };
    let is_over = expires_at.le(now).or(reply.is_null().and(claimed_until.le(now)));
    let take_over = diesel::update(auth_idempotency::table.find(key).filter(is_over)).set(new());
    if Prepared(take_over).execute(connection).await? == 1 {
        return Ok(true);
    }
    let take = diesel::insert_into(auth_idempotency::table).values((key_digest.eq(key), new()));
    inserted(Prepared(take).execute(connection).await)
}

/// Takes a lease that is free or over, or renews one's own.
pub(super) async fn acquire(
    connection: &mut Connection,
    name: String,
    holder: Id,
    now: i64,
    until: i64,
) -> QueryResult<bool> {
    use auth_leases::{held_until, holder as held_by, name as called};

    let new = || (held_by.eq(holder), held_until.eq(until));
    let is_free = held_by.eq(holder).or(held_until.le(now));
    let take_over = diesel::update(auth_leases::table.find(&name).filter(is_free)).set(new());
    if Prepared(take_over).execute(connection).await? == 1 {
        return Ok(true);
    }
    let take = diesel::insert_into(auth_leases::table).values((called.eq(&name), new()));
    inserted(Prepared(take).execute(connection).await)
}

/// Whether an insert inserted: not where the key is there already.
fn inserted(outcome: QueryResult<usize>) -> QueryResult<bool> {
    match outcome {
        Err(QueryError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(false),
        outcome => outcome.map(|_| true),
    }
}

/// What of each table is over, `limit` rows at most: each statement by itself. diesel limits neither updates nor deletions,
/// and MySQL would look at the whole table for a key that is `in` a subquery.
pub(super) fn sweep(now: i64, mail_before: i64, limit: i64) -> [Parts; 9] {
    let limited = |statement: Parts, order| statement.sql(order).sql(" limit ").number(limit);
    let by_link = |statement: Parts| {
        let statement = statement.number(now).sql(" and code_until <= ").number(now);
        limited(statement, " order by link_until")
    };
    let expired = Parts::of("update auth_mail_outbox set state = 'dead', body = null, lease = null, done_at = ")
        .number(now)
        .sql(", reason = 'expired' where state = 'queued' and expires_at <= ")
        .number(now)
        // Not from under a worker that is sending: its lease ends soon enough.
        .sql(" and (lease is null or due_at <= ")
        .number(now)
        .sql(")");
    let dead = Parts::of(
        "update auth_mail_outbox set body = null where state = 'dead' and body is not null and expires_at <= ",
    );
    [
        limited(Parts::of("delete from auth_sessions where kept_until <= ").number(now), " order by kept_until"),
        by_link(Parts::of("delete from auth_one_time_tokens where link_until <= ")),
        by_link(Parts::of("delete from auth_pending_registrations where link_until <= ")),
        limited(
            Parts::of("delete from auth_totp_secrets where pending_until <= ").number(now),
            " order by pending_until",
        ),
        limited(Parts::of("delete from auth_budgets where ends_at <= ").number(now), " order by ends_at"),
        limited(Parts::of("delete from auth_idempotency where expires_at <= ").number(now), " order by expires_at"),
        limited(Parts::of("delete from auth_mail_outbox where done_at < ").number(mail_before), " order by done_at"),
        limited(expired, " order by expires_at"),
        limited(dead.number(now), " order by expires_at"),
    ]
}
