//! Changing who holds which role, and counting the active holders of roles that somebody must hold.
//!
//! What is asked here is asked of users whom the commit has locked, so it stays true. What decides is a row count: of two
//! commits that take a role from its last two holders, one finds that `holders` has become one.

use auth_core::domain::{Role, UserId};
use auth_core::port::Rejected;
use sqlx::Row as _;

use super::super::{Connection, dialect, sql};
use super::{Failure, finds, guard, run};

pub(super) async fn require(tx: &mut Connection, user: UserId, role: &Role) -> Result<(), Failure> {
    const HOLDS: &str = "
        select 1 from auth_users u join auth_user_roles r on r.user_id = u.id
        where u.id = $1 and u.status = 'active' and r.role = $2";
    let holds = finds(tx, sql(HOLDS).bind(user.as_uuid()).bind(role.as_str())).await?;
    if holds { Ok(()) } else { Err(Failure::Rejected(Rejected::Role)) }
}

pub(super) async fn grant(tx: &mut Connection, user: UserId, role: &Role) -> Result<(), Failure> {
    if !hold(tx, user, role).await? {
        return Ok(());
    }
    advance_version(tx, user).await?;
    if counted(tx, user).await?.iter().any(|name| name == role.as_str()) {
        run(tx, sql(COUNT_IN).bind(role.as_str())).await?;
    }
    Ok(())
}

pub(super) async fn revoke(tx: &mut Connection, user: UserId, role: &Role) -> Result<(), Failure> {
    const REVOKE: &str = "delete from auth_user_roles where user_id = $1 and role = $2";
    const STILL_THERE: &str = "select 1 from auth_users where id = $1";
    let is_counted = counted(tx, user).await?.iter().any(|name| name == role.as_str());
    if run(tx, sql(REVOKE).bind(user.as_uuid()).bind(role.as_str())).await? == 0 {
        let is_there = finds(tx, sql(STILL_THERE).bind(user.as_uuid())).await?;
        return if is_there { Ok(()) } else { Err(Failure::Rejected(Rejected::User)) };
    }
    if is_counted {
        guard(tx, sql(COUNT_OUT).bind(role.as_str()), Rejected::LastHolder).await?;
    }
    advance_version(tx, user).await
}

/// The user holds a role, which comes into being where it isn't yet. Whether they didn't hold it before.
pub(super) async fn hold(tx: &mut Connection, user: UserId, role: &Role) -> Result<bool, Failure> {
    if hold_known(tx, user, role).await? {
        return Ok(true);
    }
    // Another commit may be adding it: this waits, and finds it there.
    run(tx, sql(dialect::ADD_ROLE).bind(role.as_str())).await?;
    hold_known(tx, user, role).await
}

async fn hold_known(tx: &mut Connection, user: UserId, role: &Role) -> Result<bool, Failure> {
    match run(tx, sql(dialect::HOLD_ROLE).bind(user.as_uuid()).bind(role.as_str())).await {
        // The role is there, so it is the user who isn't.
        Err(Failure::Sql(sqlx::Error::Database(error))) if error.is_foreign_key_violation() => {
            Err(Failure::Rejected(Rejected::User))
        }
        outcome => Ok(outcome? == 1),
    }
}

/// Counts the user in as a holder of what they hold, now that they are active.
pub(super) async fn count_in(tx: &mut Connection, user: UserId) -> Result<(), Failure> {
    for role in counted(tx, user).await? {
        run(tx, sql(COUNT_IN).bind(role)).await?;
    }
    Ok(())
}

/// Counts the user out as a holder of what they hold, while they are active.
pub(super) async fn count_out(tx: &mut Connection, user: UserId) -> Result<(), Failure> {
    for role in counted(tx, user).await? {
        guard(tx, sql(COUNT_OUT).bind(role), Rejected::LastHolder).await?;
    }
    Ok(())
}

const COUNT_IN: &str = "update auth_roles set holders = holders + 1 where name = $1";

const COUNT_OUT: &str = "update auth_roles set holders = holders - 1 where name = $1 and holders > 1";

/// The roles that the user, being active, counts as a holder of. In order of name: two commits that count several don't
/// wait for each other.
async fn counted(tx: &mut Connection, user: UserId) -> Result<Vec<String>, Failure> {
    const COUNTED: &str = "
        select r.name from auth_users u join auth_user_roles h on h.user_id = u.id join auth_roles r on r.name = h.role
        where u.id = $1 and u.status = 'active' and r.holders is not null order by r.name";
    let rows = sql(COUNTED).bind(user.as_uuid()).fetch_all(tx).await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<sqlx::Result<_>>()?)
}

async fn advance_version(tx: &mut Connection, user: UserId) -> Result<(), Failure> {
    const ADVANCE: &str = "update auth_users set roles_version = roles_version + 1 where id = $1";
    guard(tx, sql(ADVANCE).bind(user.as_uuid()), Rejected::User).await
}
