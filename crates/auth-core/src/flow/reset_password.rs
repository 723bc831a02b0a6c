//! Setting a new password without the old one.

use crate::auth::{Auth, Fault, fault_into};
use crate::domain::{
    AuditKind, Context, Email, Issued, Notice, Password, Purpose, Status, Timestamp, TokenId, User, UserId,
};
use crate::flow::proof::{self, Proof, ProofError};
use crate::flow::throttle::{self, Throttled};
pub use crate::flow::verify_email::RequestError;
use crate::flow::verify_email::throttle_mail;
use crate::flow::{judge_password, mail, second_step, sign_in};
use crate::port::{Change, CommitError, Rejected, StoreError};
use crate::rules::one_time::LIVE_RECORDS;
use crate::rules::password::WeakPassword;

/// Mails a code and a link to the address, if it has an active account. Up to three such mails are good at once; a further
/// one takes the place of the one that the same client asked for last, so that strangers' requests don't kill the owner's.
///
/// Tells nobody whether it has: the answer is the same, and no mail is sent before it (ASVS 6.3.8). Names the record that the
/// code belongs to, or one that nobody has.
///
/// # Errors
/// [`RequestError`], alike for all addresses.
pub async fn request(auth: &Auth, email: &Email, context: &Context) -> Result<TokenId, RequestError> {
    let now = auth.now();
    let user = auth.store.find_user_by_email(email).await?.map(|account| account.user);
    throttle_mail(auth, "reset-request", email, user.as_ref(), context).await?;
    let event = auth.event(AuditKind::ResetRequested, context, now).about(user.as_ref().map(|user| user.id));
    let user = user.filter(|user| user.status == Status::Active);
    // A round is rejected where other requests have taken the same place meanwhile.
    for _ in 0..4 {
        let mut changes = match &user {
            Some(user) => mail_reset(auth, user, now, context).await?,
            None => {
                // Asked for nobody as well: the two must not differ in time.
                make_room(auth, UserId::new(now, &*auth.entropy), now, context).await?;
                Vec::new()
            }
        };
        changes.push(Change::Record(event.clone()));
        match auth.commit(&changes).await {
            Err(CommitError::Rejected(Rejected::Token | Rejected::TooManyTokens)) => {}
            outcome => return Ok(outcome.map(|()| mail::record_of(auth, &changes, now))?),
        }
    }
    // So many others are asking at this moment that the owner gets mail enough. An error would tell that there is one.
    auth.commit(&[Change::Record(event)]).await?;
    Ok(mail::record_of(auth, &[], now))
}

/// What mails the user a reset.
pub(super) async fn mail_reset(
    auth: &Auth,
    user: &User,
    now: Timestamp,
    context: &Context,
) -> Result<Vec<Change>, Fault> {
    let room = make_room(auth, user.id, now, context).await?;
    let (token, mail) = mail::token_mail(auth, user, Purpose::ResetPassword, &user.email, now, context)?;
    let issue = [Change::IssueToken { token, at_most: LIVE_RECORDS }, Change::Enqueue(mail)];
    Ok(room.into_iter().chain(issue).collect())
}

/// Where as many tokens live as may, one gives way: the newest of those that the same client asked for, or the newest of
/// all. Were it the oldest, a stranger who keeps asking would take the owner's mail away.
async fn make_room(auth: &Auth, user: UserId, now: Timestamp, context: &Context) -> Result<Option<Change>, StoreError> {
    let mut live = auth.store.tokens_of(user, Purpose::ResetPassword).await?;
    live.retain(|token| now < token.link_until);
    if live.len() < LIVE_RECORDS as usize {
        return Ok(None);
    }
    let requester = throttle::requester(auth, context);
    let own = live.iter().find(|token| token.requested_from == requester);
    Ok(own.or(live.first()).map(|token| Change::SpendToken { user, token: token.id }))
}

