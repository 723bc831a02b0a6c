//! Seeing and ending one's own sessions.

use crate::auth::{Auth, Fault, fault_into};
use crate::domain::{Context, Session, SessionId, SessionKey, Signed, User};
use crate::flow::sign_out;
use crate::port::StoreError;

/// The user's live sessions, newest first.
///
/// # Errors
/// [`StoreError`] when the store could not answer.
pub async fn list(auth: &Auth, signed: &Signed) -> Result<Vec<Session>, StoreError> {
    live(auth, &signed.user).await
}

/// The live sessions of a user, newest first.
pub(super) async fn live(auth: &Auth, user: &User) -> Result<Vec<Session>, StoreError> {
    let now = auth.now();
    let mut sessions = auth.store.sessions_of(user.id).await?;
    sessions.retain(|session| session.is_live(user, now));
    Ok(sessions)
}

/// Ends one of the user's own sessions.
///
/// # Errors
/// [`EndError`]: another user's session is as unknown as one that never was.
pub async fn end(auth: &Auth, signed: &Signed, id: SessionId, context: &Context) -> Result<(), EndError> {
    let now = auth.now();
    let found = auth.store.find_session(&SessionKey::Id(id)).await?;
    match found.filter(|found| found.user.id == signed.user.id && found.session.is_live(&found.user, now)) {
        Some(found) => Ok(sign_out::close(auth, &found.session, now, context).await?),
        None => Err(EndError::NotFound),
    }
}

/// A session was not ended.
#[derive(Debug, thiserror::Error)]
pub enum EndError {
    /// The user has no such session.
    #[error("no such session")]
    NotFound,
    /// The core could not do its work.
    #[error(transparent)]
    Fault(Fault),
}
fault_into!(EndError);
