//! Refresh tokens: derived, so that a store holds nothing that could be used as one.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::domain::{Mac, RefreshState, SessionId};
use crate::keys::{KeyRing, MacUse};

/// A refresh token: session id, counter, and a MAC over both under the pepper and the session's salt.
///
/// - 256 bits of unforgeable state (ASVS 7.2.3 asks for 128).
/// - The counter says which of the session's tokens it is; what that means is [`rules::refresh`](crate::rules::refresh)'s.
/// - Opaque to clients: 80 characters of base64url, one spelling each.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct RefreshToken(String);

impl RefreshToken {
    /// The session's token of `state`'s counter.
    pub fn derive(ring: &KeyRing, session: SessionId, state: &RefreshState) -> Self {
        let mac = tag(session, state.counter, &state.salt, |parts| ring.mac(MacUse::Refresh, parts));
        let mut bytes = [0; LEN];
        bytes[..16].copy_from_slice(session.as_bytes());
        bytes[16..20].copy_from_slice(&state.counter.to_be_bytes());
        bytes[20..].copy_from_slice(&mac.to_bytes());
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The token as text, for the one reply that carries it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(…)")
    }
}

/// A token somebody presented. Nothing in it may be believed before [`is_genuine`](Self::is_genuine) said so.
#[derive(Debug)]
pub(crate) struct PresentedRefresh {
    pub(crate) session: SessionId,
    pub(crate) counter: u32,
    mac: Mac,
}

impl PresentedRefresh {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; LEN];
        if text.len() != LEN.div_ceil(3) * 4 || URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()? != LEN {
            return None;
        }
        Some(Self {
            session: Uuid::from_slice(&bytes[..16]).ok()?.into(),
            counter: u32::from_be_bytes(bytes[16..20].try_into().ok()?),
            mac: Mac::from_bytes(&bytes[20..])?,
        })
    }

    /// Whether the session with that salt did hand this token out, at whatever time.
    pub(crate) fn is_genuine(&self, ring: &KeyRing, salt: &[u8; 16]) -> bool {
        tag(self.session, self.counter, salt, |parts| ring.verify(MacUse::Refresh, parts, &self.mac))
    }
}

// 60 bytes: a multiple of three, so that base64url has neither padding nor spare bits.
const LEN: usize = 16 + 4 + Mac::LEN;

fn tag<T>(session: SessionId, counter: u32, salt: &[u8; 16], mac: impl FnOnce(&[&[u8]]) -> T) -> T {
    mac(&[session.as_bytes(), &counter.to_be_bytes(), salt])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::SystemEntropy;
    use crate::domain::Timestamp;
    use crate::keys::Pepper;

    fn ring(seed: u8) -> KeyRing {
        KeyRing::new(&Pepper::new((0..32).map(|i| i ^ seed).collect::<Vec<u8>>()).unwrap(), &[])
    }

    // RR1: a token is bound to session, counter, salt and pepper; any changed character makes it another.
    #[test]
    fn rr1_tokens_are_unforgeable() {
        let (now, ring, other) = (Timestamp::from_seconds(1), ring(0), ring(1));
        let (state, id) = (RefreshState::new(now, &SystemEntropy), SessionId::new(now, &SystemEntropy));
        let token = RefreshToken::derive(&ring, id, &state);

        let presented = PresentedRefresh::parse(token.expose()).unwrap();
        assert_eq!((presented.session, presented.counter), (id, 0));
        assert!(presented.is_genuine(&ring, &state.salt));
        assert!(!presented.is_genuine(&ring, &[0; 16]));
        assert!(!presented.is_genuine(&other, &state.salt));
        for i in 0..token.expose().len() {
            let mut text = token.expose().as_bytes().to_vec();
            text[i] = if text[i] == b'A' { b'B' } else { b'A' };
            let text = String::from_utf8(text).unwrap();
            assert!(PresentedRefresh::parse(&text).is_none_or(|p| !p.is_genuine(&ring, &state.salt)), "{i}");
        }
    }

    #[test]
    fn malformed_tokens_are_refused() {
        for text in ["", "x", &"A".repeat(79), &"A".repeat(81), &"=".repeat(80), &"é".repeat(40), &"A".repeat(80)] {
            assert!(PresentedRefresh::parse(text).is_none(), "{text}");
        }
    }
}
