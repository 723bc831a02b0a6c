//! Statements about sessions.

use async_trait::async_trait;
use auth_core::domain::{DeviceId, Digest, Session, SessionId, Timestamp, UserId};
use auth_store::commit::{Rotation, SessionStatements};
use diesel::prelude::{
    ExpressionMethods as _, Insertable as _, IntoSql as _, NullableExpressionMethods as _, QueryDsl as _,
};
use diesel::sql_types::{BigInt, Binary, Nullable, Text};

use super::super::dialect::IdType;
use super::super::users::common_epoch;
use super::super::{Id, auth_sessions, auth_users};
use super::Tx;
use crate::error::Error;

/// A session of that user that isn't closed.
macro_rules! open {
    ($user:expr, $session:expr) => {
        auth_sessions::table
            .find(Id($session.as_uuid()))
            .filter(auth_sessions::user_id.eq(Id($user.as_uuid())))
            .filter(auth_sessions::closed_at.is_null())
    };
}

/// The same, in that user's epoch.
macro_rules! live {
    ($user:expr, $session:expr) => {
        open!($user, $session).filter(
            auth_sessions::epoch.nullable().eq(auth_users::table
                .find(Id($user.as_uuid()))
                .select(auth_users::epoch + common_epoch())
                .single_value()),
        )
    };
}

#[async_trait]
impl SessionStatements for Tx<'_> {
    async fn insert_session(&mut self, session: &Session) -> Result<u64, Error> {
        let refresh = session.credential.refresh();
        let (methods, ip) = (session.methods.to_text(), session.ip.map(|ip| ip.to_string()));
        let row = (
            Id(session.id.as_uuid()).into_sql::<IdType>(),
            auth_users::id,
            auth_users::epoch + common_epoch(),
            i64::from(session.roles_version).into_sql::<BigInt>(),
            refresh.map(|refresh| refresh.salt.as_slice()).into_sql::<Nullable<Binary>>(),
            refresh.map(|refresh| i64::from(refresh.counter)).into_sql::<Nullable<BigInt>>(),
            refresh.map(|refresh| refresh.rotated_at.as_micros()).into_sql::<Nullable<BigInt>>(),
            session.credential.secret().map(|digest| digest.as_bytes().as_slice()).into_sql::<Nullable<Binary>>(),
            session.created_at.as_micros().into_sql::<BigInt>(),
            session.authenticated_at.as_micros().into_sql::<BigInt>(),
            session.last_seen_at.as_micros().into_sql::<BigInt>(),
            session.idle_until.as_micros().into_sql::<BigInt>(),
            session.ends_at.as_micros().into_sql::<BigInt>(),
            session.kept_until.as_micros().into_sql::<BigInt>(),
            methods.as_str().into_sql::<Text>(),
            Id(session.device.as_uuid()).into_sql::<IdType>(),
            ip.as_deref().into_sql::<Nullable<Text>>(),
            session.user_agent.as_deref().into_sql::<Nullable<Text>>(),
            session.closed_at.map(Timestamp::as_micros).into_sql::<Nullable<BigInt>>(),
        );
        let insert = auth_users::table
            .find(Id(session.user.as_uuid()))
            .filter(auth_users::status.eq("active"))
            .filter((auth_users::epoch + common_epoch()).eq(i64::from(session.epoch.number())))
            .select(row)
            .insert_into(auth_sessions::table)
            .into_columns(auth_sessions::all_columns);
        self.run(insert).await
    }

    async fn rotate_refresh(
        &mut self,
        user: UserId,
        session: SessionId,
        from: u32,
        to: u32,
        rotation: &Rotation,
    ) -> Result<u64, Error> {
        let still = live!(user, session).filter(auth_sessions::refresh_counter.eq(i64::from(from)));
        let rotate = diesel::update(still).set((
            auth_sessions::refresh_counter.eq(i64::from(to)),
            auth_sessions::rotated_at.eq(rotation.at.as_micros()),
            auth_sessions::last_seen_at.eq(rotation.at.as_micros()),
            auth_sessions::idle_until.eq(rotation.idle_until.as_micros()),
            auth_sessions::kept_until.eq(rotation.kept_until.as_micros()),
        ));
        self.run(rotate).await
    }

    // Of a session without a secret, no row has that digest.
    async fn rotate_secret(
        &mut self,
        user: UserId,
        session: SessionId,
        from: &Digest,
        to: &Digest,
        roles_version: u32,
    ) -> Result<u64, Error> {
        let still = live!(user, session).filter(auth_sessions::secret_digest.eq(from.as_bytes().as_slice()));
        let rotate = diesel::update(still).set((
            auth_sessions::secret_digest.eq(to.as_bytes().as_slice()),
            auth_sessions::roles_version.eq(i64::from(roles_version)),
        ));
        self.run(rotate).await
    }

    async fn touch_session(
        &mut self,
        user: UserId,
        session: SessionId,
        at: Timestamp,
        idle_until: Timestamp,
    ) -> Result<u64, Error> {
        let earlier = open!(user, session).filter(auth_sessions::last_seen_at.le(at.as_micros()));
        let touch = diesel::update(earlier).set((
            auth_sessions::last_seen_at.eq(at.as_micros()),
            auth_sessions::idle_until.eq(idle_until.as_micros()),
        ));
        self.run(touch).await
    }

    async fn close_session(&mut self, user: UserId, session: SessionId, at: Timestamp) -> Result<u64, Error> {
        self.run(diesel::update(open!(user, session)).set(auth_sessions::closed_at.eq(at.as_micros()))).await
    }

    async fn close_device(&mut self, user: UserId, device: DeviceId, at: Timestamp) -> Result<u64, Error> {
        let open = auth_sessions::table
            .filter(auth_sessions::user_id.eq(Id(user.as_uuid())))
            .filter(auth_sessions::device_id.eq(Id(device.as_uuid())))
            .filter(auth_sessions::closed_at.is_null());
        self.run(diesel::update(open).set(auth_sessions::closed_at.eq(at.as_micros()))).await
    }
}
