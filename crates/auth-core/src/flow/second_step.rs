//! The second step of a sign-in: what follows a right password where a second factor is on.

use std::fmt;
use std::time::Duration;

use crate::auth::{Auth, Fault, fault_into};
use crate::domain::{
    AuditKind, Context, FirstStep, Issued, Purpose, SecondStep, Secret, Status, Timestamp, Token, User,
};
use crate::flow::proof::{self, ProofError};
use crate::flow::session::Authenticated;
use crate::flow::sign_in::{self, SignInError};
use crate::flow::throttle::{self, Throttled};
use crate::flow::{factor_check, mail};
use crate::port::{Change, CommitError, Rejected};
use crate::rules::one_time::{CODE_ATTEMPTS, LIVE_CHALLENGES};

/// What a client holds between the two steps. It opens nothing: it is looked up among challenges only, bound to its user and
/// to the epoch in which the password was right. Doesn't print.
pub struct Challenge {
    /// Proves the first step.
    pub secret: Secret,
    /// How the second may be taken, the usual one first.
    pub steps: Vec<SecondStep>,
    /// How long it lives: 15 minutes.
    pub expires_in: Duration,
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge").field("steps", &self.steps).finish_non_exhaustive()
    }
}

/// A challenge for `user`, who has taken the first step. Where a mailed code is the usual second one, it is mailed.
pub(super) async fn challenge(
    auth: &Auth,
    user: &User,
    first: FirstStep,
    rehash: Option<Change>,
    now: Timestamp,
    context: &Context,
) -> Result<Challenge, SignInError> {
    let steps = factor_check::steps(auth, user);
    let (secret, mut token) = mail::challenge(auth, user, now, context);
    let device = first.device;
    token.sign_in = Some(first);
    let expires_in = token.link_until.since(now);
    let mut changes =
        vec![Change::TrimTokens { user: user.id, purpose: Purpose::SecondStep, keep: LIVE_CHALLENGES - 1 }];
    if steps.first() == Some(&SecondStep::Email) {
        let limit = auth.settings.limits.second_step_mail_account;
        // A known device has a count of its own: whoever knows the password must not keep its owner out.
        let _counted = throttle::by_user(auth, MAIL_SCOPE, user.id, device, limit, context).await?;
        let (code, until, mail) = mail::fresh_code(auth, user, &token, now)?;
        (token.code, token.code_until) = (Some(code), until);
        changes.push(Change::Enqueue(mail));
    }
    changes.push(Change::IssueToken { token, at_most: LIVE_CHALLENGES });
    changes.push(Change::Record(auth.event(AuditKind::SecondStepAsked, context, now).by(user.id)));
    changes.extend(rehash);
    match auth.commit(&changes).await {
        Ok(()) => Ok(Challenge { secret, steps, expires_in }),
        // The account has moved to another address meanwhile.
        Err(CommitError::Rejected(Rejected::EmailChanged)) => Err(SignInError::Fault(Fault::Contended)),
        Err(error) => Err(error.into()),
    }
}

/// Codes mailed for the second steps of an account.
pub(super) const MAIL_SCOPE: &str = "second-step-mail";

/// Opens the session that a challenge stands for, for whoever takes the second step.
///
/// - An attempt is claimed before the code is compared: five a challenge; and counted by account, over all challenges and
///   factors (NIST SP 800-63B-4 §3.2.2).
/// - Challenges that aren't any are counted by address, with wrong links and codes.
/// - The challenge, and the time step or recovery code, are spent in the commit that opens the session: of fifty who present
///   them at once, one is let in.
/// - Without `step`, six digits are meant for the challenge's usual step, anything else is a recovery code.
///
/// # Errors
/// [`SecondStepError`]; no session has been opened then.
pub async fn complete(
    auth: &Auth,
    challenge: &str,
    step: Option<SecondStep>,
    code: &str,
    context: &Context,
) -> Result<Authenticated, SecondStepError> {
    let by_address = throttle::by_address(auth, proof::SCOPE, auth.settings.limits.proof_address, context).await?;
    let outcome = complete_counted(auth, challenge, step, code, context).await;
    if !matches!(outcome, Err(SecondStepError::Unauthorized)) {
        by_address.give_back(auth).await;
    }
    outcome
}

