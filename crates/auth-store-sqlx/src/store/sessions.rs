//! Reading sessions.

use async_trait::async_trait;
use auth_core::domain::{Epoch, Methods, RefreshState, Session, SessionId, Signed, Timestamp, UserId};
use auth_core::port::{Sessions, StoreError};

use super::row::Fields;
use super::users::{join_roles, user, user_columns};
use super::{Store, sql};

/// What [`session`] reads, of `auth_sessions s`.
macro_rules! session_columns {
    () => {
        "s.id, s.user_id, s.epoch, s.refresh_salt, s.refresh_counter, s.rotated_at, s.created_at, s.authenticated_at, \
         s.last_seen_at, s.idle_until, s.ends_at, s.kept_until, s.methods, s.device_id, s.ip, s.user_agent, s.closed_at"
    };
}

/// The hot read: all that a guard needs, in one query.
const SIGNED: &str = concat!(
    "select ",
    session_columns!(),
    ", ",
    user_columns!(),
    ", r.role from auth_sessions s join auth_users u on u.id = s.user_id",
    join_roles!(),
    "where s.id = $1"
);

const LIVE: &str = concat!(
    "select ",
    session_columns!(),
    " from auth_sessions s join auth_users u on u.id = s.user_id and u.epoch = s.epoch
    where s.user_id = $1 and s.closed_at is null and s.idle_until > $2 and s.ends_at > $3
    order by s.created_at desc, s.id desc"
);

#[async_trait]
impl Sessions for Store {
    async fn find_session(&self, id: SessionId) -> Result<Option<Signed>, StoreError> {
        let rows = self.rows(|| sql(SIGNED).bind(id.as_uuid())).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let mut fields = Fields::of(row);
        Ok(Some(Signed { session: session(&mut fields)?, user: user(&mut fields, &rows)? }))
    }

    async fn sessions_of(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let now = now.as_micros();
        let rows = self.rows(|| sql(LIVE).bind(user.as_uuid()).bind(now).bind(now)).await?;
        rows.iter().map(|row| session(&mut Fields::of(row))).collect()
    }
}

fn session(fields: &mut Fields<'_>) -> Result<Session, StoreError> {
    Ok(Session {
        id: fields.id()?,
        user: fields.id()?,
        epoch: Epoch::from_number(fields.number("epoch")?),
        refresh: RefreshState {
            salt: fields.bytes("salt")?,
            counter: fields.number("counter")?,
            rotated_at: fields.time()?,
        },
        created_at: fields.time()?,
        authenticated_at: fields.time()?,
        last_seen_at: fields.time()?,
        idle_until: fields.time()?,
        ends_at: fields.time()?,
        kept_until: fields.time()?,
        methods: fields.take().map(Methods::from_text)?,
        device: fields.id()?,
        ip: fields.maybe_parsed("IP address", |text| text.parse().ok())?,
        user_agent: fields.take()?,
        closed_at: fields.maybe_time()?,
    })
}
