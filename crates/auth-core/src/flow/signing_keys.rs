//! The keys that sign access tokens: kept sealed in the store, so that all nodes share them.

use std::time::Duration;

use crate::access_token::Ed25519Key;
use crate::auth::{Auth, Fault};
use crate::domain::{AuditKind, Context, SigningKey, Timestamp};
use crate::keys::{KeyRing, SealError};
use crate::port::{Change, CommitError, Entropy, Rejected, StoreError};

/// Makes a new key, which signs from now on; returns its `kid`. Earlier ones verify until the last token they signed has
/// expired. Every node takes it up within a minute, or with the first token that it signed.
///
/// # Errors
/// [`Fault`]; there is no new key then.
pub async fn rotate(auth: &Auth, context: &Context) -> Result<String, Fault> {
    let now = auth.now();
    for _ in 0..3 {
        let keys = auth.store.signing_keys().await?;
        let key = generate(&auth.ring, &*auth.entropy, keys.first().map_or(1, |newest| newest.number + 1), now)?;
        let kid = key.kid.clone();
        let event = auth.event(AuditKind::KeyCreated, context, now).with("kid", &kid);
        match auth.commit(&[Change::AddSigningKey(key), Change::Record(event)]).await {
            Ok(()) => {
                reload(auth).await?;
                return Ok(kid);
            }
            // Somebody else rotates at this moment.
            Err(CommitError::Rejected(Rejected::Key)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Fault::Contended)
}

/// Seals every key under the current pepper, so that earlier ones can go; returns how many were sealed anew. (Password hashes
/// move to it as their owners sign in.)
///
/// # Errors
/// [`Fault`]; what was sealed anew until then stays so.
pub async fn reseal(auth: &Auth, context: &Context) -> Result<usize, Fault> {
    let now = auth.now();
    let mut changes = Vec::new();
    for key in auth.store.signing_keys().await? {
        if key.private.key() != Some(auth.ring.current()) {
            let opened = open_one(&auth.ring, &key)?;
            let to = seal(&auth.ring, &*auth.entropy, key.number, &opened)?;
            changes.push(Change::ResealSigningKey { number: key.number, from: key.private, to });
        }
    }
    let resealed = changes.len();
    if resealed > 0 {
        let event = auth.event(AuditKind::KeysResealed, context, now).with("keys", &resealed.to_string());
        changes.push(Change::Record(event));
        auth.commit(&changes).await?;
    }
    Ok(resealed)
}

/// Takes up the keys that other nodes have made, once a minute, for as long as the future is polled.
pub async fn follow(auth: &Auth) {
    loop {
        tokio::time::sleep(Duration::from_secs(60)).await;
        if let Err(error) = reload(auth).await {
            tracing::warn!(%error, "the signing keys can't be read; going on with those known");
        }
    }
}

/// Reads the keys anew.
pub(crate) async fn reload(auth: &Auth) -> Result<(), Fault> {
    auth.tokens.replace_keys(open(&auth.ring, &auth.store.signing_keys().await?)?);
    Ok(())
}

/// Deletes the keys whose last token has expired: all before one that has been signing for that long.
pub(super) async fn retire(auth: &Auth, now: Timestamp) -> Result<(), StoreError> {
    let age = auth.settings.lifetimes.access + MARGIN;
    let keys = auth.store.signing_keys().await?;
    let oldest = keys.iter().map(|key| key.number).min();
    match keys.iter().find(|key| key.created_at + age <= now) {
        Some(key) if Some(key.number) != oldest => {
            match auth.commit(&[Change::DropSigningKeys { number: key.number }]).await {
                Ok(()) | Err(CommitError::Rejected(_)) => Ok(()),
                Err(CommitError::Store(error)) => Err(error),
            }
        }
        _ => Ok(()),
    }
}

/// For nodes that take up a new key late, or whose clock is behind.
const MARGIN: Duration = Duration::from_secs(3600);

/// A fresh key, sealed to its number.
pub(crate) fn generate(
    ring: &KeyRing,
    entropy: &dyn Entropy,
    number: u32,
    now: Timestamp,
) -> Result<SigningKey, Fault> {
    let key = Ed25519Key::generate(entropy)?;
    let private = seal(ring, entropy, number, &key)?;
    Ok(SigningKey { number, kid: key.kid().to_owned(), public: *key.public(), private, created_at: now })
}

/// The keys in the clear, the one that signs first.
pub(crate) fn open(ring: &KeyRing, sealed: &[SigningKey]) -> Result<Vec<Ed25519Key>, Fault> {
    sealed.iter().map(|key| open_one(ring, key)).collect::<Result<_, _>>().map_err(Fault::from)
}

fn open_one(ring: &KeyRing, key: &SigningKey) -> Result<Ed25519Key, SealError> {
    let pkcs8 = ring.open(&bound_to(&key.number.to_be_bytes(), &key.kid), &key.private)?;
    let opened = Ed25519Key::from_pkcs8(&pkcs8).map_err(|_| SealError)?;
    // The row's own columns are not sealed: a swapped public key would let its owner sign for everybody.
    if *opened.public() == key.public && opened.kid() == key.kid { Ok(opened) } else { Err(SealError) }
}

fn seal(
    ring: &KeyRing,
    entropy: &dyn Entropy,
    number: u32,
    key: &Ed25519Key,
) -> Result<crate::domain::Sealed, SealError> {
    ring.seal(&bound_to(&number.to_be_bytes(), key.kid()), key.pkcs8(), entropy)
}

fn bound_to<'a>(number: &'a [u8; 4], kid: &'a str) -> [&'a [u8]; 4] {
    [b"signing-key", b"ed25519", number, kid.as_bytes()]
}
