//! Mail, as the core means it and as the outbox holds it.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Code, Email, LeaseId, MailId, Sealed, Timestamp};

/// A mail to one recipient, before anybody has put it into words.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Stays the same when the mail is sent again after a failure; becomes the `Message-ID`.
    pub id: MailId,
    /// The one recipient.
    pub to: Email,
    /// What to call them.
    pub name: Option<String>,
    /// The language they chose, a BCP 47 tag.
    pub locale: Option<String>,
    /// What to tell them.
    pub content: Content,
}

/// What a mail tells.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Content {
    /// Prove that you receive mail here.
    Verify {
        /// To type in.
        code: Code,
        /// To follow.
        link: Link,
    },
    /// Set a new password.
    Reset {
        /// To type in.
        code: Code,
        /// To follow.
        link: Link,
    },
    /// Something about your account's security has changed.
    Notice(Notice),
}

impl Content {
    /// The value of the header `X-Auth-Mail`.
    pub const fn kind(&self) -> MailKind {
        match self {
            Self::Verify { .. } => MailKind::Verify,
            Self::Reset { .. } => MailKind::Reset,
            Self::Notice(_) => MailKind::Notice,
        }
    }
}

/// A change that the account's owner hears of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The password was changed by somebody signed in.
    PasswordChanged,
    /// The password was reset by mail.
    PasswordReset,
}

impl Notice {
    /// The word for the sealed form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PasswordChanged => "password-changed",
            Self::PasswordReset => "password-reset",
        }
    }

    /// Reads that word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::PasswordChanged, Self::PasswordReset].into_iter().find(|notice| notice.as_str() == text)
    }
}

/// The kind of a mail; may be stored and logged in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MailKind {
    /// Carries a verification code and link.
    Verify,
    /// Carries a reset code and link.
    Reset,
    /// Carries news only.
    Notice,
}

impl MailKind {
    /// The word for stores and for the header `X-Auth-Mail`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Reset => "reset",
            Self::Notice => "notice",
        }
    }

    /// Reads that word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Verify, Self::Reset, Self::Notice].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A link that carries a secret. Doesn't print, is erased when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Link(String);

impl Link {
    /// From the full address.
    pub fn new(url: String) -> Self {
        Self(url)
    }

    /// The full address, for the one mail that carries it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Link(…)")
    }
}

/// A mail as it enters the outbox, its content sealed to row, recipient and kind.
#[derive(Debug, Clone)]
pub struct SealedMail {
    /// Names the row.
    pub id: MailId,
    /// The one recipient.
    pub to: Email,
    /// What it is.
    pub kind: MailKind,
    /// Everything else.
    pub body: Sealed,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// Not sent from here on: what it carries is dead.
    pub expires_at: Timestamp,
}

/// A mail that a worker has leased.
#[derive(Debug, Clone)]
pub struct LeasedMail {
    /// The mail.
    pub mail: SealedMail,
    /// Proves the lease when settling.
    pub lease: LeaseId,
    /// How often it was leased, this time included.
    pub attempts: u32,
}
