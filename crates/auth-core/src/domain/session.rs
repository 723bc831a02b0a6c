//! Sessions.

use std::net::IpAddr;

use std::time::Duration;

use super::{DeviceId, Digest, Epoch, SessionId, Status, Timestamp, User, UserId};
use crate::port::Entropy;

/// One sign-in of one user on one device.
///
/// The row outlives the session, until [`kept_until`](Self::kept_until), so that refresh tokens of earlier counters are
/// recognised as stolen and not merely unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Names the session; access tokens carry it as `sid`.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// The user's epoch at birth.
    pub epoch: Epoch,
    /// The user's [`roles_version`](User::roles_version) when the credential was handed out.
    pub roles_version: u32,
    /// What it is used with.
    pub credential: Credential,
    /// When the session began. A new credential for the same sign-in keeps it.
    pub created_at: Timestamp,
    /// When the user last proved who they are.
    pub authenticated_at: Timestamp,
    /// When it was last seen in use, give or take a minute.
    pub last_seen_at: Timestamp,
    /// Dead from here on, unless used before.
    pub idle_until: Timestamp,
    /// Dead from here on, whatever happens.
    pub ends_at: Timestamp,
    /// The row may be deleted from here on.
    pub kept_until: Timestamp,
    /// How the user proved who they are.
    pub methods: Methods,
    /// The device that signed in, as its device tokens name it.
    pub device: DeviceId,
    /// The address that signed in.
    pub ip: Option<IpAddr>,
    /// The `User-Agent` that signed in.
    pub user_agent: Option<String>,
    /// When it was ended; `None` while it isn't.
    pub closed_at: Option<Timestamp>,
}

impl Session {
    /// Whether the session opens anything at `now`, for its user as read with it.
    ///
    /// Live: not closed, neither deadline reached, born in the user's current epoch, user active. The one place where
    /// that is decided, so that stores and caches can't differ over it.
    pub fn is_live(&self, user: &User, now: Timestamp) -> bool {
        self.closed_at.is_none()
            && now < self.idle_until
            && now < self.ends_at
            && self.user == user.id
            && self.epoch == user.epoch
            && user.status == Status::Active
    }
}

/// What a session is used with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// An access token and a refresh token.
    Tokens(RefreshState),
    /// A secret in a browser's cookie: its digest.
    Cookie(Digest),
}

impl Credential {
    /// The state of the refresh token, of a session that has one.
    pub const fn refresh(&self) -> Option<&RefreshState> {
        match self {
            Self::Tokens(state) => Some(state),
            Self::Cookie(_) => None,
        }
    }

    /// The digest of the secret, of a session that has one.
    pub const fn secret(&self) -> Option<&Digest> {
        match self {
            Self::Cookie(digest) => Some(digest),
            Self::Tokens(_) => None,
        }
    }
}

/// What a session is looked up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionKey {
    /// Its id.
    Id(SessionId),
    /// The digest of its secret.
    Secret(Digest),
}

/// A session and its user, from one read.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The session.
    pub session: Session,
    /// Its user, with roles.
    pub user: User,
}

impl Signed {
    /// Whether the user proved who they are so short a time ago that they may do what can't be undone: 10 minutes
    /// (ASVS 7.5.1).
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.session.authenticated_at + FRESH
    }

    /// Whether roles were granted or revoked since the credential was handed out: a browser's secret is then replaced at
    /// its next use (OWASP Session Management, renewal after any privilege level change).
    pub fn is_behind_on_roles(&self) -> bool {
        self.session.roles_version != self.user.roles_version
    }
}

/// How long after proving who one is a session counts as fresh.
pub const FRESH: Duration = Duration::from_secs(600);

/// What a refresh token is derived from, beside the pepper: a store dump yields no usable token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshState {
    /// Makes this session's tokens differ from every other's.
    pub salt: [u8; 16],
    /// How often the token was rotated.
    pub counter: u32,
    /// When it was last rotated, or made.
    pub rotated_at: Timestamp,
}

impl RefreshState {
    /// The state of a session that begins at `now`.
    pub fn new(now: Timestamp, entropy: &dyn Entropy) -> Self {
        let mut salt = [0; 16];
        entropy.fill(&mut salt);
        Self { salt, counter: 0, rotated_at: now }
    }
}

/// One way of proving who one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// A password.
    Password,
    /// A mailed code.
    EmailCode,
    /// A code from an authenticator app.
    Totp,
    /// A recovery code.
    RecoveryCode,
}

impl Method {
    const ALL: [Self; 4] = [Self::Password, Self::EmailCode, Self::Totp, Self::RecoveryCode];

    /// The word for stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::EmailCode => "mail",
            Self::Totp => "totp",
            Self::RecoveryCode => "recovery",
        }
    }
}

/// How a user proved who they are: a set of [`Method`]s.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Methods(Vec<Method>);

impl Methods {
    /// The set of these methods.
    pub fn of(methods: &[Method]) -> Self {
        let mut set = methods.to_vec();
        set.sort_unstable();
        set.dedup();
        Self(set)
    }

    /// The methods, in order.
    pub fn iter(&self) -> impl Iterator<Item = Method> {
        self.0.iter().copied()
    }

    /// These and that one.
    #[must_use]
    pub fn with(&self, method: Method) -> Self {
        Self::of(&[&self.0[..], &[method]].concat())
    }

    /// The values of `amr` (RFC 8176 §2): `pwd`, `otp` for codes of every kind, and `mfa` where two different factors were
    /// proved. A mailed code beside a password isn't that: whoever reads the mail can set the password.
    pub fn amr(&self) -> Vec<&'static str> {
        let has = |method| self.0.contains(&method);
        let is_possession = has(Method::Totp) || has(Method::RecoveryCode);
        let values = [
            (has(Method::Password), "pwd"),
            (is_possession || has(Method::EmailCode), "otp"),
            (is_possession && has(Method::Password), "mfa"),
        ];
        values.into_iter().filter_map(|(holds, value)| holds.then_some(value)).collect()
    }

    /// For a store to keep: the methods' words, separated by blanks.
    pub fn to_text(&self) -> String {
        self.0.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// From what a store kept. Names that a later version wrote are passed over.
    pub fn from_text(text: &str) -> Self {
        let known = |name: &str| Method::ALL.into_iter().find(|method| method.as_str() == name);
        Self::of(&text.split(' ').filter_map(known).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // MF6: a mailed code never makes `mfa`.
    #[test]
    fn mf6_a_mailed_code_is_no_second_factor_in_amr() {
        use Method::{EmailCode, Password, RecoveryCode, Totp};
        for (methods, amr) in [
            (&[Password][..], &["pwd"][..]),
            (&[Password, EmailCode], &["pwd", "otp"]),
            (&[EmailCode, Totp], &["otp"]),
            (&[Password, Totp], &["pwd", "otp", "mfa"]),
            (&[Password, EmailCode, RecoveryCode], &["pwd", "otp", "mfa"]),
        ] {
            assert_eq!(Methods::of(methods).amr(), amr);
            assert_eq!(Methods::from_text(&Methods::of(methods).to_text()), Methods::of(methods));
        }
    }
}
