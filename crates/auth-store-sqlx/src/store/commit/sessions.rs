//! Statements about sessions.

use async_trait::async_trait;
use auth_core::domain::{DeviceId, Digest, Session, SessionId, Timestamp, UserId};
use auth_store::commit::{Rotation, SessionStatements};

use super::super::sql;
use super::super::users::epoch;
use super::Tx;

#[async_trait]
impl SessionStatements for Tx<'_> {
    async fn insert_session(&mut self, session: &Session) -> sqlx::Result<u64> {
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
        self.run(query).await
    }

    async fn rotate_refresh(
        &mut self,
        user: UserId,
        session: SessionId,
        from: u32,
        to: u32,
        rotation: &Rotation,
    ) -> sqlx::Result<u64> {
        const ROTATE: &str = concat!(
            "update auth_sessions set refresh_counter = $1, rotated_at = $2, last_seen_at = $3, idle_until = $4,
                kept_until = $5
            where id = $6 and user_id = $7 and refresh_counter = $8 and closed_at is null
                and epoch = (select ",
            epoch!(),
            " from auth_users u where u.id = auth_sessions.user_id)"
        );
        let query = sql(ROTATE)
            .bind(i64::from(to))
            .bind(rotation.at.as_micros())
            .bind(rotation.at.as_micros())
            .bind(rotation.idle_until.as_micros())
            .bind(rotation.kept_until.as_micros())
            .bind(session.as_uuid())
            .bind(user.as_uuid())
            .bind(i64::from(from));
        self.run(query).await
    }

    // Of a session without a secret, no row has that digest.
    async fn rotate_secret(
        &mut self,
        user: UserId,
        session: SessionId,
        from: &Digest,
        to: &Digest,
        roles_version: u32,
    ) -> sqlx::Result<u64> {
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
        self.run(query).await
    }

    async fn touch_session(
        &mut self,
        user: UserId,
        session: SessionId,
        at: Timestamp,
        idle_until: Timestamp,
    ) -> sqlx::Result<u64> {
        const TOUCH: &str = "
            update auth_sessions set last_seen_at = $1, idle_until = $2
            where id = $3 and user_id = $4 and closed_at is null and last_seen_at <= $5";
        let query = sql(TOUCH)
            .bind(at.as_micros())
            .bind(idle_until.as_micros())
            .bind(session.as_uuid())
            .bind(user.as_uuid())
            .bind(at.as_micros());
        self.run(query).await
    }

    async fn close_session(&mut self, user: UserId, session: SessionId, at: Timestamp) -> sqlx::Result<u64> {
        const CLOSE: &str =
            "update auth_sessions set closed_at = $1 where id = $2 and user_id = $3 and closed_at is null";
        let query = sql(CLOSE).bind(at.as_micros()).bind(session.as_uuid()).bind(user.as_uuid());
        self.run(query).await
    }

    async fn close_device(&mut self, user: UserId, device: DeviceId, at: Timestamp) -> sqlx::Result<u64> {
        const CLOSE: &str =
            "update auth_sessions set closed_at = $1 where user_id = $2 and device_id = $3 and closed_at is null";
        let query = sql(CLOSE).bind(at.as_micros()).bind(user.as_uuid()).bind(device.as_uuid());
        self.run(query).await
    }
}
