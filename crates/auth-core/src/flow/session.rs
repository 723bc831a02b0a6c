//! Sessions as they begin, and the credentials that go with them.

use std::fmt;
use std::time::Duration;

use crate::access_token::{AccessToken, Grant};
use crate::auth::{Auth, Fault};
use crate::device_token::DeviceToken;
use crate::domain::{
    Context, Credential, DeviceId, Epoch, Methods, RefreshState, Secret, Session, SessionId, Timestamp, User,
};
use crate::refresh_token::RefreshToken;
use crate::settings::CredentialKind;

/// A session with its fresh credentials.
#[derive(Debug)]
pub struct Authenticated {
    /// Who.
    pub user: User,
    /// Their session.
    pub session: Session,
    /// What it is used with.
    pub credential: Fresh,
    /// For the next sign-in from this device.
    pub device: DeviceToken,
}

/// A credential for its one reply. Doesn't print.
pub enum Fresh {
    /// For a client that keeps tokens.
    Tokens {
        /// For requests.
        access: AccessToken,
        /// How long that one lives.
        access_ttl: Duration,
        /// For the next access token.
        refresh: RefreshToken,
    },
    /// For a browser, in a cookie.
    Cookie(Secret),
}

impl fmt::Debug for Fresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tokens { .. } => "Tokens(…)",
            Self::Cookie(_) => "Cookie(…)",
        })
    }
}

/// What a new session is used with, before anything of it is handed out.
#[derive(Debug)]
pub(crate) enum NewCredential {
    Tokens(RefreshState),
    Cookie(Secret),
}

impl NewCredential {
    fn at_rest(&self) -> Credential {
        match self {
            Self::Tokens(state) => Credential::Tokens(*state),
            Self::Cookie(secret) => Credential::Cookie(secret.digest()),
        }
    }
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
    ) -> (Session, NewCredential) {
        let times = &self.settings.lifetimes;
        let (credential, kept_until) = match self.settings.credential {
            CredentialKind::Tokens => {
                (NewCredential::Tokens(RefreshState::new(now, &*self.entropy)), self.kept_until(now))
            }
            CredentialKind::Cookie => (NewCredential::Cookie(Secret::new(&*self.entropy)), now + times.max),
        };
        let session = Session {
            id: SessionId::new(now, &*self.entropy),
            user: user.id,
            epoch,
            roles_version: user.roles_version,
            credential: credential.at_rest(),
            created_at: now,
            authenticated_at: now,
            last_seen_at: now,
            idle_until: now + times.idle,
            ends_at: now + times.max,
            kept_until,
            methods,
            device,
            ip: context.ip,
            user_agent: context.user_agent.clone(),
            closed_at: None,
        };
        (session, credential)
    }

    /// A session that takes the place of `before` for the same sign-in, under a new credential: nothing extends the absolute
    /// limit.
    pub(crate) fn successor(
        &self,
        user: &User,
        before: &Session,
        epoch: Epoch,
        context: &Context,
        now: Timestamp,
    ) -> (Session, NewCredential) {
        let (session, credential) = self.new_session(user, epoch, before.methods.clone(), before.device, context, now);
        (Session { created_at: before.created_at, ends_at: before.ends_at, ..session }, credential)
    }

    /// Until when the row of a session with tokens is of use after a rotation at `now`: until its refresh token, and the last access token
    /// bought with it, have expired.
    pub(crate) fn kept_until(&self, now: Timestamp) -> Timestamp {
        now + self.settings.lifetimes.refresh + self.settings.lifetimes.access
    }

    /// Fresh credentials for a session whose own `credential` is.
    pub(crate) fn authenticated(
        &self,
        user: User,
        session: Session,
        credential: NewCredential,
        now: Timestamp,
    ) -> Result<Authenticated, Fault> {
        let credential = match credential {
            NewCredential::Tokens(state) => {
                // No token outlives its session.
                let access_ttl = self.settings.lifetimes.access.min(session.ends_at.since(now));
                let grant = Grant { user: &user, session: &session, now, ttl: access_ttl };
                let access = self.tokens.issue(&grant, &*self.entropy)?;
                Fresh::Tokens { access, access_ttl, refresh: RefreshToken::derive(&self.ring, session.id, &state) }
            }
            NewCredential::Cookie(secret) => Fresh::Cookie(secret),
        };
        let device = DeviceToken::issue(&self.ring, &user, session.device, now);
        Ok(Authenticated { user, session, credential, device })
    }
}
