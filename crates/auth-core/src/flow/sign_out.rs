//! Signing out, here and everywhere.

use crate::auth::{Auth, Fault};
use crate::domain::{AuditKind, Context, Session, SessionKey, Signed, Timestamp};
use crate::flow::authenticate;
use crate::port::{Change, CommitError, Rejected};
use crate::refresh_token::PresentedRefresh;

/// Ends a session. One that has ended already is fine.
///
/// # Errors
/// [`Fault`] when the session may still live: it is never reported as ended then.
pub async fn sign_out(auth: &Auth, signed: &Signed, context: &Context) -> Result<(), Fault> {
    close(auth, &signed.session, auth.now(), context).await
}

/// Ends the session of an access token, expired or not: whoever signs out after a pause must not stay signed in. A token
/// that isn't one ends nothing, and that is fine.
///
/// # Errors
/// [`Fault`] when the session may still live.
pub async fn by_access_token(auth: &Auth, token: &str, context: &Context) -> Result<(), Fault> {
    let now = auth.now();
    let Ok(claims) = authenticate::read(auth, token, now).await? else { return Ok(()) };
    match auth.store.find_session(&SessionKey::Id(claims.session)).await? {
        Some(signed) if signed.user.id == claims.user => close(auth, &signed.session, now, context).await,
        _ => Ok(()),
    }
}

/// Ends the session of a browser's secret. One that isn't ends nothing, and that is fine.
///
/// # Errors
/// [`Fault`] when the session may still live.
pub async fn by_secret(auth: &Auth, secret: &str, context: &Context) -> Result<(), Fault> {
    match authenticate::find_by_secret(auth, secret).await? {
        Some(signed) => close(auth, &signed.session, auth.now(), context).await,
        None => Ok(()),
    }
}

/// Ends the session of a refresh token, current or earlier. A token that isn't one ends nothing, and that is fine.
///
/// # Errors
/// [`Fault`] when the session may still live.
pub async fn by_refresh_token(auth: &Auth, token: &str, context: &Context) -> Result<(), Fault> {
    let Some(presented) = PresentedRefresh::parse(token) else { return Ok(()) };
    let found = auth.store.find_session(&SessionKey::Id(presented.session)).await?;
    let is_its = |signed: &Signed| {
        let state = signed.session.credential.refresh();
        state.is_some_and(|state| presented.is_genuine(&auth.ring, &state.salt))
    };
    match found.filter(is_its) {
        Some(signed) => close(auth, &signed.session, auth.now(), context).await,
        None => Ok(()),
    }
}

/// Ends every session of the user, this one included.
///
/// # Errors
/// [`Fault`] when they may still live.
pub async fn everywhere(auth: &Auth, signed: &Signed, context: &Context) -> Result<(), Fault> {
    let user = signed.user.id;
    let event = auth.event(AuditKind::SignedOutEverywhere, context, auth.now()).by(user);
    // The epoch catches what deleting rows would miss: a sign-in or rotation that is under way right now.
    Ok(auth.commit(&[Change::AdvanceEpoch { user }, Change::Record(event)]).await?)
}

/// Ends one session, and says so in the audit log.
pub(super) async fn close(auth: &Auth, session: &Session, now: Timestamp, context: &Context) -> Result<(), Fault> {
    let (user, session) = (session.user, session.id);
    let event = auth.event(AuditKind::SignedOut, context, now).by(user).with("session", &session.to_string());
    match auth.commit(&[Change::CloseSession { user, session, at: now }, Change::Record(event)]).await {
        Ok(()) | Err(CommitError::Rejected(Rejected::Session)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
