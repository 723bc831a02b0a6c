//! Who is asking: the check on every authenticated request.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::access_token::{Claims, InvalidAccessToken};
use crate::auth::{Auth, Fault, fault_into};
use crate::domain::{Session, SessionId, Signed, Timestamp};
use crate::port::Change;
use crate::settings::AccessCheck;
use crate::start::open_keys;

/// The session and user behind an access token: one query.
///
/// The token is checked against its session, so logout, reset, suspension and role changes count at once; with
/// [`AccessCheck::Stateless`] they count when the token expires. Using a session renews its idle time, in steps of a
/// minute at most, so that not every request costs a write.
///
/// # Errors
/// [`AuthenticateError`].
pub async fn authenticate(auth: &Auth, access_token: &str) -> Result<Signed, AuthenticateError> {
    let now = auth.now();
    let claims = match read(auth, access_token, now).await? {
        Ok(claims) if now < claims.expires_at => claims,
        _ => return Err(AuthenticateError::Unauthorized),
    };
    let Some(mut signed) = auth.store.find_session(claims.session).await? else {
        return Err(AuthenticateError::Unauthorized);
    };
    let is_live = signed.session.is_live(&signed.user, now);
    if signed.user.id != claims.user || !(is_live || auth.settings.access_check == AccessCheck::Stateless) {
        return Err(AuthenticateError::Unauthorized);
    }
    if is_live {
        touch(auth, &mut signed.session, now);
    }
    Ok(signed)
}

/// As [`authenticate`], for what changes something: the session must live, however access tokens are checked. What was
/// signed out, reset or suspended changes nothing any more.
///
/// # Errors
/// [`AuthenticateError`].
pub async fn authenticate_for_change(auth: &Auth, access_token: &str) -> Result<Signed, AuthenticateError> {
    let signed = authenticate(auth, access_token).await?;
    if signed.session.is_live(&signed.user, auth.now()) { Ok(signed) } else { Err(AuthenticateError::Unauthorized) }
}

/// What an access token says, expired or not.
pub(super) async fn read(
    auth: &Auth,
    access_token: &str,
    now: Timestamp,
) -> Result<Result<Claims, InvalidAccessToken>, Fault> {
    Ok(match auth.tokens.read(access_token, now) {
        Err(InvalidAccessToken::UnknownKey) if reload_keys(auth, now).await? => auth.tokens.read(access_token, now),
        read => read,
    })
}

/// Renews the idle time where enough of it has passed to be worth a write: a minute, or a twentieth of it if that is less.
///
/// In a task of its own: the request doesn't wait for it, and is good without it. A session has one such task at a time,
/// so that a page that sends fifty requests at once costs one write.
fn touch(auth: &Auth, session: &mut Session, now: Timestamp) {
    let idle = auth.settings.lifetimes.idle;
    if now.since(session.last_seen_at) < (idle / 20).min(Duration::from_secs(60)) {
        return;
    }
    let (user, id, idle_until) = (session.user, session.id, now + idle);
    (session.last_seen_at, session.idle_until) = (now, idle_until);
    if !lock(&auth.touching).insert(id) {
        return;
    }
    let (store, touching) = (Arc::clone(&auth.store), Arc::clone(&auth.touching));
    tokio::spawn(async move {
        let change = Change::TouchSession { user, session: id, at: now, idle_until };
        if let Err(error) = store.commit(&[change]).await {
            tracing::warn!(session = %id, %error, "a session's idle time could not be renewed");
        }
        lock(&touching).remove(&id);
    });
}

fn lock(touching: &Mutex<HashSet<SessionId>>) -> MutexGuard<'_, HashSet<SessionId>> {
    touching.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads the signing keys again, for a key that another node has made since; `false` where that was tried just now.
async fn reload_keys(auth: &Auth, now: Timestamp) -> Result<bool, Fault> {
    // Anybody can make up a key id: asking the store each time would let them.
    if !auth.tokens.may_reload(now) {
        return Ok(false);
    }
    auth.tokens.replace_keys(open_keys(&auth.ring, &auth.store.signing_keys().await?)?);
    Ok(true)
}

/// Nobody is signed in, as far as can be told.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateError {
    /// The token is malformed, forged, expired, or its session is dead: one answer for all.
    #[error("not a usable access token")]
    Unauthorized,
    /// The core could not do its work.
    #[error(transparent)]
    Fault(Fault),
}
fault_into!(AuthenticateError);
