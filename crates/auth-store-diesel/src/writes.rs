//! Statements that insert or update in one step, and deletions of a few rows, as PostgreSQL and SQLite both spell them.
//!
//! Of racing statements on one key, the database lets one insert and shows its row to the others' `where`: the row count
//! is the verdict.

use auth_core::domain::{PepperCheck, Timestamp};
use auth_core::port::Claimed;
use diesel::QueryResult;
use diesel::dsl::case_when;
use diesel::prelude::{
    BoolExpressionMethods as _, ExpressionMethods as _, Insertable as _, IntoSql as _, QueryDsl as _,
};
use diesel::query_builder::QueryFragment;
use diesel::query_dsl::methods;
use diesel::sql_types::BigInt;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl as _;

use super::store::{
    Id, Parts, Prepared, auth_budgets, auth_idempotency, auth_leases, auth_mail_outbox, auth_one_time_tokens,
    auth_pending_registrations, auth_pepper_checks, auth_roles, auth_sessions, auth_totp_secrets, auth_user_roles,
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

    let is_over = || ends_at.le(one.now);
    let charge = diesel::insert_into(auth_budgets::table)
        .values((
            auth_budgets::subject.eq(one.subject),
            auth_budgets::budget.eq(one.budget),
            auth_budgets::window_seconds.eq(one.window),
            ends_at.eq(one.ends_at),
            used.eq(1_i64),
        ))
        .on_conflict((auth_budgets::subject, auth_budgets::budget, auth_budgets::window_seconds))
        .do_update()
        .set((
            used.eq(case_when(is_over(), 1_i64.into_sql::<BigInt>()).otherwise(used + 1_i64)),
            ends_at.eq(case_when(is_over(), excluded(ends_at)).otherwise(ends_at)),
        ));
    let charge = methods::FilterDsl::filter(charge, is_over().or(used.lt(one.limit)));
    Prepared(charge).execute(connection).await
}

/// Brings a role into being, uncounted. Keeps the one that is there.
pub(super) fn role(name: &str) -> impl QueryFragment<Db> + Send {
    diesel::insert_into(auth_roles::table).values(auth_roles::name.eq(name)).on_conflict(auth_roles::name).do_nothing()
}

/// Changes no row where the user holds the role already, nor where there is no such role.
pub(super) async fn hold_role(connection: &mut Connection, user: Id, role: &str) -> QueryResult<usize> {
    let hold = auth_roles::table
        .filter(auth_roles::name.eq(role))
        .select((user.into_sql::<IdType>(), auth_roles::name))
        .insert_into(auth_user_roles::table)
        .into_columns((auth_user_roles::user_id, auth_user_roles::role))
        .on_conflict((auth_user_roles::user_id, auth_user_roles::role))
        .do_nothing();
    Prepared(hold).execute(connection).await
}

/// Keeps the check that is there.
pub(super) fn pepper_check(check: &PepperCheck) -> impl QueryFragment<Db> + Send {
    diesel::insert_into(auth_pepper_checks::table)
        .values((
            auth_pepper_checks::key_id.eq(check.key.as_bytes().to_vec()),
            auth_pepper_checks::mac.eq(check.mac.to_bytes().to_vec()),
        ))
        .on_conflict(auth_pepper_checks::key_id)
        .do_nothing()
}

/// Claims a key that is free, or whose claim or reply is over.
pub(super) async fn claim(connection: &mut Connection, request: Claimed, now: Timestamp) -> QueryResult<bool> {
    use auth_idempotency::{claim, claimed_until, expires_at, fingerprint, key_digest, reply};

    let now = now.as_micros();
    let is_over = expires_at.le(now).or(reply.is_null().and(claimed_until.le(now)));
    let take = diesel::insert_into(auth_idempotency::table)
        .values((
            key_digest.eq(request.key.as_bytes().as_slice()),
            fingerprint.eq(request.fingerprint.to_bytes().to_vec()),
            claim.eq(Id(request.claim.as_uuid())),
            claimed_until.eq(request.claimed_until.as_micros()),
            expires_at.eq(request.expires_at.as_micros()),
        ))
        .on_conflict(key_digest)
        .do_update()
        .set((
            fingerprint.eq(excluded(fingerprint)),
            claim.eq(excluded(claim)),
            claimed_until.eq(excluded(claimed_until)),
            expires_at.eq(excluded(expires_at)),
            reply.eq(None::<Vec<u8>>),
        ));
    let take = methods::FilterDsl::filter(take, is_over);
    Ok(Prepared(take).execute(connection).await? == 1)
}

