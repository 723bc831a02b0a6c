//! What the host application may have a say in.

use async_trait::async_trait;
use std::fmt::Debug;

use crate::domain::{AuditEvent, Email, User};

/// The host's veto, asked before anything is done: invitations only, certain domains, nobody without a subscription.
///
/// What it refuses is answered with 403 and its reason, and recorded. It is asked while a client waits, and never while a
/// transaction is open.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Policy: Debug + Send + Sync {
    /// Whether an account may be made for this address. Asked before anybody looks whether there is one: where registration
    /// is concealed, a decision that depends on it would tell.
    ///
    /// # Errors
    /// [`Veto`]: it may not.
    async fn may_register(&self, email: &Email) -> Result<(), Veto>;

    /// Whether somebody may sign in who has just proved to be this user.
    ///
    /// # Errors
    /// [`Veto`]: they may not.
    async fn may_sign_in(&self, user: &User) -> Result<(), Veto>;

    /// Whether the user's account may move to this address. Asked before anybody looks whether it is taken.
    ///
    /// # Errors
    /// [`Veto`]: it may not.
    async fn may_change_email(&self, user: &User, to: &Email) -> Result<(), Veto>;
}

/// The host refuses. The reason is told to the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Veto {
    /// A sentence for people: `Registration is by invitation only.`
    pub reason: String,
}

impl Veto {
    /// A refusal for that reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// Hears of what happened, once it is committed: to welcome somebody, to tell a CRM, to count.
///
/// Each event of the audit log, in a task of its own, once, by the process that committed it. Nobody waits for it, and it is
/// lost if the process dies then: what must happen belongs into the same transaction.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Observer: Debug + Send + Sync {
    /// `event` has happened.
    async fn observe(&self, event: &AuditEvent);
}
