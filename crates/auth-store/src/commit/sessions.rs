//! Changing sessions.

use async_trait::async_trait;
use auth_core::domain::{DeviceId, Digest, Session, SessionId, Timestamp, UserId};
use auth_core::port::Rejected;

use super::{Failure, Statements, Transaction, guard};

/// Statements about sessions. A session's epoch is the user's where it is the sum of their own and everybody's.
#[async_trait]
pub trait SessionStatements: Statements {
    /// Inserts a session, where its user is active and in its epoch. An id or a secret's digest that exists is an error.
    async fn insert_session(&mut self, session: &Session) -> Result<u64, Self::Error>;

    /// Sets the refresh counter to `to`, where it is `from`, the session isn't closed, and its epoch is the user's.
    async fn rotate_refresh(
        &mut self,
        user: UserId,
        session: SessionId,
        from: u32,
        to: u32,
        rotation: &Rotation,
    ) -> Result<u64, Self::Error>;

    /// Replaces the secret's digest, and the version of roles that it was handed out at, where it is still `from`, the session
    /// isn't closed, and its epoch is the user's.
    async fn rotate_secret(
        &mut self,
        user: UserId,
        session: SessionId,
        from: &Digest,
        to: &Digest,
        roles_version: u32,
    ) -> Result<u64, Self::Error>;

    /// Notes a use, where the session isn't closed and wasn't seen later.
    async fn touch_session(
        &mut self,
        user: UserId,
        session: SessionId,
        at: Timestamp,
        idle_until: Timestamp,
    ) -> Result<u64, Self::Error>;

    /// Closes the session, where it isn't.
    async fn close_session(&mut self, user: UserId, session: SessionId, at: Timestamp) -> Result<u64, Self::Error>;

    /// Closes all sessions of the user's device that aren't.
    async fn close_device(&mut self, user: UserId, device: DeviceId, at: Timestamp) -> Result<u64, Self::Error>;
}

/// When a refresh token is replaced, and what that renews.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// Now: becomes `rotated_at` and `last_seen_at`.
    pub at: Timestamp,
    /// The new idle deadline.
    pub idle_until: Timestamp,
    /// How long to keep the row from now on.
    pub kept_until: Timestamp,
}

/// Of a session without a refresh token, no row has that counter.
pub(super) async fn rotate_refresh<T: Transaction>(
    tx: &mut T,
    user: UserId,
    session: SessionId,
    from: u32,
    rotation: &Rotation,
) -> Result<(), Failure<T::Error>> {
    let to = from.checked_add(1).ok_or(Failure::Rejected(Rejected::Session))?;
    guard(tx.rotate_refresh(user, session, from, to, rotation).await, Rejected::Session)
}
