//! Proving an address.

use crate::auth::{Auth, Fault, fault_into};
use crate::domain::{AuditKind, Context, Email, Purpose, Status, User};
use crate::flow::mail;
use crate::flow::proof::{self, Proof, ProofError};
use crate::flow::throttle::{self, Throttled};
use crate::port::{Change, CommitError, Rejected};

/// Mails a fresh code and link to the address, if it has an account that isn't verified. Only the newest count.
///
/// Tells nobody whether it has: the answer is the same, and no mail is sent before it.
///
/// # Errors
/// [`RequestError`], alike for all addresses.
pub async fn request(auth: &Auth, email: &Email, context: &Context) -> Result<(), RequestError> {
    let now = auth.now();
    let account = auth.store.find_user_by_email(email).await?;
    let user = account.map(|account| account.user);
    throttle_mail(auth, "verify-request", email, user.as_ref(), context).await?;
    let event = auth.event(AuditKind::VerificationRequested, context, now).about(user.as_ref().map(|user| user.id));
    let mut changes = Vec::with_capacity(4);
    if let Some(user) = user.filter(|user| user.email_verified_at.is_none() && user.status == Status::Active) {
        let (token, mail) = mail::token_mail(auth, &user, Purpose::VerifyEmail, now, context)?;
        changes.push(Change::TrimTokens { user: user.id, purpose: Purpose::VerifyEmail, keep: 0 });
        changes.push(Change::IssueToken { token, at_most: 1 });
        changes.push(Change::Enqueue(mail));
    }
    changes.push(Change::Record(event));
    Ok(auth.commit(&changes).await?)
}

/// Counts a request for mail, by address and by account.
pub(super) async fn throttle_mail(
    auth: &Auth,
    scope: &str,
    email: &Email,
    user: Option<&User>,
    context: &Context,
) -> Result<(), Throttled> {
    let limits = &auth.settings.limits;
    let _address = throttle::by_address(auth, scope, limits.mail_address, context).await?;
    let _account =
        throttle::by_email(auth, scope, email, limits.mail_account, context, user.map(|user| user.id)).await?;
    Ok(())
}

/// Marks the address behind a mailed link or code as proved. The proof is spent, and so is every other of its kind.
///
/// # Errors
/// [`ConfirmError`]; nothing is spent then but, for a code, one attempt.
pub async fn confirm(auth: &Auth, proof: &Proof, context: &Context) -> Result<User, ConfirmError> {
    let counted = throttle::by_address(auth, proof::SCOPE, auth.settings.limits.proof_address, context).await?;
    let outcome = confirm_counted(auth, proof, context).await;
    if !matches!(outcome, Err(ConfirmError::Invalid)) {
        counted.give_back(auth).await;
    }
    outcome
}

async fn confirm_counted(auth: &Auth, proof: &Proof, context: &Context) -> Result<User, ConfirmError> {
    let now = auth.now();
    let purpose = Purpose::VerifyEmail;
    let issued = match proof::prove(auth, proof, purpose, now, context).await {
        Ok(issued) => issued,
        Err(ProofError::Fault(fault)) => return Err(ConfirmError::Fault(fault)),
        Err(ProofError::Invalid) => return Err(refused(auth, context).await),
    };
    let (token, mut user) = (issued.token, issued.user);
    let event = auth.event(AuditKind::EmailVerified, context, now).by(user.id);
    let changes = [
        Change::SpendToken { user: user.id, token: token.id },
        Change::VerifyEmail { user: user.id, email: token.email, at: now },
        Change::DropTokens { user: user.id, purpose },
        Change::Forgive { user: user.id, budget: proof::budget(purpose) },
        Change::Record(event),
    ];
    match auth.commit(&changes).await {
        Ok(()) => {
            user.email_verified_at.get_or_insert(now);
            Ok(user)
        }
        // Somebody else spent it in between, or the address has changed.
        Err(CommitError::Rejected(Rejected::Token | Rejected::EmailChanged)) => Err(refused(auth, context).await),
        Err(error) => Err(error.into()),
    }
}

async fn refused(auth: &Auth, context: &Context) -> ConfirmError {
    let event = auth.event(AuditKind::VerificationFailed, context, auth.now());
    match auth.commit(&[Change::Record(event)]).await {
        Ok(()) => ConfirmError::Invalid,
        Err(error) => error.into(),
    }
}

/// A mail was not asked for.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Too many requests, by address or account.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The core could not do its work.
    #[error(transparent)]
    Fault(Fault),
}
fault_into!(RequestError);

/// An address was not proved.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// The link or code is unknown, spent, expired, out of attempts, or for something else.
    #[error("not a usable link or code")]
    Invalid,
    /// Too many wrong links and codes from this address.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The core could not do its work.
    #[error(transparent)]
    Fault(Fault),
}
fault_into!(ConfirmError);
