//! Sessions.

use std::net::IpAddr;

use super::{DeviceId, Epoch, SessionId, Status, Timestamp, User, UserId};
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
    /// What the session's refresh token is derived from.
    pub refresh: RefreshState,
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

/// A session and its user, from one read.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The session.
    pub session: Session,
    /// Its user, with roles.
    pub user: User,
}

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
}

impl Method {
    const ALL: [Self; 1] = [Self::Password];

    /// The name in `amr` (RFC 8176 §2).
    pub const fn amr(self) -> &'static str {
        match self {
            Self::Password => "pwd",
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

    /// For a store to keep: the `amr` names, separated by blanks.
    pub fn to_text(&self) -> String {
        self.0.iter().map(|method| method.amr()).collect::<Vec<_>>().join(" ")
    }

    /// From what a store kept. Names that a later version wrote are passed over.
    pub fn from_text(text: &str) -> Self {
        let known = |name: &str| Method::ALL.into_iter().find(|method| method.amr() == name);
        Self::of(&text.split(' ').filter_map(known).collect::<Vec<_>>())
    }
}
