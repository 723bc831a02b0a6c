//! Reading sessions.

use async_trait::async_trait;
use auth_core::domain::{Credential, Epoch, Methods, Session, SessionKey, Signed, UserId};
use auth_core::port::{Sessions, StoreError};
use auth_store::read;

use super::row::{Fields, failed};
use super::users::{epoch, join_roles, user, user_columns};
use super::{Store, sql};

/// What [`session`] reads, of `auth_sessions s`.
macro_rules! session_columns {
    () => {
        "s.id, s.user_id, s.epoch, s.roles_version, s.refresh_salt, s.refresh_counter, s.rotated_at, s.secret_digest, \
         s.created_at, s.authenticated_at, s.last_seen_at, s.idle_until, s.ends_at, s.kept_until, s.methods, s.device_id, s.ip, s.user_agent, s.closed_at"
    };
}

/// The hot read: all that a guard needs, in one query.
macro_rules! signed {
    ($where:literal) => {
        concat!(
            "select ",
            session_columns!(),
            ", ",
            user_columns!(),
            ", r.role from auth_sessions s join auth_users u on u.id = s.user_id",
            join_roles!(),
            $where
        )
    };
}

const BY_ID: &str = signed!("where s.id = $1");

const BY_SECRET: &str = signed!("where s.secret_digest = $1");

const OF_USER: &str = concat!(
    "select ",
    session_columns!(),
    " from auth_sessions s where s.user_id = $1 order by s.created_at desc, s.id desc"
);

#[async_trait]
impl Sessions for Store {
    async fn find_session(&self, key: &SessionKey) -> Result<Option<Signed>, StoreError> {
        let query = || match key {
            SessionKey::Id(id) => sql(BY_ID).bind(id.as_uuid()),
            SessionKey::Secret(digest) => sql(BY_SECRET).bind(digest.as_bytes().as_slice()),
        };
        let rows = self.rows(query).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let mut fields = Fields::of(row);
        Ok(Some(Signed { session: session(&mut fields)?, user: user(&mut fields, &rows)? }))
    }

    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let rows = self.rows(|| sql(OF_USER).bind(user.as_uuid())).await?;
        rows.iter().map(|row| session(&mut Fields::of(row))).collect()
    }
}

fn session(fields: &mut Fields<'_>) -> Result<Session, StoreError> {
    Ok(Session {
        id: fields.id()?,
        user: fields.id()?,
        epoch: Epoch::from_number(fields.number("epoch")?),
        roles_version: fields.number("version of roles")?,
        credential: credential(fields)?,
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

fn credential(fields: &mut Fields<'_>) -> Result<Credential, StoreError> {
    let (salt, counter) = (fields.maybe_bytes("salt")?, fields.take()?);
    let (rotated_at, secret) = (fields.maybe_time()?, fields.maybe_bytes("digest")?);
    read::credential(salt, counter, rotated_at, secret).map_err(failed)
}
