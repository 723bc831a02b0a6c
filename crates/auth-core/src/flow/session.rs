//! Sessions as they begin, and the credentials that go with them.

use std::time::Duration;

use crate::access_token::{AccessToken, Grant};
use crate::auth::{Auth, Fault};
use crate::device_token::DeviceToken;
use crate::domain::{Context, DeviceId, Epoch, Methods, RefreshState, Session, SessionId, Timestamp, User};
use crate::refresh_token::RefreshToken;

/// A session with its fresh credentials.
#[derive(Debug)]
pub struct Authenticated {
    /// Who.
    pub user: User,
    /// Their session.
    pub session: Session,
    /// For requests.
    pub access: AccessToken,
    /// How long that one lives.
    pub access_ttl: Duration,
    /// For the next access token.
    pub refresh: RefreshToken,
    /// For the next sign-in from this device.
    pub device: DeviceToken,
}

impl Auth {
    /// A session that begins now, in `epoch`.
    pub(crate) fn new_session(
        &self,
        user: &User,
        epoch: Epoch,
        methods: Methods,
        device: DeviceId,
        context: &Context,
        now: Timestamp,
    ) -> Session {
        let times = &self.settings.lifetimes;
        Session {
            id: SessionId::new(now, &*self.entropy),
            user: user.id,
            epoch,
            refresh: RefreshState::new(now, &*self.entropy),
            created_at: now,
            authenticated_at: now,
            last_seen_at: now,
            idle_until: now + times.idle,
            ends_at: now + times.max,
            kept_until: self.kept_until(now),
            methods,
            device,
            ip: context.ip,
            user_agent: context.user_agent.clone(),
            closed_at: None,
        }
    }

    /// Until when a session's row is of use after a rotation at `now`: until its refresh token, and the last access token
    /// bought with it, have expired.
    pub(crate) fn kept_until(&self, now: Timestamp) -> Timestamp {
        now + self.settings.lifetimes.refresh + self.settings.lifetimes.access
    }

    /// Fresh credentials for a session.
    pub(crate) fn authenticated(&self, user: User, session: Session, now: Timestamp) -> Result<Authenticated, Fault> {
        // No token outlives its session.
        let access_ttl = self.settings.lifetimes.access.min(session.ends_at.since(now));
        let access =
            self.tokens.issue(&Grant { user: &user, session: &session, now, ttl: access_ttl }, &*self.entropy)?;
        let refresh = RefreshToken::derive(&self.ring, session.id, &session.refresh);
        let device = DeviceToken::issue(&self.ring, &user, session.device, now);
        Ok(Authenticated { user, session, access, access_ttl, refresh, device })
    }
}