/// Takes a lease that is free or over, or renews one's own.
pub(super) async fn acquire(
    connection: &mut Connection,
    name: String,
    holder: Id,
    now: i64,
    until: i64,
) -> QueryResult<bool> {
    let take = diesel::insert_into(auth_leases::table)
        .values((auth_leases::name.eq(name), auth_leases::holder.eq(holder), auth_leases::held_until.eq(until)))
        .on_conflict(auth_leases::name)
        .do_update()
        .set((
            auth_leases::holder.eq(excluded(auth_leases::holder)),
            auth_leases::held_until.eq(excluded(auth_leases::held_until)),
        ));
    let take = methods::FilterDsl::filter(take, auth_leases::holder.eq(holder).or(auth_leases::held_until.le(now)));
    Ok(Prepared(take).execute(connection).await? == 1)
}

/// What of each table is over, `limit` rows at most: each statement by itself.
pub(super) fn sweep(now: i64, mail_before: i64, limit: i64) -> [Parts; 9] {
    use auth_mail_outbox::{body, done_at, due_at, lease, reason, state};

    /// The first rows of a table that meet the conditions, in an index's order. The table inside has another name.
    macro_rules! first {
        ($table:ident.$key:ident by $order:ident where $($column:ident $is:ident($($value:expr)?)),+) => {{
            let over = diesel::alias!($table as over);
            let keys = over$(.filter(over.field($table::$column).$is($($value)?)))+;
            let keys = keys.order(over.field($table::$order)).limit(limit).select(over.field($table::$key));
            $table::table.filter($table::$key.eq_any(keys))
        }};
    }
    let sessions = first!(auth_sessions.id by kept_until where kept_until le(now));
    let tokens = first!(auth_one_time_tokens.id by link_until where link_until le(now), code_until le(now));
    let pendings = first!(auth_pending_registrations.id by link_until where link_until le(now), code_until le(now));
    let enrolments = first!(auth_totp_secrets.id by pending_until where pending_until le(now));
    let budgets = auth_budgets::table
        .filter(auth_budgets::ends_at.le(now))
        .order(auth_budgets::ends_at)
        .limit(limit)
        .select((auth_budgets::subject, auth_budgets::budget, auth_budgets::window_seconds));
    let replies = first!(auth_idempotency.key_digest by expires_at where expires_at le(now));
    let done = first!(auth_mail_outbox.id by done_at where done_at lt(mail_before));
    let expired = first!(auth_mail_outbox.id by expires_at where state eq("queued"), expires_at le(now));
    // Not from under a worker that is sending: its lease ends soon enough.
    let expired = expired.filter(lease.is_null().or(due_at.le(now)));
    let dead = first!(auth_mail_outbox.id by expires_at where state eq("dead"), body is_not_null(), expires_at le(now));
    let no_body = || body.eq(None::<Vec<u8>>);
    [
        Parts::whole(diesel::delete(sessions)),
        Parts::whole(diesel::delete(tokens)),
        Parts::whole(diesel::delete(pendings)),
        Parts::whole(diesel::delete(enrolments)),
        // diesel compares no rows.
        Parts::of("delete from auth_budgets where (subject, budget, window_seconds) in (").query(budgets).sql(")"),
        Parts::whole(diesel::delete(replies)),
        Parts::whole(diesel::delete(done)),
        Parts::whole(diesel::update(expired).set((
            state.eq("dead"),
            no_body(),
            lease.eq(None::<Id>),
            done_at.eq(now),
            reason.eq("expired"),
        ))),
        Parts::whole(diesel::update(dead).set(no_body())),
    ]
}
