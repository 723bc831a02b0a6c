//! Proving again who one is, before what can't be undone.

use crate::auth::{Auth, Fault, fault_into};
use crate::domain::{AuditKind, Context, Password, Signed};
use crate::flow::session::Authenticated;
use crate::flow::throttle::{self, Throttled};
use crate::port::{Change, CommitError, HashError, Rejected, Verdict};

/// Carries the session on as a new one, under a new credential and fresh for ten minutes, for whoever knows the password.
/// The one before is dead in the same commit (ASVS 7.2.4); nothing extends the absolute limit.
///
/// # Errors
/// [`ReauthenticateError`]; the session is as before.
pub async fn with_password(
    auth: &Auth,
    signed: &Signed,
    password: &Password,
    context: &Context,
) -> Result<Authenticated, ReauthenticateError> {
    let now = auth.now();
    let user = &signed.user;
    let limit = auth.settings.limits.credential_account;
    let counted = throttle::by_user(auth, "reauthenticate", user.id, None, limit, context).await?;
    let hash = auth.store.find_user(user.id).await?.and_then(|account| account.password);
    match auth.hasher.verify(password, hash).await {
        Ok(Verdict::Match { .. }) => counted.give_back(auth).await,
        Ok(Verdict::Mismatch) => {
            let event = auth.event(AuditKind::ReauthenticationFailed, context, now).by(user.id);
            return Err(auth.refuse(event, ReauthenticateError::Unauthorized).await);
        }
        Err(error) => {
            if matches!(error, HashError::Busy) {
                counted.give_back(auth).await;
            }
            return Err(error.into());
        }
    }
    let (session, credential) = auth.successor(user, &signed.session, user.epoch, context, now);
    let changes = [
        // Rejected where the session was ended since it was read.
        Change::CloseSession { user: user.id, session: signed.session.id, at: now },
        // Rejected where the password was changed since, which advances the epoch.
        Change::OpenSession(session.clone()),
        Change::Record(auth.event(AuditKind::Reauthenticated, context, now).by(user.id)),
    ];
    match auth.commit(&changes).await {
        Ok(()) => Ok(auth.authenticated(user.clone(), session, credential, now)?),
        Err(CommitError::Rejected(Rejected::Session | Rejected::Epoch)) => Err(ReauthenticateError::Unauthorized),
        Err(error) => Err(error.into()),
    }
}

/// The session is no fresher than before.
#[derive(Debug, thiserror::Error)]
pub enum ReauthenticateError {
    /// The password is wrong, or the session has ended.
    #[error("wrong credentials")]
    Unauthorized,
    /// Too many attempts.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The core could not do its work.
    #[error(transparent)]
    Fault(Fault),
}
fault_into!(ReauthenticateError);
