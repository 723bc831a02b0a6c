//! Access tokens: JWTs (RFC 7519, RFC 9068) that say for some minutes who a request comes from.

mod claims;
mod jws;
mod keys;
mod object;
#[cfg(test)]
mod tests;
mod verified;
#[cfg(test)]
mod wycheproof;

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::json;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::domain::{Digest, Session, SessionId, Timestamp, User, UserId};
use crate::port::Entropy;
use claims::Genuine;
use keys::Current;
pub use keys::{Ed25519Key, HmacSecret, InvalidKey, InvalidSecret, KeySet};

/// Issues and verifies access tokens for one issuer and one audience.
///
/// - Signs and accepts one algorithm only, EdDSA or HS256, whatever a token's header says (RFC 8725 §3.1); the header's
///   `kid` looks a key up among those given, and other ways of naming one (`jwk`, `jku`, `x5c`, `x5u`) do nothing.
/// - Accepts `typ: at+jwt` only, so that no other JWT passes for an access token (RFC 9068 §4).
/// - Refuses what is ambiguous: members that come twice, `crit`, encodings that aren't canonical, times that aren't
///   integers.
/// - Reads no clock: `now` is passed in.
/// - Verifies a token's signature once: up to 16 384 tokens that were found good are remembered, by their digest, in
///   3 MB at most. Times are compared whenever a token comes; a key that is no longer in use takes its tokens with it.
#[derive(Debug)]
pub struct AccessTokens {
    issuer: String,
    audience: String,
    keys: KeySet,
    /// When keys were last asked for anew, in microseconds since the Unix epoch.
    reloaded_at: AtomicI64,
}

/// What a token is to say.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'a> {
    /// Who, and what they may do.
    pub user: &'a User,
    /// In which session, and how they proved who they are.
    pub session: &'a Session,
    /// From when on.
    pub now: Timestamp,
    /// For how long, in whole seconds.
    pub ttl: Duration,
}

/// What a genuine token says. As of when it was issued: whoever has to know what holds now asks the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claims {
    /// Who (`sub`).
    pub user: UserId,
    /// In which session (`sid`).
    pub session: SessionId,
    /// When they proved who they are (`auth_time`).
    pub authenticated_at: Timestamp,
    /// Not valid from here on (`exp`).
    pub expires_at: Timestamp,
}

/// A token as it travels: header, claims and signature. Doesn't print, doesn't serialise, is erased when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct AccessToken(String);

impl AccessToken {
    /// The token as text, for the one reply that carries it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(…)")
    }
}

/// The token is refused. Clients get one answer for all reasons; logs and tests tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAccessToken {
    /// Not a compact JWS of JSON objects, or not strictly one.
    #[error("not a well-formed JWT")]
    Malformed,
    /// The header names an algorithm other than the one that is in use.
    #[error("signed with another algorithm")]
    Algorithm,
    /// The header names none of the keys. Another node may have made one since.
    #[error("signed with an unknown key")]
    UnknownKey,
    /// The signature is not that key's.
    #[error("the signature is wrong")]
    Signature,
    /// A JWT, but not an access token: `typ` is something else.
    #[error("not an access token")]
    Kind,
    /// A claim is missing, of the wrong JSON type or out of range.
    #[error("a claim is missing or malformed")]
    Claims,
    /// Of another issuer, or for another audience.
    #[error("of another issuer or for another audience")]
    Foreign,
    /// `iat` or `nbf` lies in the future.
    #[error("not valid yet")]
    NotYet,
    /// `exp` is over.
    #[error("expired")]
    Expired,
}

/// A token could not be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no key that signs, or it failed")]
pub struct SignError;

/// How often unknown keys are worth a look whether there are new ones.
const RELOAD_INTERVAL: Duration = Duration::from_secs(5);

impl AccessTokens {
    /// Tokens of `issuer` for `audience`, signed and verified with `keys`.
    pub fn new(issuer: String, audience: String, keys: KeySet) -> Self {
        Self { issuer, audience, keys, reloaded_at: AtomicI64::new(i64::MIN) }
    }

    /// A token for `grant`, with a `jti` of 128 random bits.
    ///
    /// # Errors
    /// [`SignError`] when signing failed.
    pub fn issue(&self, grant: &Grant<'_>, entropy: &dyn Entropy) -> Result<AccessToken, SignError> {
        let payload = claims::write(&self.issuer, &self.audience, grant, entropy)?;
        self.keys.current().sign(payload.as_bytes()).map(AccessToken)
    }

    /// What `token` says, if it is genuine, for us and valid at `now`.
    ///
    /// Expiry has no leeway; `iat` and `nbf` have 60 s, for nodes whose clock is ahead.
    ///
    /// # Errors
    /// [`InvalidAccessToken`] says what is wrong. After [`UnknownKey`](InvalidAccessToken::UnknownKey) it may be worth
    /// trying again with [`replace_keys`](Self::replace_keys), if [`may_reload`](Self::may_reload) says so.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, InvalidAccessToken> {
        let claims = self.read(token, now)?;
        if now < claims.expires_at { Ok(claims) } else { Err(InvalidAccessToken::Expired) }
    }

    /// As [`verify`](Self::verify), but an expired token is as good: for ending the session that it belongs to, and for
    /// nothing else.
    ///
    /// # Errors
    /// [`InvalidAccessToken`], but never [`Expired`](InvalidAccessToken::Expired).
    pub fn read(&self, token: &str, now: Timestamp) -> Result<Claims, InvalidAccessToken> {
        if token.len() > jws::MAX_TOKEN {
            return Err(InvalidAccessToken::Malformed);
        }
        // One set of keys from the look-up to the note: see `KeySet::replace`.
        let keys = self.keys.current();
        let digest = Digest::of(&[token.as_bytes()]);
        if let Some(genuine) = keys.verified().find(&digest, now) {
            return genuine.at(now);
        }
        let genuine = self.examine(token, &keys)?;
        let claims = genuine.at(now)?;
        keys.verified().note(digest, genuine, now);
        Ok(claims)
    }

    /// Looks at everything about `token` but the time.
    fn examine(&self, token: &str, keys: &Current) -> Result<Genuine, InvalidAccessToken> {
        let signed = jws::open(token, keys)?;
        if !signed.is_access_token {
            return Err(InvalidAccessToken::Kind);
        }
        claims::read(&signed.payload, &self.issuer, &self.audience)
    }

    /// The public keys, as a JWK Set (RFC 7517 §5, RFC 8037 §2): empty with HS256, whose key is secret.
    pub fn jwks(&self) -> serde_json::Value {
        json!({ "keys": self.keys.current().jwks() })
    }

    /// Whether it is time to read the keys anew: for one caller every 5 s, however many unknown keys are presented, since
    /// anybody can make up a key id. Never with HS256, which has one key for good.
    pub fn may_reload(&self, now: Timestamp) -> bool {
        let last = self.reloaded_at.load(Ordering::Relaxed);
        self.keys.current().is_replaceable()
            && (last == i64::MIN || now.since(Timestamp::from_micros(last)) >= RELOAD_INTERVAL)
            // Of those who race, one gets to do it.
            && self.reloaded_at.compare_exchange(last, now.as_micros(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Verifies with `keys` from now on, all at once, and signs with the first. With HS256 it does nothing: one algorithm
    /// stays in use for as long as the process lives.
    pub fn replace_keys(&self, keys: Vec<Ed25519Key>) {
        self.keys.replace(keys);
    }
}
