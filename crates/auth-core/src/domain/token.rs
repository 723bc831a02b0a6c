//! One-time tokens: what mailed links and codes stand for.

use super::{Digest, Email, Mac, Timestamp, TokenId, User, UserId};

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
    /// Of the link's secret.
    pub link: Digest,
    /// The link is dead from here on.
    pub link_until: Timestamp,
    /// Of the code.
    pub code: Mac,
    /// The code is dead from here on.
    pub code_until: Timestamp,
    /// Attempts at the code that were claimed so far.
    pub attempts: u32,
    /// Whoever asked for it: a keyed digest of their address.
    pub requested_from: Digest,
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
}

impl Purpose {
    /// The word for stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify-email",
            Self::ResetPassword => "reset-password",
        }
    }

    /// Reads that word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::VerifyEmail, Self::ResetPassword].into_iter().find(|purpose| purpose.as_str() == text)
    }
}

/// What counts failures per account in the store, over all records and nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Budget {
    /// Attempts at mailed codes that verify an address.
    VerifyCode,
    /// Attempts at mailed codes that reset a password.
    ResetCode,
}

impl Budget {
    /// The word for stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyCode => "verify-code",
            Self::ResetCode => "reset-code",
        }
    }
}
