//! Changing one's password.

use crate::auth::{Auth, Fault, fault_into};
use crate::domain::{AuditKind, Context, Notice, Password, Purpose, Session, Signed, Timestamp, TokenId};
use crate::flow::proof::{self, ProofError};
use crate::flow::session::{Authenticated, NewCredential};
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
    let (session, credential) = auth.successor(user, &signed.session, user.epoch.next(), context, now);
    replace(auth, signed, new, (session, credential), Vec::new(), now, context).await
}

/// Mails a code to the account's address that stands in for the current password, in this session. Names the record that the
/// code belongs to. [Where an authenticator app is on](Purpose::is_open_to) none is mailed; the answer is the same.
///
/// # Errors
/// [`ChangeError`]; no mail was sent then.
pub async fn request_code(auth: &Auth, signed: &Signed, context: &Context) -> Result<TokenId, ChangeError> {
    let (now, user) = (auth.now(), &signed.user);
    let limits = &auth.settings.limits;
    let _address = throttle::by_address(auth, "change-password-request", limits.mail_address, context).await?;
    let _account =
        throttle::by_user(auth, "change-password-request", user.id, None, limits.mail_account, context).await?;
    let (id, mut changes) = mail::session_code(auth, signed, Purpose::ChangePassword, now, context)?;
    changes.push(Change::Record(auth.event(AuditKind::PasswordCodeRequested, context, now).by(user.id)));
    match auth.commit(&changes).await {
        Err(CommitError::Rejected(Rejected::EmailChanged)) => Err(ChangeError::Fault(Fault::Contended)),
        outcome => Ok(outcome.map(|()| id)?),
    }
}

/// As [`change`], for whoever got the code that [`request_code`] mailed; but the session is no fresher for it. A refused
/// password spends nothing.
///
/// # Errors
/// [`ChangeError`]; nothing has changed then but, for a wrong code, one attempt.
pub async fn change_with_code(
    auth: &Auth,
    signed: &Signed,
    code: &str,
    record: Option<TokenId>,
    new: &Password,
    context: &Context,
) -> Result<Authenticated, ChangeError> {
    let now = auth.now();
    let user = &signed.user;
    judge_password(auth, new, &user.email, user.profile.name.as_deref()).await?;
    let limit = auth.settings.limits.credential_account;
    let counted = throttle::by_user(auth, "change-password", user.id, None, limit, context).await?;
    let token = match proof::in_session(auth, signed, (code, record), Purpose::ChangePassword, now, context).await {
        Ok(token) => token,
        Err(ProofError::Fault(fault)) => return Err(ChangeError::Fault(fault)),
        Err(ProofError::Invalid) => {
            let event = auth.event(AuditKind::PasswordChangeFailed, context, now).by(user.id);
            return Err(auth.refuse(event, ChangeError::WrongCode).await);
        }
    };
    counted.give_back(auth).await;
    let (session, credential) = auth.successor(user, &signed.session, user.epoch.next(), context, now);
    // No fresher than before: a mailbox and a stolen session must not be enough to switch an authenticator app off.
    let session = Session { authenticated_at: signed.session.authenticated_at, ..session };
    let spent = vec![Change::SpendToken { user: user.id, token: token.id }];
    replace(auth, signed, new, (session, credential), spent, now, context).await
}

/// Hashes the new password and commits it, with what spends its proof.
async fn replace(
    auth: &Auth,
    signed: &Signed,
    new: &Password,
    (session, credential): (Session, NewCredential),
    mut changes: Vec<Change>,
    now: Timestamp,
    context: &Context,
) -> Result<Authenticated, ChangeError> {
    let user = &signed.user;
    let password = auth.hasher.hash(new).await?;
    changes.extend([
        // Rejected where the session was ended since it was read: a signed-out browser changes nothing.
        Change::CloseSession { user: user.id, session: signed.session.id, at: now },
        Change::SetPassword { user: user.id, epoch: user.epoch, password },
        Change::OpenSession(session.clone()),
        Change::DropTokens { user: user.id, purpose: Purpose::ResetPassword },
        Change::DropTokens { user: user.id, purpose: Purpose::ChangePassword },
        // A move that somebody else asked for, while they had the account, must not happen after all.
        Change::DropTokens { user: user.id, purpose: Purpose::ChangeEmail },
        Change::Enqueue(mail::notice(auth, user, Notice::PasswordChanged, now)?),
        Change::Record(auth.event(AuditKind::PasswordChanged, context, now).by(user.id)),
    ]);
    match auth.commit(&changes).await {
        Ok(()) => Ok(auth.authenticated(user.clone(), session, credential, now)?),
        Err(CommitError::Rejected(Rejected::Token)) => Err(ChangeError::WrongCode),
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
    /// The mailed code is wrong, spent or expired.
    #[error("not a usable code")]
    WrongCode,
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
