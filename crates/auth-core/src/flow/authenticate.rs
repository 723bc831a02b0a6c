//! Who is asking: the check on every authenticated request.

use crate::access_token::InvalidAccessToken;
use crate::auth::{Auth, Fault, fault_into};
use crate::domain::{Session, Signed, Timestamp};
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
    let claims = match auth.tokens.verify(access_token, now) {
        Err(InvalidAccessToken::UnknownKey) if reload_keys(auth, now).await? => auth.tokens.verify(access_token, now),
        verified => verified,
    };
    let claims = claims.map_err(|_| AuthenticateError::Unauthorized)?;
    let Some(mut signed) = auth.store.find_session(claims.session).await? else {
        return Err(AuthenticateError::Unauthorized);
    };
    let is_live = signed.session.is_live(&signed.user, now);
    if signed.user.id != claims.user || !(is_live || auth.settings.access_check == AccessCheck::Stateless) {
        return Err(AuthenticateError::Unauthorized);
    }
    if is_live {
        touch(auth, &mut signed.session, now).await;
    }
    Ok(signed)
}

/// Renews the idle time where enough of it has passed to be worth a write: a minute, or a twentieth of it if that is less.
async fn touch(auth: &Auth, session: &mut Session, now: Timestamp) {
    let idle = auth.settings.lifetimes.idle;
    if now.since(session.last_seen_at) < (idle / 20).min(std::time::Duration::from_secs(60)) {
        return;
    }
    let idle_until = now + idle;
    let change = Change::TouchSession { user: session.user, session: session.id, at: now, idle_until };
    match auth.commit(&[change]).await {
        Ok(()) => (session.last_seen_at, session.idle_until) = (now, idle_until),
        // The request itself is good: a later one will renew.
        Err(error) => tracing::warn!(session = %session.id, %error, "a session's idle time could not be renewed"),
    }
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
