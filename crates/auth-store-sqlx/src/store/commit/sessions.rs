//! Changing sessions.

use auth_core::domain::{Digest, Session, SessionId, Timestamp, UserId};
use auth_core::port::Rejected;

use super::super::users::epoch;
use super::super::{Connection, sql};
use super::{Failure, guard, run};

pub(super) async fn open(tx: &mut Connection, session: &Session) -> Result<(), Failure> {
    const OPEN: &str = concat!(
        "insert into auth_sessions (id, user_id, epoch, roles_version, refresh_salt, refresh_counter, rotated_at,
            secret_digest, created_at, authenticated_at, last_seen_at, idle_until, ends_at, kept_until, methods,
            device_id, ip, user_agent, closed_at)
        select $1, u.id, ",
        epoch!(),
        ", $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17
        from auth_users u where u.id = $18 and u.status = 'active' and ",
        epoch!(),
        " = $19"
    );
    let refresh = session.credential.refresh();
    let query = sql(OPEN)
        .bind(session.id.as_uuid())
        .bind(i64::from(session.roles_version))
        .bind(refresh.map(|refresh| refresh.salt.as_slice()))
        .bind(refresh.map(|refresh| i64::from(refresh.counter)))
        .bind(refresh.map(|refresh| refresh.rotated_at.as_micros()))
        .bind(session.credential.secret().map(|digest| digest.as_bytes().as_slice()))
        .bind(session.created_at.as_micros())
        .bind(session.authenticated_at.as_micros())
        .bind(session.last_seen_at.as_micros())
        .bind(session.idle_until.as_micros())
        .bind(session.ends_at.as_micros())
        .bind(session.kept_until.as_micros())
        .bind(session.methods.to_text())
        .bind(session.device.as_uuid())
        .bind(session.ip.map(|ip| ip.to_string()))
        .bind(session.user_agent.as_deref())
        .bind(session.closed_at.map(Timestamp::as_micros))
        .bind(session.user.as_uuid())
        .bind(i64::from(session.epoch.number()));
    guard(tx, query, Rejected::Epoch).await
}

/// Of a session without a refresh token, no row has that counter.
pub(super) async fn rotate_refresh(
    tx: &mut Connection,
    user: UserId,
    session: SessionId,
    from: u32,
    at: Timestamp,
    [idle_until, kept_until]: [Timestamp; 2],
) -> Result<(), Failure> {
    const ROTATE: &str = concat!(
        "update auth_sessions set refresh_counter = $1, rotated_at = $2, last_seen_at = $3, idle_until = $4,
            kept_until = $5
        where id = $6 and user_id = $7 and refresh_counter = $8 and closed_at is null
            and epoch = (select ",
        epoch!(),
        " from auth_users u where u.id = auth_sessions.user_id)"
    );
    let next = from.checked_add(1).ok_or(Failure::Rejected(Rejected::Session))?;
    let query = sql(ROTATE)
        .bind(i64::from(next))
        .bind(at.as_micros())
        .bind(at.as_micros())
        .bind(idle_until.as_micros())
        .bind(kept_until.as_micros())
        .bind(session.as_uuid())
        .bind(user.as_uuid())
        .bind(i64::from(from));
    guard(tx, query, Rejected::Session).await
}

/// Of a session without a secret, no row has that digest.
pub(super) async fn rotate_secret(
    tx: &mut Connection,
    user: UserId,
    session: SessionId,
    [from, to]: [&Digest; 2],
    roles_version: u32,
) -> Result<(), Failure> {
    const ROTATE: &str = concat!(
        "update auth_sessions set secret_digest = $1, roles_version = $2
        where id = $3 and user_id = $4 and secret_digest = $5 and closed_at is null
            and epoch = (select ",
        epoch!(),
        " from auth_users u where u.id = auth_sessions.user_id)"
    );
    let query = sql(ROTATE)
        .bind(to.as_bytes().as_slice())
        .bind(i64::from(roles_version))
        .bind(session.as_uuid())
        .bind(user.as_uuid())
        .bind(from.as_bytes().as_slice());
    guard(tx, query, Rejected::Session).await
}

pub(super) async fn touch(
    tx: &mut Connection,
    user: UserId,
    session: SessionId,
    at: Timestamp,
    idle_until: Timestamp,
) -> Result<(), Failure> {
    const TOUCH: &str = "
        update auth_sessions set last_seen_at = $1, idle_until = $2
        where id = $3 and user_id = $4 and closed_at is null and last_seen_at <= $5";
    let query = sql(TOUCH)
        .bind(at.as_micros())
        .bind(idle_until.as_micros())
        .bind(session.as_uuid())
        .bind(user.as_uuid())
        .bind(at.as_micros());
    run(tx, query).await.map(drop)
}

pub(super) async fn close(tx: &mut Connection, user: UserId, session: SessionId, at: Timestamp) -> Result<(), Failure> {
    const CLOSE: &str = "update auth_sessions set closed_at = $1 where id = $2 and user_id = $3 and closed_at is null";
    let query = sql(CLOSE).bind(at.as_micros()).bind(session.as_uuid()).bind(user.as_uuid());
    guard(tx, query, Rejected::Session).await
}
