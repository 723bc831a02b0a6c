//! Reading sessions.

use async_trait::async_trait;
use auth_core::domain::{DeviceId, Epoch, Methods, Session, SessionId, SessionKey, Signed, Timestamp, UserId};
use auth_core::port::{Sessions, StoreError};
use auth_store::read;
use diesel::SelectableHelper as _;
use diesel::prelude::{ExpressionMethods as _, QueryDsl as _, Queryable, Selectable};

use super::dialect::Db;
use super::row::{self, failed, maybe_parsed, number};
use super::users::{UserAndRole, user};
use super::{Id, Store, auth_sessions, auth_user_roles, auth_users};

#[derive(Queryable, Selectable)]
#[diesel(table_name = auth_sessions, check_for_backend(Db))]
struct SessionRow {
    id: Id,
    user_id: Id,
    epoch: i64,
    roles_version: i64,
    refresh_salt: Option<Vec<u8>>,
    refresh_counter: Option<i64>,
    rotated_at: Option<i64>,
    secret_digest: Option<Vec<u8>>,
    created_at: i64,
    authenticated_at: i64,
    last_seen_at: i64,
    idle_until: i64,
    ends_at: i64,
    kept_until: i64,
    methods: String,
    device_id: Id,
    ip: Option<String>,
    user_agent: Option<String>,
    closed_at: Option<i64>,
}

/// The hot read: all that a guard needs, in one query.
macro_rules! signed {
    ($filter:expr) => {
        auth_sessions::table
            .inner_join(auth_users::table.left_join(auth_user_roles::table))
            .filter($filter)
            .select((SessionRow::as_select(), UserAndRole::as_select()))
    };
}

#[async_trait]
impl Sessions for Store {
    async fn find_session(&self, key: &SessionKey) -> Result<Option<Signed>, StoreError> {
        let rows: Vec<(SessionRow, UserAndRole)> = match key {
            SessionKey::Id(id) => self.rows(|| signed!(auth_sessions::id.eq(Id(id.as_uuid())))).await?,
            SessionKey::Secret(digest) => {
                self.rows(|| signed!(auth_sessions::secret_digest.eq(digest.as_bytes().to_vec()))).await?
            }
        };
        let mut rows = rows.into_iter();
        let Some((session, first)) = rows.next() else { return Ok(None) };
        let user = user(first, rows.map(|(_, row)| row))?;
        Ok(Some(Signed { session: session.read()?, user }))
    }

    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let query = || {
            auth_sessions::table
                .filter(auth_sessions::user_id.eq(Id(user.as_uuid())))
                .order((auth_sessions::created_at.desc(), auth_sessions::id.desc()))
                .select(SessionRow::as_select())
        };
        self.rows(query).await?.into_iter().map(SessionRow::read).collect()
    }
}

impl SessionRow {
    fn read(self) -> Result<Session, StoreError> {
        let credential = read::credential(
            row::maybe_bytes(self.refresh_salt.as_deref(), "salt")?,
            self.refresh_counter,
            row::maybe_time(self.rotated_at),
            row::maybe_bytes(self.secret_digest.as_deref(), "digest")?,
        );
        Ok(Session {
            id: SessionId::from(self.id.0),
            user: UserId::from(self.user_id.0),
            epoch: Epoch::from_number(number(self.epoch, "epoch")?),
            roles_version: number(self.roles_version, "version of roles")?,
            credential: credential.map_err(failed)?,
            created_at: Timestamp::from_micros(self.created_at),
            authenticated_at: Timestamp::from_micros(self.authenticated_at),
            last_seen_at: Timestamp::from_micros(self.last_seen_at),
            idle_until: Timestamp::from_micros(self.idle_until),
            ends_at: Timestamp::from_micros(self.ends_at),
            kept_until: Timestamp::from_micros(self.kept_until),
            methods: Methods::from_text(&self.methods),
            device: DeviceId::from(self.device_id.0),
            ip: maybe_parsed(self.ip.as_deref(), "IP address", |text| text.parse().ok())?,
            user_agent: self.user_agent,
            closed_at: row::maybe_time(self.closed_at),
        })
    }
}