/// Sets a new password with a mailed link or code.
///
/// Ends every session and every other reset token of the user, proves the address, leaves second factors on, tells the
/// owner by mail, and signs nobody in (ASVS 6.4.3, 7.4.3). Clears the account's count of failed sign-ins.
///
/// # Errors
/// [`ConfirmError`]. A refused password spends nothing.
pub async fn confirm(auth: &Auth, proof: &Proof, password: &Password, context: &Context) -> Result<(), ConfirmError> {
    let counted = throttle::by_address(auth, proof::SCOPE, auth.settings.limits.proof_address, context).await?;
    let outcome = confirm_counted(auth, proof, password, context).await;
    if !matches!(outcome, Err(ConfirmError::Invalid)) {
        counted.give_back(auth).await;
    }
    outcome
}

async fn confirm_counted(
    auth: &Auth,
    proof: &Proof,
    password: &Password,
    context: &Context,
) -> Result<(), ConfirmError> {
    let now = auth.now();
    // Before a code's attempt is claimed. Without the account's name: a refusal must not tell whether it has one.
    if let Proof::Code { email, .. } = proof {
        judge_password(auth, password, email, None).await?;
    }
    let purpose = Purpose::ResetPassword;
    let Issued { token, mut user } = match proof::prove(auth, proof, purpose, now, context).await {
        Ok(issued) => issued,
        Err(ProofError::Fault(fault)) => return Err(ConfirmError::Fault(fault)),
        Err(ProofError::Invalid) => return Err(refused(auth, context).await),
    };
    if let Err(weak) = judge_password(auth, password, &user.email, user.profile.name.as_deref()).await {
        // The code was right: whoever knows it may try another password as often as it takes.
        let mut changes = vec![Change::ReturnAttempt { user: user.id, token: token.id }];
        changes.extend(proof::forgive(user.id, purpose));
        auth.commit(&changes).await?;
        return Err(weak.into());
    }
    // After the token is known: strangers must not be able to buy Argon2 work. Before the commit: no transaction waits.
    let hash = auth.hasher.hash(password).await?;

    for _ in 0..3 {
        let mut changes = vec![
            Change::SpendToken { user: user.id, token: token.id },
            // Advances the epoch: every session is dead with it.
            Change::SetPassword { user: user.id, epoch: user.epoch, password: hash.clone() },
            Change::VerifyEmail { user: user.id, email: token.email.clone(), at: now },
            Change::DropTokens { user: user.id, purpose },
            Change::DropTokens { user: user.id, purpose: Purpose::VerifyEmail },
            // A move that somebody else asked for, while they had the account, must not happen after all.
            Change::DropTokens { user: user.id, purpose: Purpose::ChangeEmail },
            Change::Enqueue(mail::notice(auth, &user, Notice::PasswordReset, now)?),
            Change::Record(auth.event(AuditKind::PasswordReset, context, now).by(user.id)),
        ];
        changes.extend(proof::forgive(user.id, purpose));
        match auth.commit(&changes).await {
            Ok(()) => {
                throttle::clear_by_email(auth, sign_in::SCOPE, &user.email).await;
                throttle::clear_by_user(auth, second_step::MAIL_SCOPE, user.id, None).await;
                return Ok(());
            }
            // A sign-out everywhere, or another change of password, came in between: the link is as good as before.
            Err(CommitError::Rejected(Rejected::Epoch)) => {}
            Err(CommitError::Rejected(Rejected::Token | Rejected::EmailChanged)) => {
                return Err(refused(auth, context).await);
            }
            Err(error) => return Err(error.into()),
        }
        match auth.store.find_user(user.id).await?.filter(|account| account.user.status == Status::Active) {
            Some(account) => user = account.user,
            None => return Err(refused(auth, context).await),
        }
    }
    Err(ConfirmError::Fault(Fault::Contended))
}

async fn refused(auth: &Auth, context: &Context) -> ConfirmError {
    auth.refuse(auth.event(AuditKind::ResetFailed, context, auth.now()), ConfirmError::Invalid).await
}

/// The password was not set.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// The link or code is unknown, spent, expired, out of attempts, or for something else.
    #[error("not a usable link or code")]
    Invalid,
    /// The password is not good enough.
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    /// Too many wrong links and codes from this address.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The core could not do its work.
    #[error(transparent)]
    Fault(Fault),
}
fault_into!(ConfirmError);
