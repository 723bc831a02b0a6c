//! Signing in with e-mail address and password.

use std::fmt;

use crate::auth::{Auth, Fault, fault_into};
use crate::device_token::DeviceToken;
use crate::domain::{
    Account, AuditKind, Context, DeviceId, Email, FirstStep, Method, Methods, Password, PasswordHash, Session, Status,
    Timestamp, User, UserId,
};
use crate::flow::mail;
use crate::flow::second_step::{self, Challenge};
use crate::flow::session::{Authenticated, NewCredential};
use crate::flow::throttle::{self, Counted, Throttled};
use crate::port::{AuditQuery, Change, CommitError, HashError, Rejected, Verdict, Veto};
use crate::settings::UnverifiedSignIn;

/// What somebody signs in with. Doesn't print the device token.
pub struct Credentials {
    /// Whose account.
    pub email: Email,
    /// Its password.
    pub password: Password,
    /// The device token from an earlier sign-in, as the client sent it.
    pub device: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("email", &self.email).finish_non_exhaustive()
    }
}

/// How far a sign-in has come.
#[derive(Debug)]
#[non_exhaustive]
pub enum SignIn {
    /// All the way.
    Complete(Box<Authenticated>),
    /// The password was right; a second step is to be taken: [`second_step::complete`].
    SecondStep(Challenge),
}

/// Opens a session for whoever knows the account's password.
///
/// - An unknown address, a wrong password and a suspended user get the same answer, for the same work.
/// - Attempts are counted before the password is looked at, by address and by account; one that succeeds doesn't count.
/// - A hash that is weaker than today's, or under an old pepper, is replaced on the way.
/// - Where the user has a second factor on, or the settings demand one, there is no session yet but a challenge.
/// - Of a session that isn't the account's first, from a device that wasn't seen before, its owner is told by mail.
///
/// # Errors
/// [`SignInError`]; no session has been opened then.
pub async fn sign_in(auth: &Auth, credentials: Credentials, context: &Context) -> Result<SignIn, SignInError> {
    let now = auth.now();
    let Credentials { email, password, device } = credentials;
    let account = auth.store.find_user_by_email(&email).await?;
    let user_id = account.as_ref().map(|account| account.user.id);
    let recognise = |token: String| DeviceToken::recognise(&auth.ring, &token, &account.as_ref()?.user, now);
    let device = device.and_then(recognise);
    let counted = count(auth, &email, user_id, device, context).await?;

    let hash = account.as_ref().and_then(|account| account.password.clone());
    let verdict = match auth.hasher.verify(&password, hash.clone()).await {
        Err(HashError::Busy) => {
            // Nothing was compared: whoever knocks while the queue is full has not guessed.
            counted.give_back(auth).await;
            return Err(HashError::Busy.into());
        }
        verdict => verdict?,
    };
    let (account, hash, outdated) = match (account, hash, verdict) {
        (Some(account), Some(hash), Verdict::Match { outdated }) if account.user.status == Status::Active => {
            (account, hash, outdated)
        }
        _ => return Err(refused(auth, user_id, context, SignInError::Unauthorized).await),
    };
    if auth.settings.unverified_sign_in == UnverifiedSignIn::Refuse && account.user.email_verified_at.is_none() {
        counted.give_back(auth).await;
        return Err(refused(auth, user_id, context, SignInError::EmailNotVerified).await);
    }
    if let Err(veto) = auth.policy.may_sign_in(&account.user).await {
        counted.give_back(auth).await;
        return Err(auth.vetoed(veto, user_id, context).await);
    }
    let rehash = if outdated { replacement(auth, &password, account.user.id, &hash).await? } else { None };
    if !auth.second_factors(&account.user).is_empty() {
        counted.give_back(auth).await;
        let first = FirstStep { epoch: account.user.epoch, device, methods: Methods::of(&[Method::Password]) };
        let challenge = second_step::challenge(auth, &account.user, first, rehash, now, context).await?;
        return Ok(SignIn::SecondStep(challenge));
    }
    let opened = open(auth, account.user, &hash, rehash, device, now, context).await;
    // The password was right: where the store then fails, its owner must not run out of attempts.
    if matches!(opened, Ok(_) | Err(SignInError::Fault(_))) {
        counted.give_back(auth).await;
    }
    let (user, session, credential) = opened?;
    Ok(SignIn::Complete(Box::new(auth.authenticated(user, session, credential, now)?)))
}

/// The two counters that an attempt is counted by.
struct Attempt {
    address: Counted,
    account: Counted,
}

impl Attempt {
    async fn give_back(self, auth: &Auth) {
        self.address.give_back(auth).await;
        self.account.give_back(auth).await;
    }
}

