//! CSRF tokens: they show that a request comes from a page that could read a reply of ours.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::auth::Auth;
use crate::domain::{Mac, Session};
use crate::keys::MacUse;

impl Auth {
    /// The token of a session: a MAC over its id (OWASP CSRF Prevention, signed double submit). Another session's, an
    /// attacker's own included, is none.
    ///
    /// Lives as long as the session; no secret to its own browser, and useless without the session's cookie.
    pub fn csrf_token(&self, session: &Session) -> String {
        URL_SAFE_NO_PAD.encode(self.ring.mac(MacUse::Csrf, &[session.id.as_bytes()]).to_bytes())
    }

    /// Whether `token` is that session's. Constant time.
    pub fn is_csrf_token(&self, session: &Session, token: &str) -> bool {
        let mut bytes = [0; Mac::LEN];
        // Decoded into a buffer of the right size: the text comes from the client.
        let is_whole = URL_SAFE_NO_PAD.decode_slice(token, &mut bytes).is_ok_and(|length| length == Mac::LEN);
        let mac = Mac::from_bytes(&bytes).filter(|_| is_whole);
        mac.is_some_and(|mac| self.ring.verify(MacUse::Csrf, &[session.id.as_bytes()], &mac))
    }
}
