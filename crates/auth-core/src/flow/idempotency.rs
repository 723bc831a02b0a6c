//! Requests that may be sent twice and must happen once.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::auth::{Auth, Fault};
use crate::domain::{Digest, LeaseId};
use crate::keys::MacUse;
use crate::port::{Claim, Claimed};

/// What to do with a request that names itself.
#[derive(Debug)]
pub enum Begin {
    /// It is the first: run it, then [`finish`] or [`release`] the ticket.
    Run(Ticket),
    /// It has happened: answer with what [`finish`] was given.
    Replay(Zeroizing<Vec<u8>>),
    /// The first is still under way.
    InProgress,
    /// The key was used for another request.
    Mismatch,
}

/// A claimed key.
#[derive(Debug)]
pub struct Ticket {
    key: Digest,
    claim: LeaseId,
}

/// Claims `header` for a request to `operation` by `client`.
///
/// - Of racing requests one may run; a key is a client's own, and kept for 24 hours.
/// - The body is kept as a MAC: its plain hash would be an oracle for the password in it.
/// - A request that neither finished nor released within a minute has crashed, and frees its key.
///
/// # Errors
/// [`Fault`] when the store could not answer, or a kept reply can't be opened.
pub async fn begin(auth: &Auth, operation: &str, client: &[u8], header: &str, body: &[u8]) -> Result<Begin, Fault> {
    let now = auth.now();
    // Under a key as well, so that the store's rows don't tell which address used which key.
    let name =
        auth.ring.mac(MacUse::Fingerprint, &[b"idempotency-key", operation.as_bytes(), client, header.as_bytes()]);
    let key = Digest::of(&[name.tag()]);
    let parts: [&[u8]; 2] = [b"idempotency-body", body];
    let request = Claimed {
        key,
        fingerprint: auth.ring.mac(MacUse::Fingerprint, &parts),
        claim: LeaseId::new(now, &*auth.entropy),
        claimed_until: now + CLAIM,
        expires_at: now + KEPT,
    };
    let is_same = |fingerprint| auth.ring.verify(MacUse::Fingerprint, &parts, fingerprint);
    Ok(match auth.replies.claim(&request, now).await? {
        Claim::Fresh => Begin::Run(Ticket { key, claim: request.claim }),
        Claim::InProgress { fingerprint } | Claim::Finished { fingerprint, .. } if !is_same(&fingerprint) => {
            Begin::Mismatch
        }
        Claim::InProgress { .. } => Begin::InProgress,
        Claim::Finished { reply, .. } => Begin::Replay(auth.ring.open(&bound_to(&key), &reply)?),
    })
}

/// Keeps the reply, sealed, for the next request of the same key.
///
/// # Errors
/// [`Fault`] when it could not be kept; the key then frees itself.
pub async fn finish(auth: &Auth, ticket: Ticket, reply: &[u8]) -> Result<(), Fault> {
    let sealed = auth.ring.seal(&bound_to(&ticket.key), reply, &*auth.entropy)?;
    Ok(auth.replies.finish(&ticket.key, ticket.claim, &sealed).await?)
}

/// Frees the key: the request had no effect worth keeping.
///
/// # Errors
/// [`Fault`] when it could not be freed; it then frees itself.
pub async fn release(auth: &Auth, ticket: Ticket) -> Result<(), Fault> {
    Ok(auth.replies.release(&ticket.key, ticket.claim).await?)
}

const CLAIM: Duration = Duration::from_secs(60);
const KEPT: Duration = Duration::from_secs(24 * 3600);

fn bound_to(key: &Digest) -> [&[u8]; 2] {
    [b"idempotency-reply", key.as_bytes()]
}