async fn count(
    auth: &Auth,
    email: &Email,
    user: Option<UserId>,
    device: Option<DeviceId>,
    context: &Context,
) -> Result<Attempt, Throttled> {
    let limits = &auth.settings.limits;
    let address = throttle::by_address(auth, SCOPE, limits.sign_in_address, context).await?;
    // A known device has a budget of its own, which strangers can't use up, and the account's when that is gone.
    let by_device = match user.zip(device) {
        Some((user, device)) => {
            throttle::by_user(auth, "sign-in/device", user, Some(device), limits.sign_in_device, context).await.ok()
        }
        None => None,
    };
    let account = match by_device {
        Some(counted) => counted,
        None => throttle::by_email(auth, SCOPE, email, limits.sign_in_account, context, user).await?,
    };
    Ok(Attempt { address, account })
}

/// The scope that failed sign-ins of an account are counted in; a reset of the password clears it.
pub(super) const SCOPE: &str = "sign-in";

/// A hash by today's settings; `None` where the queue is full: it will be replaced another time.
async fn replacement(
    auth: &Auth,
    password: &Password,
    user: UserId,
    from: &PasswordHash,
) -> Result<Option<Change>, HashError> {
    match auth.hasher.hash(password).await {
        Ok(to) => Ok(Some(Change::Rehash { user, from: from.clone(), to })),
        Err(HashError::Busy) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Opens the session in the epoch that the password was verified in; where it has advanced meanwhile, in the new one if
/// the password is still the same.
async fn open(
    auth: &Auth,
    mut user: User,
    verified: &PasswordHash,
    rehash: Option<Change>,
    device: Option<DeviceId>,
    now: Timestamp,
    context: &Context,
) -> Result<(User, Session, NewCredential), SignInError> {
    for _ in 0..3 {
        let first = FirstStep { epoch: user.epoch, device, methods: Methods::of(&[Method::Password]) };
        let (session, credential, mut changes) = begin(auth, &user, &first, now, context).await?;
        changes.extend(rehash.clone());
        match auth.commit(&changes).await {
            Ok(()) => return Ok((user, session, credential)),
            Err(CommitError::Rejected(Rejected::Epoch)) => {}
            Err(error) => return Err(error.into()),
        }
        let is_unchanged =
            |account: &Account| account.password.as_ref() == Some(verified) && account.user.status == Status::Active;
        match auth.store.find_user(user.id).await?.filter(is_unchanged) {
            // Switched on in the meantime: the next try is asked for it.
            Some(account) if !auth.second_factors(&account.user).is_empty() => {
                return Err(SignInError::Fault(Fault::Contended));
            }
            Some(account) => user = account.user,
            None => return Err(refused(auth, Some(user.id), context, SignInError::Unauthorized).await),
        }
    }
    Err(SignInError::Fault(Fault::Contended))
}

/// What opens the session that a sign-in has come to. A device that wasn't seen before gets a name of its own, and the owner
/// a mail that tells of it, unless it is the account's first.
pub(super) async fn begin(
    auth: &Auth,
    user: &User,
    first: &FirstStep,
    now: Timestamp,
    context: &Context,
) -> Result<(Session, NewCredential, Vec<Change>), Fault> {
    let device = first.device.unwrap_or_else(|| DeviceId::new(now, &*auth.entropy));
    let (session, credential) = auth.new_session(user, first.epoch, first.methods.clone(), device, context, now);
    let mut changes = vec![Change::OpenSession(session.clone())];
    // Not more of them than other mail: the address need not be that of whoever signs in, over and over.
    let limit = auth.settings.limits.mail_account;
    if first.device.is_none()
        && has_signed_in(auth, user.id).await?
        && throttle::by_user(auth, "new-device", user.id, None, limit, context).await.is_ok()
    {
        let (token, mail) = mail::new_device(auth, user, &session, now, context)?;
        // All of them stay good: a thief must not get rid of the owner's by signing in again.
        changes.push(Change::IssueToken { token, at_most: u32::MAX });
        changes.push(Change::Enqueue(mail));
    }
    let event = auth.event(AuditKind::SignedIn, context, now).by(user.id);
    let event = event.with("session", &session.id.to_string()).with("methods", &session.methods.to_text());
    changes.push(Change::Record(event));
    Ok((session, credential, changes))
}

/// Whether anybody ever signed in to the account.
async fn has_signed_in(auth: &Auth, user: UserId) -> Result<bool, Fault> {
    let query = AuditQuery { user: Some(user), kind: Some(AuditKind::SignedIn), before: None, limit: 1 };
    Ok(!auth.store.audit_events(&query).await?.is_empty())
}

async fn refused(auth: &Auth, user: Option<UserId>, context: &Context, why: SignInError) -> SignInError {
    auth.refuse(auth.event(AuditKind::SignInFailed, context, auth.now()).about(user), why).await
}

/// No session was opened.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Unknown address, wrong password or suspended user: one answer for all.
    #[error("wrong credentials")]
    Unauthorized,
    /// The password is right, but the address isn't proved, and the host demands that.
    #[error("the address is not verified")]
    EmailNotVerified,
    /// The password is right, but the host's policy refuses.
    #[error(transparent)]
    Vetoed(#[from] Veto),
    /// Too many attempts, by address or account; the password was not looked at.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The core could not do its work.
    #[error(transparent)]
    Fault(Fault),
}
fault_into!(SignInError);
