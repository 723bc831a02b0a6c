//! The keys of access tokens.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey, Signature};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::json;
use zeroize::{Zeroize, Zeroizing};

use super::jws::{Header, TYP};
use super::verified::Verified;
use super::{InvalidAccessToken, SignError};
use crate::domain::Digest;
use crate::port::Entropy;

/// What signs and verifies: keys of one algorithm.
///
/// Replaced as a whole, so that nobody sees half of a rotation.
#[derive(Debug)]
pub struct KeySet(RwLock<Arc<Current>>);

/// The keys of one moment, and the tokens that were found to be theirs.
#[derive(Debug)]
pub(super) struct Current {
    keys: Keys,
    verified: Arc<Verified>,
}

#[derive(Debug)]
enum Keys {
    Hmac(HmacSecret),
    /// The first signs.
    Ed25519(Vec<Ed25519Key>),
}

impl KeySet {
    /// HS256 with `secret`.
    pub fn hmac(secret: HmacSecret) -> Self {
        Self::new(Keys::Hmac(secret))
    }

    /// EdDSA: the first of `keys` signs, all of them verify. Without any, every token is refused and none issued.
    pub fn ed25519(keys: Vec<Ed25519Key>) -> Self {
        Self::new(Keys::Ed25519(keys))
    }

    fn new(keys: Keys) -> Self {
        Self(RwLock::new(Arc::new(Current { keys, verified: Arc::default() })))
    }

    /// The keys of this moment. The lock is held for the copy of a pointer.
    pub(super) fn current(&self) -> Arc<Current> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Verifies with `new` from now on, if it is EdDSA that is in use.
    ///
    /// What was verified stays so while all keys stay: anybody can make us look for new ones, with a key id of his own
    /// invention. It goes with the first key that goes, also for a request that is verifying with the old keys right now
    /// and will note down its token only afterwards: it notes it down with those.
    pub(super) fn replace(&self, new: Vec<Ed25519Key>) {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Keys::Ed25519(old) = &current.keys {
            // A key's name is the digest of its public half.
            let all_stay = old.iter().all(|old| new.iter().any(|new| new.kid == old.kid));
            let verified = if all_stay { Arc::clone(&current.verified) } else { Arc::default() };
            *current = Arc::new(Current { keys: Keys::Ed25519(new), verified });
        }
    }
}

impl Current {
    /// Tokens that are known to be of these keys.
    pub(super) fn verified(&self) -> &Verified {
        &self.verified
    }

    /// `payload` in its envelope.
    pub(super) fn sign(&self, payload: &[u8]) -> Result<String, SignError> {
        match &self.keys {
            Keys::Hmac(secret) => envelope(&secret.header, payload, |message| secret.sign(message)),
            Keys::Ed25519(keys) => {
                let key = keys.first().ok_or(SignError)?;
                envelope(&key.header, payload, |message| key.sign(message))
            }
        }
    }

    /// Whether `signature` is of `message` under the key that `header` names, and whether that header says that the
    /// message is an access token. A header that is, byte for byte, what we write needs no reading.
    pub(super) fn verify(&self, header: &str, message: &[u8], signature: &[u8]) -> Result<bool, InvalidAccessToken> {
        match &self.keys {
            Keys::Hmac(secret) => {
                let is_access_token =
                    header == secret.header || Header::read(header, "HS256", |header| Ok(header.is_access_token()))?;
                hmac::verify(&secret.key, message, signature).map_err(|_| InvalidAccessToken::Signature)?;
                Ok(is_access_token)
            }
            Keys::Ed25519(keys) => {
                let (key, is_access_token) = match keys.iter().find(|key| key.header == header) {
                    Some(key) => (key, true),
                    None => Header::read(header, "EdDSA", |header| {
                        let key = keys.iter().find(|key| Some(&*key.kid) == header.kid());
                        Ok((key.ok_or(InvalidAccessToken::UnknownKey)?, header.is_access_token()))
                    })?,
                };
                key.verifier.verify_sig(message, signature).map_err(|_| InvalidAccessToken::Signature)?;
                Ok(is_access_token)
            }
        }
    }

    /// A signature of anything, for tests that forge.
    #[cfg(test)]
    pub(super) fn raw_signature(&self, message: &[u8]) -> Vec<u8> {
        match &self.keys {
            Keys::Hmac(secret) => secret.sign(message).unwrap().as_ref().to_vec(),
            Keys::Ed25519(keys) => keys[0].sign(message).unwrap().as_ref().to_vec(),
        }
    }

    pub(super) fn jwks(&self) -> Vec<serde_json::Value> {
        match &self.keys {
            Keys::Hmac(_) => Vec::new(),
            Keys::Ed25519(keys) => keys.iter().map(Ed25519Key::jwk).collect(),
        }
    }

    pub(super) const fn is_replaceable(&self) -> bool {
        matches!(self.keys, Keys::Ed25519(_))
    }
}

