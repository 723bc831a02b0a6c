//! Changing one's password.

use crate::auth::{Auth, Fault, fault_into};
use crate::domain::{AuditKind, Context, Notice, Password, Purpose, Signed};
use crate::flow::session::Authenticated;
use crate::flow::throttle::{self, Throttled};
use crate::flow::{judge_password, mail};
use crate::port::{Change, CommitError, HashError, Rejected, Verdict};
use crate::rules::password::WeakPassword;

/// Replaces the password of whoever knows the current one.
///
/// Ends every session; this one goes on as a new session, under new credentials, with the same absolute limit and in the
/// same commit (ASVS 7.4.3). Reset links and codes are dead, and the owner is told by mail.
///
/// # Errors
/// [`ChangeError`]; nothing has changed then.
pub async fn change(
    auth: &Auth,
    signed: &Signed,
    current: &Password,
    new: &Password,
    context: &Context,
) -> Result<Authenticated, ChangeError> {
    let now = auth.now();
    let user = &signed.user;
    judge_password(auth, new, &user.email, user.profile.name.as_deref()).await?;
    let limit = auth.settings.limits.credential_account;
    let counted = throttle::by_user(auth, "change-password", user.id, None, limit, context).await?;
    let account = auth.store.find_user(user.id).await?;
    let hash = account.and_then(|account| account.password);
    match auth.hasher.verify(current, hash).await {
        Ok(Verdict::Match { .. }) => counted.give_back(auth).await,
        Ok(Verdict::Mismatch) => {
            let event = auth.event(AuditKind::PasswordChangeFailed, context, now).by(user.id);
            auth.commit(&[Change::Record(event)]).await?;
            return Err(ChangeError::Unauthorized);
        }
        Err(error) => {
            if matches!(error, HashError::Busy) {
                counted.give_back(auth).await;
            }
            return Err(error.into());
        }
    }
    let password = auth.hasher.hash(new).await?;

    let (session, credential) = auth.successor(user, &signed.session, user.epoch.next(), context, now);
    let changes = [
        // Rejected where the session was ended since it was read: a signed-out browser changes nothing.
        Change::CloseSession { user: user.id, session: signed.session.id, at: now },
        Change::SetPassword { user: user.id, epoch: user.epoch, password },
        Change::OpenSession(session.clone()),
        Change::DropTokens { user: user.id, purpose: Purpose::ResetPassword },
        // A move that somebody else asked for, while they had the account, must not happen after all.
        Change::DropTokens { user: user.id, purpose: Purpose::ChangeEmail },
        Change::Enqueue(mail::notice(auth, user, Notice::PasswordChanged, now)?),
        Change::Record(auth.event(AuditKind::PasswordChanged, context, now).by(user.id)),
    ];
    match auth.commit(&changes).await {
        Ok(()) => Ok(auth.authenticated(user.clone(), session, credential, now)?),
        Err(CommitError::Rejected(Rejected::Session | Rejected::Epoch)) => Err(ChangeError::Unauthorized),
        Err(error) => Err(error.into()),
    }
}

/// The password was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The current password is wrong, or the session has ended.
    #[error("wrong credentials")]
    Unauthorized,
    /// The new password is not good enough.
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    /// Too many attempts.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The core could not do its work.
    #[error(transparent)]
    Fault(Fault),
}
fault_into!(ChangeError);
