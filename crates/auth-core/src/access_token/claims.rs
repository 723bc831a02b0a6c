//! The claims: written as RFC 9068 §2.2 has them, read strictly.

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::MapAccess;
use serde::{Deserialize, Serialize};

use super::InvalidAccessToken::{self, Claims as Malformed, Foreign, NotYet};
use super::object::{self, Members, Text};
use super::{Claims, Grant, SignError};
use crate::domain::{Role, Timestamp};
use crate::port::Entropy;

/// How far ahead of ours an issuer's clock may be.
const LEEWAY: Duration = Duration::from_secs(60);

#[derive(Serialize)]
struct Outgoing<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: String,
    sid: String,
    iat: i64,
    exp: i64,
    jti: String,
    roles: Vec<&'a str>,
    amr: Vec<&'static str>,
    auth_time: i64,
}

/// The claims of `grant`, as JSON.
pub(super) fn write(
    issuer: &str,
    audience: &str,
    grant: &Grant<'_>,
    entropy: &dyn Entropy,
) -> Result<String, SignError> {
    let mut jti = [0; 16];
    entropy.fill(&mut jti);
    let claims = Outgoing {
        iss: issuer,
        aud: audience,
        sub: grant.user.id.to_string(),
        sid: grant.session.id.to_string(),
        iat: grant.now.as_seconds(),
        exp: (grant.now + grant.ttl).as_seconds(),
        jti: URL_SAFE_NO_PAD.encode(jti),
        roles: grant.user.roles.iter().map(Role::as_str).collect(),
        amr: grant.session.methods.amr(),
        auth_time: grant.session.authenticated_at.as_seconds(),
    };
    serde_json::to_string(&claims).map_err(|_| SignError)
}

/// What is looked at of a token's claims. `amr` and `jti` are for others.
#[derive(Default)]
struct Incoming<'a> {
    iss: Option<Text<'a>>,
    aud: Option<Audience<'a>>,
    sub: Option<Text<'a>>,
    sid: Option<Text<'a>>,
    iat: Option<Seconds>,
    nbf: Option<Seconds>,
    exp: Option<Seconds>,
    auth_time: Option<Seconds>,
    roles: Option<Vec<Text<'a>>>,
}

impl<'a> Members<'a> for Incoming<'a> {
    fn take<A: MapAccess<'a>>(&mut self, name: &str, object: &mut A) -> Result<bool, A::Error> {
        match name {
            "iss" => object::once(&mut self.iss, object)?,
            "aud" => object::once(&mut self.aud, object)?,
            "sub" => object::once(&mut self.sub, object)?,
            "sid" => object::once(&mut self.sid, object)?,
            "iat" => object::once(&mut self.iat, object)?,
            "nbf" => object::once(&mut self.nbf, object)?,
            "exp" => object::once(&mut self.exp, object)?,
            "auth_time" => object::once(&mut self.auth_time, object)?,
            "roles" => object::once(&mut self.roles, object)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// One audience or a list of them (RFC 7519 §4.1.3).
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience<'a> {
    One(#[serde(borrow)] Cow<'a, str>),
    Many(#[serde(borrow)] Vec<Text<'a>>),
}

impl Audience<'_> {
    fn includes(&self, audience: &str) -> bool {
        match self {
            Self::One(one) => one == audience,
            Self::Many(many) => many.iter().any(|one| one.0 == audience),
        }
    }
}

/// Whole seconds since the Unix epoch, up to the year 9999: a JSON integer, though RFC 7519 §2 allows fractions. Ours
/// has none, and what rounds differently here and there expires differently.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "i64")]
struct Seconds(i64);

impl TryFrom<i64> for Seconds {
    type Error = &'static str;

    fn try_from(seconds: i64) -> Result<Self, Self::Error> {
        if (0..=253_402_300_799).contains(&seconds) { Ok(Self(seconds)) } else { Err("out of range") }
    }
}

impl From<Seconds> for Timestamp {
    fn from(seconds: Seconds) -> Self {
        Self::from_seconds(seconds.0)
    }
}

/// What a token says whose signature is good and that is for us: all that is true of it at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Genuine {
    pub(super) claims: Claims,
    /// The later of `iat` and `nbf`.
    pub(super) not_before: Timestamp,
}

impl Genuine {
    /// The claims, unless they begin after `now`. Whether they are over is for the caller to ask.
    pub(super) fn at(&self, now: Timestamp) -> Result<Claims, InvalidAccessToken> {
        if self.not_before > now + LEEWAY { Err(NotYet) } else { Ok(self.claims) }
    }
}

/// Reads the claims of a token whose signature is good.
pub(super) fn read(payload: &[u8], issuer: &str, audience: &str) -> Result<Genuine, InvalidAccessToken> {
    let incoming: Incoming<'_> = object::read(payload).map_err(|_| Malformed)?;
    let Incoming { iss, aud, sub, sid, iat, nbf, exp, auth_time, roles } = incoming;
    let (Some(iss), Some(aud), Some(iat)) = (iss, aud, iat) else { return Err(Malformed) };
    let claims = Claims {
        user: sub.and_then(|id| id.0.parse().ok()).ok_or(Malformed)?,
        session: sid.and_then(|id| id.0.parse().ok()).ok_or(Malformed)?,
        authenticated_at: auth_time.ok_or(Malformed)?.into(),
        expires_at: exp.ok_or(Malformed)?.into(),
    };
    // For others to read: what a user may do is asked of the store. Still, a token of ours has them.
    if !roles.is_some_and(|names| names.iter().all(|name| Role::parse(&name.0).is_some())) {
        return Err(Malformed);
    }
    if iss.0 != issuer || !aud.includes(audience) {
        return Err(Foreign);
    }
    let not_before = Timestamp::from(nbf.map_or(iat, |nbf| iat.max(nbf)));
    Ok(Genuine { claims, not_before })
}
