//! Secrets, and what of them may be stored.

use std::fmt;

use aws_lc_rs::{constant_time, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::port::Entropy;

/// A 256-bit random secret, as it stands in a link (ASVS 7.2.3 asks for 128 bits).
///
/// - Travels as 43 characters of unpadded base64url; any other spelling is refused.
/// - Is never stored: a store sees its [`Digest`].
/// - Doesn't print, doesn't serialise, is erased when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; 32]);

impl Secret {
    /// A fresh secret.
    pub fn new(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    /// Reads the form that [`expose`](Self::expose) writes; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        // The buffer takes exactly 32 bytes; trailing bits must be zero, so each secret has one spelling.
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(32) if text.len() == 43 => Some(Self(bytes)),
            _ => None,
        }
    }

    /// The secret as text, for the one reply or mail that carries it.
    pub fn expose(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What a store keeps of it. Unsalted and fast is enough: 256 random bits can't be guessed.
    pub fn digest(&self) -> Digest {
        Digest::of(&[&self.0])
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A SHA-256 digest: what stores keep of a [`Secret`], and look it up by.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `parts`, one after the other.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in parts {
            context.update(part);
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.finish().as_ref());
        Self(bytes)
    }

    /// From what a store kept.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// For a store to keep.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

/// Names the pepper a value was made under: eight hexadecimal digits, derived from the pepper itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; 8]);

impl KeyId {
    /// The id whose eight hexadecimal digits spell `bytes`.
    pub fn from_fingerprint(bytes: [u8; 4]) -> Self {
        let mut text = [0; 8];
        for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
            pair[0] = HEX[usize::from(byte >> 4)];
            pair[1] = HEX[usize::from(byte & 15)];
        }
        Self(text)
    }

    /// From eight lower-case hexadecimal digits; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let text: [u8; 8] = bytes.try_into().ok()?;
        text.iter().all(|byte| HEX.contains(byte)).then_some(Self(text))
    }

    /// The eight digits.
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// HMAC-SHA-256 under a labelled subkey of a named pepper.
///
/// What stores keep of a mailed code, and of a request's fingerprint: without the pepper it can't be guessed offline.
#[derive(Clone, Copy)]
pub struct Mac {
    key: KeyId,
    tag: [u8; 32],
}

impl Mac {
    /// Bytes of its stored form: the key's id, then the tag.
    pub const LEN: usize = 40;

    pub(crate) const fn new(key: KeyId, tag: [u8; 32]) -> Self {
        Self { key, tag }
    }

    /// Which pepper made it.
    pub const fn key(&self) -> KeyId {
        self.key
    }

    /// Whether both are the same, in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        self.key == other.key && constant_time::verify_slices_are_equal(&self.tag, &other.tag).is_ok()
    }

    pub(crate) const fn tag(&self) -> &[u8; 32] {
        &self.tag
    }

    /// For a store to keep.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..8].copy_from_slice(self.key.as_bytes());
        bytes[8..].copy_from_slice(&self.tag);
        bytes
    }

    /// From what a store kept; `None` when it is no such thing.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (key, tag) = bytes.split_at_checked(8)?;
        Some(Self { key: KeyId::from_bytes(key)?, tag: tag.try_into().ok()? })
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mac(…)")
    }
}

/// An encrypted and authenticated value, bound to its purpose, row and recipient. Safe to store and to print.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Box<[u8]>);

impl Sealed {
    /// The pepper that it was sealed under, as its first bytes say; `None` where it is too short to say.
    pub fn key(&self) -> Option<KeyId> {
        self.as_bytes().get(..8).and_then(KeyId::from_bytes)
    }

    /// From what a store kept. Whether it is intact shows on opening.
    pub fn from_bytes(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// For a store to keep.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}
