//! Statements that insert or update in one step, as PostgreSQL and SQLite both spell them.
//!
//! Of racing statements on one key, the database lets one insert and shows its row to the others' `where`: the row count
//! is the verdict.

/// Counts one use: begins a window where there is none or the last has ended, else adds to it below the limit.
pub(crate) const CHARGE: &str = "
    insert into auth_budgets (subject, budget, window_seconds, ends_at, used) values ($1, $2, $3, $4, 1)
    on conflict (subject, budget, window_seconds) do update set
        used = case when auth_budgets.ends_at <= $5 then 1 else auth_budgets.used + 1 end,
        ends_at = case when auth_budgets.ends_at <= $6 then excluded.ends_at else auth_budgets.ends_at end
    where auth_budgets.ends_at <= $7 or auth_budgets.used < $8";

/// Brings a role into being, uncounted. Keeps the one that is there.
pub(crate) const ADD_ROLE: &str = "insert into auth_roles (name) values ($1) on conflict (name) do nothing";

/// Changes no row where the user holds the role already, nor where there is no such role.
pub(crate) const HOLD_ROLE: &str = "
    insert into auth_user_roles (user_id, role) select $1, name from auth_roles where name = $2
    on conflict (user_id, role) do nothing";

/// Keeps the check that is there.
pub(crate) const ADD_PEPPER_CHECK: &str =
    "insert into auth_pepper_checks (key_id, mac) values ($1, $2) on conflict (key_id) do nothing";

/// Claims a key that is free, or whose claim or reply is over.
pub(crate) const CLAIM: &str = "
    insert into auth_idempotency (key_digest, fingerprint, claim, claimed_until, expires_at, reply)
    values ($1, $2, $3, $4, $5, null)
    on conflict (key_digest) do update set
        fingerprint = excluded.fingerprint, claim = excluded.claim, claimed_until = excluded.claimed_until,
        expires_at = excluded.expires_at, reply = null
    where auth_idempotency.expires_at <= $6
        or (auth_idempotency.reply is null and auth_idempotency.claimed_until <= $7)";

/// Takes a lease that is free or over, or renews one's own.
pub(crate) const ACQUIRE: &str = "
    insert into auth_leases (name, holder, held_until) values ($1, $2, $3)
    on conflict (name) do update set holder = excluded.holder, held_until = excluded.held_until
    where auth_leases.holder = excluded.holder or auth_leases.held_until <= $4";
