//! The envelope: JWS in compact serialisation (RFC 7515 §3.1), read strictly.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{IgnoredAny, MapAccess};

use super::InvalidAccessToken::{self, Algorithm, Malformed};
use super::keys::Current;
use super::object::{self, Members, Text};

/// What a signature was found good for.
pub(super) struct Signed {
    /// Whether the header says so (RFC 9068 §2.1).
    pub(super) is_access_token: bool,
    pub(super) payload: Vec<u8>,
}

/// Bytes of a token: ours have some 600, and an attacker's are hashed before they are refused.
pub(super) const MAX_TOKEN: usize = 8 * 1024;
/// Bytes of a `kid`: ours have 43.
const MAX_KID: usize = 128;
/// The media type of access tokens, without `application/` (RFC 9068 §2.1).
pub(super) const TYP: &str = "at+jwt";

/// Checks the signature of `token`; its payload is not looked at.
pub(super) fn open(token: &str, keys: &Current) -> Result<Signed, InvalidAccessToken> {
    let (message, signature) = token.rsplit_once('.').ok_or(Malformed)?;
    let (header, payload) = message.split_once('.').ok_or(Malformed)?;
    // More dots, padding, white space, other alphabets and loose trailing bits: no base64url by this decoder. Ed25519
    // and HMAC-SHA-256 signatures have 64 and 32 bytes.
    let mut bytes = [0; 64];
    let length = URL_SAFE_NO_PAD.decode_slice(signature, &mut bytes).map_err(|_| Malformed)?;
    let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| Malformed)?;

    let is_access_token = keys.verify(header, message.as_bytes(), &bytes[..length])?;
    Ok(Signed { is_access_token, payload })
}

/// A header that isn't, byte for byte, one of our own.
#[derive(Default)]
pub(super) struct Header<'a> {
    alg: Option<Text<'a>>,
    typ: Option<Text<'a>>,
    kid: Option<Text<'a>>,
    crit: Option<IgnoredAny>,
}

impl<'a> Members<'a> for Header<'a> {
    fn take<A: MapAccess<'a>>(&mut self, name: &str, object: &mut A) -> Result<bool, A::Error> {
        match name {
            "alg" => object::once(&mut self.alg, object)?,
            "typ" => object::once(&mut self.typ, object)?,
            "kid" => object::once(&mut self.kid, object)?,
            "crit" => object::once(&mut self.crit, object)?,
            // A key that the token brings along, or says where to fetch, is its author's (RFC 8725 §3.10).
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl Header<'_> {
    /// Decodes `header` for `work`, if it says `algorithm` and makes no demands.
    pub(super) fn read<T>(
        header: &str,
        algorithm: &str,
        work: impl FnOnce(&Header<'_>) -> Result<T, InvalidAccessToken>,
    ) -> Result<T, InvalidAccessToken> {
        let json = URL_SAFE_NO_PAD.decode(header).map_err(|_| Malformed)?;
        let header: Header<'_> = object::read(&json).map_err(|_| Malformed)?;
        // `crit` lists extensions that one must understand or refuse (RFC 7515 §4.1.11): we understand none.
        if header.crit.is_some() || header.kid().is_some_and(|kid| kid.len() > MAX_KID) {
            return Err(Malformed);
        }
        match header.alg.as_ref().ok_or(Malformed)? {
            alg if alg.0 == algorithm => work(&header),
            _ => Err(Algorithm),
        }
    }

    pub(super) fn kid(&self) -> Option<&str> {
        self.kid.as_ref().map(|kid| &*kid.0)
    }

    pub(super) fn is_access_token(&self) -> bool {
        self.typ.as_ref().is_some_and(|typ| typ.0 == TYP)
    }
}
