//! Mail, as the core means it and as the outbox holds it.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Code, Email, LeaseId, MailId, Sealed, Timestamp, UserId};

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
    /// Somebody, perhaps you, registered this address: it has an account already.
    Exists,
    /// Confirm that your account is to move to this address.
    ChangeEmail {
        /// To type in.
        code: Code,
        /// To follow.
        link: Link,
    },
    /// Your account is to move to another address; here it can be stopped or taken back.
    UndoEmail {
        /// The other address.
        to: Email,
        /// To follow.
        link: Link,
    },
    /// Finish signing in, or switch the second factor by mail on or off.
    SecondFactor {
        /// To type in.
        code: Code,
    },
    /// Prove again who you are.
    Reauthenticate {
        /// To type in.
        code: Code,
    },
    /// A device that wasn't seen before has signed in.
    NewDevice {
        /// What it seems to be.
        device: String,
        /// Ends that session, and begins a reset of the password.
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
            Self::Exists => MailKind::Exists,
            Self::ChangeEmail { .. } => MailKind::ChangeEmail,
            Self::SecondFactor { .. } => MailKind::SecondFactor,
            Self::Reauthenticate { .. } => MailKind::Reauthenticate,
            Self::NewDevice { .. } => MailKind::NewDevice,
            Self::UndoEmail { .. } | Self::Notice(_) => MailKind::Notice,
        }
    }
}

/// A change that the account's owner hears of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The password was changed by somebody signed in.
    PasswordChanged,
    /// The password was reset by mail.
    PasswordReset,
    /// The account moved to another address; told at the one before.
    EmailChanged,
    /// The account was deleted.
    AccountDeleted,
    /// The second factor by mail is on.
    EmailFactorOn,
    /// The second factor by mail is off.
    EmailFactorOff,
    /// The second factor by authenticator app is on.
    TotpOn,
    /// The second factor by authenticator app is off.
    TotpOff,
    /// There are new recovery codes.
    RecoveryCodesRenewed,
    /// A recovery code was used.
    RecoveryCodeUsed,
}

impl Notice {
    /// The word for the sealed form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PasswordChanged => "password-changed",
            Self::PasswordReset => "password-reset",
            Self::EmailChanged => "email-changed",
            Self::AccountDeleted => "account-deleted",
            Self::EmailFactorOn => "email-factor-on",
            Self::EmailFactorOff => "email-factor-off",
            Self::TotpOn => "totp-on",
            Self::TotpOff => "totp-off",
            Self::RecoveryCodesRenewed => "recovery-codes-renewed",
            Self::RecoveryCodeUsed => "recovery-code-used",
        }
    }

    /// Every change there is.
    pub const ALL: [Self; 10] = [
        Self::PasswordChanged,
        Self::PasswordReset,
        Self::EmailChanged,
        Self::AccountDeleted,
        Self::EmailFactorOn,
        Self::EmailFactorOff,
        Self::TotpOn,
        Self::TotpOff,
        Self::RecoveryCodesRenewed,
        Self::RecoveryCodeUsed,
    ];

    /// Reads that word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|notice| notice.as_str() == text)
    }
}

/// The kind of a mail; may be stored and logged in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MailKind {
    /// Carries a verification code and link.
    Verify,
    /// Carries a reset code and link.
    Reset,
    /// Tells the owner of an account that somebody registered its address.
    Exists,
    /// Carries a code and link that change an address.
    ChangeEmail,
    /// Carries the code of a second factor.
    SecondFactor,
    /// Carries a code for somebody who is signed in.
    Reauthenticate,
    /// Tells of a sign-in from a new device, and carries a link to end it.
    NewDevice,
    /// Carries news, and perhaps a link to undo what they tell of.
    Notice,
}

impl MailKind {
    /// The word for stores and for the header `X-Auth-Mail`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Reset => "reset",
            Self::Exists => "exists",
            Self::ChangeEmail => "change-email",
            Self::SecondFactor => "second-factor",
            Self::Reauthenticate => "reauthenticate",
            Self::NewDevice => "new-device",
            Self::Notice => "notice",
        }
    }

    /// Reads that word.
    pub fn parse(text: &str) -> Option<Self> {
        const ALL: [MailKind; 8] = [
            MailKind::Verify,
            MailKind::Reset,
            MailKind::Exists,
            MailKind::ChangeEmail,
            MailKind::SecondFactor,
            MailKind::Reauthenticate,
            MailKind::NewDevice,
            MailKind::Notice,
        ];
        ALL.into_iter().find(|kind| kind.as_str() == text)
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
    /// Whose account it is about; `None` where there is none yet, or no more.
    pub user: Option<UserId>,
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

/// How far a mail got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MailState {
    /// To be sent, or being sent.
    Queued,
    /// Taken by whoever delivers it.
    Sent,
    /// Given up.
    Dead,
}

impl MailState {
    /// The word for stores and for operators.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Dead => "dead",
        }
    }

    /// Reads that word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Queued, Self::Sent, Self::Dead].into_iter().find(|state| state.as_str() == text)
    }
}

/// A mail in the outbox without what it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailRecord {
    /// Names the row.
    pub id: MailId,
    /// Whose account it is about.
    pub user: Option<UserId>,
    /// The one recipient.
    pub to: Email,
    /// What it is.
    pub kind: MailKind,
    /// How far it got.
    pub state: MailState,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// Not sent from here on.
    pub expires_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it was put off or given up last.
    pub reason: Option<String>,
}

/// What waits in the outbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Mails to be sent, or being sent.
    pub queued: u64,
    /// When the oldest of them was enqueued.
    pub oldest: Option<Timestamp>,
    /// Mails given up whose rows are still there.
    pub dead: u64,
}
