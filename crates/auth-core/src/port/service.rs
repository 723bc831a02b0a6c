//! What the core asks of everything that is not a store.

use async_trait::async_trait;
use std::fmt::Debug;
use std::time::Duration;

use crate::domain::{Digest, Mail, Password, PasswordHash, Timestamp};

/// Tells the time.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Clock: Debug + Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// A source of random bytes that nobody can predict.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Entropy: Debug + Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// Hashes passwords, away from the async threads and a bounded number at a time.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait PasswordHasher: Debug + Send + Sync {
    /// A hash under the current settings and pepper, with a fresh salt.
    ///
    /// # Errors
    /// [`HashError`] when it could not be made.
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashError>;

    /// Whether `password` is the one behind `hash`. Without a hash the answer is `Mismatch`, for the price of a hash
    /// under the current settings, so that an unknown address takes as long as a known one.
    ///
    /// # Errors
    /// [`HashError`] when it could not be told.
    async fn verify(&self, password: &Password, hash: Option<PasswordHash>) -> Result<Verdict, HashError>;
}

/// What verifying a password found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the password.
    Match {
        /// The hash is weaker than today's, or under an old pepper: hash again.
        outdated: bool,
    },
    /// It isn't.
    Mismatch,
}

/// A password could not be hashed or verified.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// As many as may wait are waiting already.
    #[error("too many passwords are being hashed")]
    Busy,
    /// The stored hash is corrupted, of an unknown kind, or under a pepper that isn't configured.
    #[error("the stored password hash can't be read: {0}")]
    Unreadable(String),
    /// Hashing itself failed.
    #[error("hashing failed: {0}")]
    Failed(String),
}

/// Knows passwords that were in a breach.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait BreachedPasswords: Debug + Send + Sync {
    /// Whether `password` is known to be breached. An implementation that can't tell decides for itself whether that
    /// is `false` (the password is judged by its strength alone) and logs it.
    async fn is_breached(&self, password: &Password) -> bool;
}

/// Counts what must not happen too often.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Throttle: Debug + Send + Sync {
    /// Counts one use of `key` and says whether it was within `limit`, atomically: of any number of racing uses exactly
    /// `limit.uses` are allowed in a window. A window begins with its first use. A refused use isn't counted.
    async fn take(&self, key: ThrottleKey, limit: Limit, now: Timestamp) -> Taken;

    /// Takes one use back, where it turned out not to count.
    async fn give_back(&self, key: ThrottleKey, now: Timestamp);

    /// Forgets all uses of `key`.
    async fn clear(&self, key: ThrottleKey);
}

/// What is counted: a digest of a scope and whom it is about, so that a throttle holds no addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ThrottleKey([u8; 16]);

impl ThrottleKey {
    /// The key of `subject` within `scope`.
    pub fn new(scope: &str, subject: &[u8]) -> Self {
        let digest = Digest::of(&[scope.as_bytes(), &[0], subject]);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.as_bytes()[..16]);
        Self(bytes)
    }

    /// The key's bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// How often something may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Uses in a window.
    pub uses: u32,
    /// How long a window lasts.
    pub window: Duration,
}

/// What a throttle said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Whether the use was within the limit.
    pub allowed: bool,
    /// Uses left in this window.
    pub remaining: u32,
    /// Until the window ends.
    pub reset: Duration,
}

/// Sends mail.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Mailer: Debug + Send + Sync {
    /// Hands `mail` to whoever delivers it. Returns once they have taken responsibility for it.
    ///
    /// # Errors
    /// [`MailError`] when they haven't.
    async fn send(&self, mail: &Mail) -> Result<(), MailError>;
}

/// A mail was not taken.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// It may be taken later: no connection, a full mailbox, a greylist.
    #[error("the mail was not taken for now: {0}")]
    Transient(String),
    /// It never will be: no such recipient, a malformed message.
    #[error("the mail was refused: {0}")]
    Permanent(String),
}
