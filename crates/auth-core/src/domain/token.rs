//! One-time tokens: what mailed links and codes stand for.

use uuid::Uuid;

use super::{Digest, Email, Factor, FirstStep, Mac, SessionId, Timestamp, TokenId, User, UserId};

/// A record behind one mail that carries a link, a code, or both.
///
/// Bound to its user, purpose and address: nothing else can be done with it, and not after the address has changed.
#[derive(Debug, Clone)]
pub struct Token {
    /// Names the record.
    pub id: TokenId,
    /// Whose it is.
    pub user: UserId,
    /// What it is good for.
    pub purpose: Purpose,
    /// The address it was mailed to.
    pub email: Email,
    /// The address that the account must still have for the token to be good; `None`: whichever it has.
    pub account: Option<Email>,
    /// Of the link's secret; `None` where the mail carries a code only.
    pub link: Option<Digest>,
    /// The link is dead from here on.
    pub link_until: Timestamp,
    /// Of the code; `None` where the mail carries a link only.
    pub code: Option<Mac>,
    /// The code is dead from here on.
    pub code_until: Timestamp,
    /// Attempts at the code that were claimed so far.
    pub attempts: u32,
    /// Whoever asked for it: a keyed digest of their address.
    pub requested_from: Digest,
    /// The sign-in that a challenge carries on; `None` for every other purpose.
    pub sign_in: Option<FirstStep>,
    /// The session that it is about, where it is about one.
    pub session: Option<SessionId>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A token and its user, from one read.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The token.
    pub token: Token,
    /// Its user.
    pub user: User,
}

/// What a one-time token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Proving that one receives mail at an address.
    VerifyEmail,
    /// Setting a new password without the old one.
    ResetPassword,
    /// Moving the account to the address that the token was mailed to.
    ChangeEmail,
    /// Moving the account back to the address that the token was mailed to, or stopping the move.
    UndoEmail,
    /// Taking the second step of a sign-in: a challenge. Its link's secret is the challenge, and isn't mailed.
    SecondStep,
    /// Switching the second factor by mail on.
    EnableEmailFactor,
    /// Switching the second factor by mail off.
    DisableEmailFactor,
    /// Proving again who one is, in a session.
    Reauthenticate,
    /// Changing the password in a session without the old one.
    ChangePassword,
    /// Ending a session that its user doesn't recognise.
    ReportSession,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 10] = [
        Self::VerifyEmail,
        Self::ResetPassword,
        Self::ChangeEmail,
        Self::UndoEmail,
        Self::SecondStep,
        Self::EnableEmailFactor,
        Self::DisableEmailFactor,
        Self::Reauthenticate,
        Self::ChangePassword,
        Self::ReportSession,
    ];

    /// Whether a code that is mailed for it in a session of `user` is good for anything. Not one that stands in for the password,
    /// where an authenticator app is on: a mailbox and a stolen session must not be enough to switch the app off.
    pub fn is_open_to(self, user: &User) -> bool {
        !(matches!(self, Self::Reauthenticate | Self::ChangePassword) && user.factors.contains(Factor::Totp))
    }

    /// The word for stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify-email",
            Self::ResetPassword => "reset-password",
            Self::ChangeEmail => "change-email",
            Self::UndoEmail => "undo-email",
            Self::SecondStep => "second-step",
            Self::EnableEmailFactor => "enable-email-factor",
            Self::DisableEmailFactor => "disable-email-factor",
            Self::Reauthenticate => "reauthenticate",
            Self::ChangePassword => "change-password",
            Self::ReportSession => "report-session",
        }
    }

    /// Reads that word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == text)
    }
}

/// Whom a budget is counted for: an account, or an address that has none yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(Uuid);

impl Subject {
    /// An address without an account, by a keyed digest of it: a store must not hold what can be guessed from.
    pub fn of_address(digest: &Digest) -> Self {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.as_bytes()[..16]);
        Self(Uuid::from_bytes(bytes))
    }

    /// For a store to keep.
    pub const fn as_uuid(&self) -> Uuid {
        self.0
    }
}

impl From<UserId> for Subject {
    fn from(user: UserId) -> Self {
        Self(user.as_uuid())
    }
}

/// What counts failures per account in the store, over all records and nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Budget {
    /// Attempts at mailed codes that verify an address.
    VerifyCode,
    /// Attempts at mailed codes that reset a password.
    ResetCode,
    /// Attempts at mailed codes that change an address.
    ChangeCode,
}

impl Budget {
    /// The word for stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyCode => "verify-code",
            Self::ResetCode => "reset-code",
            Self::ChangeCode => "change-code",
        }
    }
}
