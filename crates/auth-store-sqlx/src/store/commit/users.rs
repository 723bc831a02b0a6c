//! Changing users.

use auth_core::domain::{Attributes, Email, Epoch, PasswordHash, ProfileEdit, Status, Timestamp, User, UserId};
use auth_core::port::Rejected;

use super::super::users::epoch;
use super::super::{Connection, dialect, sql};
use super::{Failure, guard, roles, run, unless_taken};

pub(super) async fn create(tx: &mut Connection, user: &User, password: Option<&PasswordHash>) -> Result<(), Failure> {
    const CREATE: &str = "
        insert into auth_users (id, email, email_canonical, email_verified_at, password_hash, name, image_url,
            phone_number, locale, status, epoch, roles_version, attributes, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 - (select epoch from auth_epoch), $12, $13, $14)";
    let query = sql(CREATE)
        .bind(user.id.as_uuid())
        .bind(user.email.as_str())
        .bind(user.email.canonical())
        .bind(user.email_verified_at.map(Timestamp::as_micros))
        .bind(password.map(PasswordHash::as_str))
        .bind(user.profile.name.as_deref())
        .bind(user.profile.image_url.as_deref())
        .bind(user.profile.phone_number.as_deref())
        .bind(user.profile.locale.as_deref())
        .bind(user.status.as_str())
        .bind(i64::from(user.epoch.number()))
        .bind(i64::from(user.roles_version))
        .bind(user.attributes.to_text())
        .bind(user.created_at.as_micros());
    unless_taken(run(tx, query).await, dialect::EMAIL_TAKEN, Rejected::EmailTaken)?;
    for role in &user.roles {
        roles::hold(tx, user.id, role).await?;
    }
    roles::count_in(tx, user.id).await
}

pub(super) async fn edit_profile(tx: &mut Connection, user: UserId, edit: &ProfileEdit) -> Result<(), Failure> {
    const EDIT: &str = "
        update auth_users set
            name = case when $1 then $2 else name end,
            image_url = case when $3 then $4 else image_url end,
            phone_number = case when $5 then $6 else phone_number end,
            locale = case when $7 then $8 else locale end
        where id = $9";
    let mut query = sql(EDIT);
    for field in [&edit.name, &edit.image_url, &edit.phone_number, &edit.locale] {
        query = query.bind(field.is_some()).bind(field.as_ref().and_then(Option::as_deref));
    }
    guard(tx, query.bind(user.as_uuid()), Rejected::User).await
}

pub(super) async fn verify_email(
    tx: &mut Connection,
    user: UserId,
    email: &Email,
    at: Timestamp,
) -> Result<(), Failure> {
    const VERIFY: &str = "
        update auth_users set email_verified_at = coalesce(email_verified_at, $1)
        where id = $2 and email_canonical = $3";
    let query = sql(VERIFY).bind(at.as_micros()).bind(user.as_uuid()).bind(email.canonical());
    guard(tx, query, Rejected::EmailChanged).await
}

pub(super) async fn change_email(
    tx: &mut Connection,
    user: UserId,
    from: &Email,
    to: &Email,
    at: Timestamp,
) -> Result<(), Failure> {
    const CHANGE: &str = "
        update auth_users set email = $1, email_canonical = $2, email_verified_at = $3
        where id = $4 and email_canonical = $5";
    let query = sql(CHANGE)
        .bind(to.as_str())
        .bind(to.canonical())
        .bind(at.as_micros())
        .bind(user.as_uuid())
        .bind(from.canonical());
    unless_taken(guard(tx, query, Rejected::EmailChanged).await, dialect::EMAIL_TAKEN, Rejected::EmailTaken)
}

pub(super) async fn set_password(
    tx: &mut Connection,
    user: UserId,
    epoch: Epoch,
    password: &PasswordHash,
) -> Result<(), Failure> {
    const SET: &str = concat!(
        "update auth_users as u set password_hash = $1, epoch = epoch + 1 where u.id = $2 and ",
        epoch!(),
        " = $3"
    );
    let query = sql(SET).bind(password.as_str()).bind(user.as_uuid()).bind(i64::from(epoch.number()));
    guard(tx, query, Rejected::Epoch).await
}

pub(super) async fn rehash(
    tx: &mut Connection,
    user: UserId,
    from: &PasswordHash,
    to: &PasswordHash,
) -> Result<(), Failure> {
    const SET: &str = "update auth_users set password_hash = $1 where id = $2 and password_hash = $3";
    run(tx, sql(SET).bind(to.as_str()).bind(user.as_uuid()).bind(from.as_str())).await.map(drop)
}

pub(super) async fn set_attributes(
    tx: &mut Connection,
    user: UserId,
    from: &Attributes,
    to: &Attributes,
) -> Result<(), Failure> {
    const SET: &str = "update auth_users set attributes = $1 where id = $2 and attributes = $3";
    let query = sql(SET).bind(to.to_text()).bind(user.as_uuid()).bind(from.to_text());
    guard(tx, query, Rejected::Attributes).await
}

pub(super) async fn set_status(tx: &mut Connection, user: UserId, status: Status) -> Result<(), Failure> {
    const SET: &str = "update auth_users set status = $1, epoch = epoch + $2 where id = $3 and status <> $4";
    let set = |epochs: i64| {
        let query = sql(SET).bind(status.as_str()).bind(epochs).bind(user.as_uuid());
        query.bind(status.as_str())
    };
    // Counted out before and in afterwards: only active users count.
    match status {
        Status::Active => {
            guard(tx, set(0), Rejected::User).await?;
            roles::count_in(tx, user).await
        }
        Status::Suspended => {
            roles::count_out(tx, user).await?;
            guard(tx, set(1), Rejected::User).await
        }
    }
}

/// What refers to the user goes with them. The audit log doesn't: it keeps what happened, without what tells of a person.
pub(super) async fn delete(tx: &mut Connection, user: UserId) -> Result<(), Failure> {
    const FORGET: &str = "
        update auth_audit_events set ip = null, user_agent = null, request_id = null, detail = '{}'
        where subject_id = $1 or actor_id = $2";
    const FORGIVE: &str = "delete from auth_budgets where subject = $1";
    const DELETE: &str = "delete from auth_users where id = $1";
    let id = user.as_uuid();
    roles::count_out(tx, user).await?;
    guard(tx, sql(DELETE).bind(id), Rejected::User).await?;
    run(tx, sql(FORGIVE).bind(id)).await?;
    run(tx, sql(FORGET).bind(id).bind(id)).await.map(drop)
}

pub(super) async fn advance_epoch(tx: &mut Connection, user: UserId) -> Result<(), Failure> {
    const ADVANCE: &str = "update auth_users set epoch = epoch + 1 where id = $1";
    guard(tx, sql(ADVANCE).bind(user.as_uuid()), Rejected::User).await
}

/// One row, not everybody's: that would take longer than a statement may, and lock all others out meanwhile.
pub(super) async fn advance_all_epochs(tx: &mut Connection) -> Result<(), Failure> {
    run(tx, sql("update auth_epoch set epoch = epoch + 1")).await.map(drop)
}
