//! Proving an address.

use crate::auth::{Auth, Fault, fault_into};
use crate::domain::{AuditKind, Context, Email, Issued, Pending, Profile, Purpose, Status, Timestamp, TokenId, User};
use crate::flow::proof::{self, Proof, ProofError};
use crate::flow::throttle::{self, Throttled};
use crate::flow::{mail, register};
use crate::port::{Change, CommitError, Rejected};
use crate::settings::ExistingAddress;

/// Mails a fresh code and link to the address, if it has an account that isn't verified, or if this client registered it
/// and the registration waits for its proof. Only the newest count.
///
/// Tells nobody whether it has: the answer is the same, and no mail is sent before it. Names the record that the code belongs
/// to, or one that nobody has.
///
/// # Errors
/// [`RequestError`], alike for all addresses.
pub async fn request(auth: &Auth, email: &Email, context: &Context) -> Result<TokenId, RequestError> {
    let now = auth.now();
    let user = auth.store.find_user_by_email(email).await?.map(|account| account.user);
    throttle_mail(auth, "verify-request", email, user.as_ref(), context).await?;
    // A round is rejected where the waiting registration was confirmed or renewed meanwhile.
    for _ in 0..3 {
        // Asked whoever has the address: the answers must not differ in time.
        let waiting = match auth.settings.existing_address {
            ExistingAddress::Conceal => auth.store.pendings_of(email).await?,
            ExistingAddress::Conflict => Vec::new(),
        };
        let changes = match &user {
            Some(user) => again(auth, user, now, context)?,
            None => again_waiting(auth, waiting, now, context)?,
        };
        match auth.commit(&changes).await {
            Err(CommitError::Rejected(Rejected::Token | Rejected::TooManyTokens)) => {}
            outcome => return Ok(outcome.map(|()| mail::record_of(auth, &changes, now))?),
        }
    }
    let event = auth.event(AuditKind::VerificationRequested, context, now);
    auth.commit(&[Change::Record(event)]).await?;
    Ok(mail::record_of(auth, &[], now))
}

fn again(auth: &Auth, user: &User, now: Timestamp, context: &Context) -> Result<Vec<Change>, Fault> {
    let mut changes = Vec::with_capacity(4);
    if user.email_verified_at.is_none() && user.status == Status::Active {
        let (token, mail) = mail::token_mail(auth, user, Purpose::VerifyEmail, &user.email, now, context)?;
        changes.push(Change::TrimTokens { user: user.id, purpose: Purpose::VerifyEmail, keep: 0 });
        changes.push(Change::IssueToken { token, at_most: 1 });
        changes.push(Change::Enqueue(mail));
    }
    changes.push(Change::Record(auth.event(AuditKind::VerificationRequested, context, now).about(Some(user.id))));
    Ok(changes)
}

/// Of several registrations of one address, the newest of the client that asks: another's must not be put before the owner
/// again, who would confirm a stranger's password.
fn again_waiting(auth: &Auth, waiting: Vec<Pending>, now: Timestamp, context: &Context) -> Result<Vec<Change>, Fault> {
    let requester = throttle::requester(auth, context);
    match waiting.into_iter().find(|pending| pending.requested_from == requester && now < pending.link_until) {
        Some(pending) => {
            let id = Some(pending.id);
            register::put_up(auth, pending.into(), id, AuditKind::VerificationRequested, now, context)
        }
        None => Ok(vec![Change::Record(auth.event(AuditKind::VerificationRequested, context, now))]),
    }
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

/// Marks the address behind a mailed link or code as proved, or makes the account that the registration behind it waits to
/// become. The proof is spent, and so is every other of its kind.
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
    let outcome = match proof {
        Proof::Link(secret) => match proof::by_link(auth, secret, purpose, now).await {
            Ok(issued) => return verify(auth, issued, now, context).await,
            Err(ProofError::Invalid) => proof::waiting_by_link(auth, secret, now).await,
            Err(error) => Err(error),
        },
        Proof::Code { email, code, record } => {
            let account = auth.store.find_user_by_email(email).await?;
            match account.map(|account| account.user).filter(|user| user.status == Status::Active) {
                Some(user) => match proof::by_code(auth, user, (code, *record), purpose, now, context).await {
                    Ok(issued) => return verify(auth, issued, now, context).await,
                    Err(error) => Err(error),
                },
                // As many reads and commits as for an account: the two must not differ in time.
                None => proof::waiting_by_code(auth, email, (code, *record), now, context).await,
            }
        }
    };
    match outcome {
        Ok(pending) => create(auth, pending, now, context).await,
        Err(ProofError::Fault(fault)) => Err(ConfirmError::Fault(fault)),
        Err(ProofError::Invalid) => Err(refused(auth, context).await),
    }
}

async fn verify(auth: &Auth, issued: Issued, now: Timestamp, context: &Context) -> Result<User, ConfirmError> {
    let (token, mut user, purpose) = (issued.token, issued.user, Purpose::VerifyEmail);
    let event = auth.event(AuditKind::EmailVerified, context, now).by(user.id);
    let mut changes = vec![
        Change::SpendToken { user: user.id, token: token.id },
        Change::VerifyEmail { user: user.id, email: token.email, at: now },
        Change::DropTokens { user: user.id, purpose },
        Change::Record(event),
    ];
    changes.extend(proof::forgive(user.id, purpose));
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

/// A waiting registration becomes a user, with its own password; others of the address die.
async fn create(auth: &Auth, pending: Pending, now: Timestamp, context: &Context) -> Result<User, ConfirmError> {
    let Pending { id, email, password, name, locale, attributes, .. } = pending;
    let profile = Profile { name, locale, ..Profile::default() };
    let subject = proof::subject(auth, &email);
    let user = register::new_user(auth, email.clone(), profile, attributes, Some(now), now);
    let mut changes = vec![
        Change::SpendPending { pending: id },
        Change::CreateUser { user: user.clone(), password: Some(password) },
        Change::DropPendings { email },
        Change::Record(auth.event(AuditKind::Registered, context, now).by(user.id)),
        Change::Record(auth.event(AuditKind::EmailVerified, context, now).by(user.id)),
    ];
    changes.extend(proof::forgive(subject, Purpose::VerifyEmail));
    match auth.commit(&changes).await {
        Ok(()) => Ok(user),
        // Somebody else spent it in between, or the address has an account by now.
        Err(CommitError::Rejected(Rejected::Token | Rejected::EmailTaken)) => Err(refused(auth, context).await),
        Err(error) => Err(error.into()),
    }
}

async fn refused(auth: &Auth, context: &Context) -> ConfirmError {
    auth.refuse(auth.event(AuditKind::VerificationFailed, context, auth.now()), ConfirmError::Invalid).await
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