async fn complete_counted(
    auth: &Auth,
    challenge: &str,
    step: Option<SecondStep>,
    code: &str,
    context: &Context,
) -> Result<Authenticated, SecondStepError> {
    let now = auth.now();
    let Some((token, first, user)) = find(auth, challenge, now).await? else {
        return Err(refused(auth, None, context, SecondStepError::Unauthorized).await);
    };
    let limit = auth.settings.limits.credential_account;
    let counted = throttle::by_user(auth, factor_check::SCOPE, user.id, None, limit, context).await?;
    match proof::claim_one(auth, user.id, &token, now, context).await {
        Ok(()) => {}
        Err(ProofError::Fault(fault)) => return Err(SecondStepError::Fault(fault)),
        Err(ProofError::Invalid) => {
            return Err(refused(auth, Some(&user), context, SecondStepError::Unauthorized).await);
        }
    }
    let step = factor_check::meant(auth, &user, step, code);
    let Some(spent) = factor_check::check(auth, &user, step, code, Some(&token), now).await? else {
        return Err(refused(auth, Some(&user), context, SecondStepError::WrongCode).await);
    };
    let first = FirstStep { methods: first.methods.with(step.method()), ..first };
    let (session, credential, opening) = sign_in::begin(auth, &user, &first, now, context).await?;
    let mut changes = vec![Change::SpendToken { user: user.id, token: token.id }];
    changes.extend(spent);
    changes.extend(opening);
    let outcome = auth.commit(&changes).await;
    // The code was right: where the store then fails, its owner must not run out of attempts.
    if matches!(outcome, Ok(()) | Err(CommitError::Store(_))) {
        counted.give_back(auth).await;
    }
    match outcome {
        Ok(()) => {
            throttle::clear_by_user(auth, MAIL_SCOPE, user.id, first.device).await;
            Ok(auth.authenticated(user, session, credential, now)?)
        }
        // Somebody else was let in with the same time step or recovery code.
        Err(CommitError::Rejected(Rejected::Factors)) => {
            Err(refused(auth, Some(&user), context, SecondStepError::WrongCode).await)
        }
        // The challenge was used by somebody else, or the first step counts no longer.
        Err(CommitError::Rejected(Rejected::Token | Rejected::Epoch | Rejected::EmailChanged)) => {
            Err(refused(auth, Some(&user), context, SecondStepError::Unauthorized).await)
        }
        Err(error) => Err(error.into()),
    }
}

/// Mails another code for the second step, which takes the place of the one before; the attempts stay counted, and the
/// challenge lives no longer.
///
/// # Errors
/// [`SecondStepError`]; no mail was sent then.
pub async fn resend(auth: &Auth, challenge: &str, context: &Context) -> Result<(), SecondStepError> {
    let now = auth.now();
    let limits = &auth.settings.limits;
    // Before anything is looked up: a refusal is on record, and made-up challenges must not fill the log.
    let _address = throttle::by_address(auth, "second-step-resend", limits.mail_address, context).await?;
    let Some((token, _, user)) = find(auth, challenge, now).await? else {
        return Err(refused(auth, None, context, SecondStepError::Unauthorized).await);
    };
    let _account = throttle::by_user(auth, "second-step-resend", user.id, None, limits.mail_account, context).await?;
    let mut changes = Vec::with_capacity(3);
    // An authenticator has nothing to mail. The answer is the same.
    if factor_check::steps(auth, &user).contains(&SecondStep::Email) {
        let (code, until, mail) = mail::fresh_code(auth, &user, &token, now)?;
        changes.push(Change::RenewCode { user: user.id, token: token.id, code, until });
        changes.push(Change::Enqueue(mail));
    }
    changes.push(Change::Record(auth.event(AuditKind::SecondStepMailed, context, now).about(Some(user.id))));
    match auth.commit(&changes).await {
        Ok(()) => Ok(()),
        Err(CommitError::Rejected(Rejected::Token)) => Err(SecondStepError::Unauthorized),
        Err(error) => Err(error.into()),
    }
}

/// The challenge that lives, with the first step that it stands for, and its user.
async fn find(auth: &Auth, challenge: &str, now: Timestamp) -> Result<Option<(Token, FirstStep, User)>, Fault> {
    let Some(secret) = Secret::parse(challenge) else { return Ok(None) };
    let Some(Issued { token, user }) = auth.store.find_token(&secret.digest()).await? else { return Ok(None) };
    let first = token.sign_in.clone().filter(|first| {
        token.purpose == Purpose::SecondStep
            && now < token.link_until
            && token.attempts < CODE_ATTEMPTS
            && user.status == Status::Active
            // A change of password, a reset or a sign-out everywhere came in between.
            && user.epoch == first.epoch
            && token.account.as_ref() == Some(&user.email)
    });
    Ok(first.map(|first| (token, first, user)))
}

async fn refused(auth: &Auth, user: Option<&User>, context: &Context, why: SecondStepError) -> SecondStepError {
    let event = auth.event(AuditKind::SecondStepFailed, context, auth.now()).about(user.map(|user| user.id));
    auth.refuse(event, why).await
}

/// No session was opened.
#[derive(Debug, thiserror::Error)]
pub enum SecondStepError {
    /// The challenge is unknown, spent, expired or out of attempts, or its first step counts no longer: one answer for all.
    #[error("not a usable challenge")]
    Unauthorized,
    /// The challenge lives, and the code is wrong.
    #[error("a wrong code")]
    WrongCode,
    /// Too many failures of the account.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The core could not do its work.
    #[error(transparent)]
    Fault(Fault),
}
fault_into!(SecondStepError);
