//! Keys that sign access tokens, as stores hold them.

use super::{KeyId, Mac, Sealed, Timestamp};

/// An Ed25519 key pair, its private half sealed to its number and id.
#[derive(Debug, Clone)]
pub struct SigningKey {
    /// Counts up from 1; the highest signs. Unique, so that of two nodes that make a key at once, one wins.
    pub number: u32,
    /// The `kid` in token headers and in the JWKS.
    pub kid: String,
    /// The public key, 32 bytes (RFC 8032).
    pub public: [u8; 32],
    /// The private key, as PKCS#8.
    pub private: Sealed,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Proof that a pepper was used with this store: a MAC of a constant under it.
#[derive(Debug, Clone)]
pub struct PepperCheck {
    /// Which pepper.
    pub key: KeyId,
    /// The MAC of the constant.
    pub mac: Mac,
}