/// Header, payload and what `sign` makes of them, encoded and joined.
fn envelope<S: AsRef<[u8]>>(
    header: &str,
    payload: &[u8],
    sign: impl FnOnce(&[u8]) -> Result<S, SignError>,
) -> Result<String, SignError> {
    // Room for everything at once: growing would leave unerased copies of a credential behind.
    let mut token = String::with_capacity(header.len() + payload.len().div_ceil(3) * 4 + 88);
    token.push_str(header);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut token);
    let signature = sign(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token)
}

/// A secret shared by whoever issues and verifies tokens (HS256). Doesn't print.
#[derive(Clone)]
pub struct HmacSecret {
    key: Arc<hmac::Key>,
    header: String,
}

/// The secret can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecret {
    /// Fewer than 32 bytes.
    #[error("a secret for HS256 needs at least 32 bytes")]
    TooShort,
    /// One byte or a short pattern over and over.
    #[error("the secret is not random")]
    NotRandom,
}

impl HmacSecret {
    /// Takes at least 32 bytes (RFC 7518 §3.2) of at least 8 different values.
    ///
    /// # Errors
    /// [`InvalidSecret`] when they are too few or evidently not random.
    pub fn new(secret: &[u8]) -> Result<Self, InvalidSecret> {
        if secret.len() < 32 {
            return Err(InvalidSecret::TooShort);
        }
        let mut seen = [false; 256];
        secret.iter().for_each(|&byte| seen[usize::from(byte)] = true);
        if seen.iter().filter(|&&seen| seen).count() < 8 {
            return Err(InvalidSecret::NotRandom);
        }
        Ok(Self::unchecked(secret))
    }

    pub(super) fn unchecked(secret: &[u8]) -> Self {
        let header = format!(r#"{{"alg":"HS256","typ":"{TYP}"}}"#);
        Self { key: Arc::new(hmac::Key::new(hmac::HMAC_SHA256, secret)), header: URL_SAFE_NO_PAD.encode(header) }
    }

    fn sign(&self, message: &[u8]) -> Result<hmac::Tag, SignError> {
        Ok(hmac::sign(&self.key, message))
    }
}

impl fmt::Debug for HmacSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacSecret(…)")
    }
}

/// An Ed25519 key pair (RFC 8032), named by its thumbprint. Its private half doesn't print and is erased when dropped.
pub struct Ed25519Key {
    kid: String,
    public: [u8; 32],
    pkcs8: Zeroizing<Vec<u8>>,
    pair: Ed25519KeyPair,
    verifier: ParsedPublicKey,
    /// The header of the tokens it signs, encoded.
    header: String,
}

/// The bytes are no Ed25519 private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an Ed25519 private key in PKCS#8")]
pub struct InvalidKey;

impl From<InvalidKey> for SignError {
    fn from(_: InvalidKey) -> Self {
        Self
    }
}

impl Ed25519Key {
    /// A fresh key.
    ///
    /// # Errors
    /// [`SignError`] when it could not be made.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, SignError> {
        let mut seed = Zeroizing::new([0; 32]);
        entropy.fill(&mut *seed);
        let pair = Ed25519KeyPair::from_seed_unchecked(&*seed).map_err(|_| SignError)?;
        let pkcs8 = pair.to_pkcs8().map_err(|_| SignError)?;
        Ok(Self::from_pkcs8(pkcs8.as_ref())?)
    }

    /// Reads a private key in PKCS#8 (RFC 8410 §7).
    ///
    /// # Errors
    /// [`InvalidKey`] when it is anything else.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, InvalidKey> {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| InvalidKey)?;
        let public: [u8; 32] = pair.public_key().as_ref().try_into().map_err(|_| InvalidKey)?;
        let verifier = ParsedPublicKey::new(&ED25519, public).map_err(|_| InvalidKey)?;
        let kid = thumbprint(&public);
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"EdDSA","typ":"{TYP}","kid":"{kid}"}}"#));
        Ok(Self { kid, public, pkcs8: Zeroizing::new(pkcs8.to_vec()), pair, verifier, header })
    }

    /// Reads the first `PRIVATE KEY` of a PEM file (RFC 7468 §10), as `openssl genpkey -algorithm ed25519` writes it.
    ///
    /// # Errors
    /// [`InvalidKey`] when there is none, or it is of another algorithm.
    pub fn from_pem(pem: &[u8]) -> Result<Self, InvalidKey> {
        let mut der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| InvalidKey)?;
        let key = Self::from_pkcs8(der.secret_pkcs8_der());
        der.zeroize();
        key
    }

    /// The key's name: its SHA-256 thumbprint (RFC 7638).
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half.
    pub const fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// The private half, to be sealed.
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        self.pair.try_sign(message).map_err(|_| SignError)
    }

    /// The public half as a JWK (RFC 8037 §2).
    pub(super) fn jwk(&self) -> serde_json::Value {
        let x = URL_SAFE_NO_PAD.encode(self.public);
        json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.kid, "x": x })
    }
}

impl fmt::Debug for Ed25519Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ed25519Key").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// The JWK thumbprint of a public key (RFC 7638 §3, RFC 8037 §2).
fn thumbprint(public: &[u8; 32]) -> String {
    let jwk = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, URL_SAFE_NO_PAD.encode(public));
    URL_SAFE_NO_PAD.encode(Digest::of(&[jwk.as_bytes()]).as_bytes())
}
