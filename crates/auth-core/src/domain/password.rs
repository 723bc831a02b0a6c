//! Passwords, and their hashes.

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A password in the clear, in the form that is hashed.
///
/// - Normalised to NFKC, so that `é` typed as one character or as two is the same password (NIST SP 800-63B-4 §3.1.1.2).
/// - At most 1024 bytes: longer input is refused before any hashing (ASVS 15.2.2).
/// - Whether it is *good enough to be set* is [`PasswordRules`](crate::rules::password)' to say; signing in takes any.
/// - Doesn't print, doesn't serialise, is erased when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Password(String);

/// The text is too long to be hashed, or holds a NUL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a usable password")]
pub struct InvalidPassword;

impl Password {
    /// Normalises `text`.
    ///
    /// # Errors
    /// [`InvalidPassword`] when it is empty, over 1024 bytes before or after normalising, or holds a NUL.
    pub fn parse(mut text: String) -> Result<Self, InvalidPassword> {
        let normal = if text.is_empty() || text.len() > 1024 || text.contains('\0') {
            None
        } else {
            // Room for everything at once: growing would leave unerased copies behind.
            let mut normal = String::with_capacity(text.len() * 4);
            normal.extend(text.nfkc());
            Some(Self(normal))
        };
        text.zeroize();
        normal.filter(|password| !password.0.is_empty() && password.0.len() <= 1024).ok_or(InvalidPassword)
    }

    /// The text, for hashing and judging.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// A stored password hash in PHC string format (for Argon2 with the pepper's id as `keyid`), or bcrypt's own format, which
/// imported users may have.
///
/// Not checked here: stores hand back what they hold, and a hash that can't be read is
/// [`HashError::Unreadable`](crate::port::HashError) when it is verified.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Box<str>);

impl PasswordHash {
    /// From what a store kept or a hasher made.
    pub fn from_stored(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text as it is kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// A hash of another system that can't be imported. Says nothing of the hash itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnusableHash {
    /// No kind that can be verified.
    #[error("of an unknown kind: known are Argon2, bcrypt, scrypt and PBKDF2")]
    UnknownKind,
    /// Not what a hash of its kind looks like.
    #[error("malformed: {0}")]
    Malformed(String),
    /// A sign-in would take too much memory or time.
    #[error("it costs too much to verify: at most {0} is accepted")]
    TooCostly(&'static str),
    /// Made under a pepper, without which it is worth nothing.
    #[error("it was made under a pepper that isn't configured")]
    UnknownPepper,
}
