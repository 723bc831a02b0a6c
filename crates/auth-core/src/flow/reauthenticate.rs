//! Proving again who one is, before what can't be undone.

use crate::auth::{Auth, Fault, fault_into};
use crate::domain::{
    AuditKind, Code, Context, Factor, Method, Password, Purpose, SecondStep, Session, Signed, Timestamp, User,
};
use crate::flow::proof::{self, ProofError};
use crate::flow::session::{Authenticated, NewCredential};
use crate::flow::throttle::{self, Counted, Throttled};
use crate::flow::{factor_check, mail};
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
    let user = &signed.user;
    let counted = count(auth, "reauthenticate", user, context).await?;
    let hash = auth.store.find_user(user.id).await?.and_then(|account| account.password);
    match auth.hasher.verify(password, hash).await {
        Ok(Verdict::Match { .. }) => counted.give_back(auth).await,
        Ok(Verdict::Mismatch) => return Err(refused(auth, user, context).await),
        Err(error) => {
            if matches!(error, HashError::Busy) {
                counted.give_back(auth).await;
            }
            return Err(error.into());
        }
    }
    carry_on(auth, signed, Method::Password, Vec::new(), auth.now(), context).await
}

/// Mails a code to the account's address, which proves again who one is in this session.
/// [Where an authenticator app is on](Purpose::is_open_to) none is mailed; the answer is the same.
///
/// # Errors
/// [`ReauthenticateError`]; no mail was sent then.
pub async fn request(auth: &Auth, signed: &Signed, context: &Context) -> Result<(), ReauthenticateError> {
    let (now, user) = (auth.now(), &signed.user);
    let limits = &auth.settings.limits;
    let _address = throttle::by_address(auth, "reauthenticate-request", limits.mail_address, context).await?;
    let _account =
        throttle::by_user(auth, "reauthenticate-request", user.id, None, limits.mail_account, context).await?;
    let (_, mut changes) = mail::session_code(auth, signed, Purpose::Reauthenticate, now, context)?;
    changes.push(Change::Record(auth.event(AuditKind::ReauthenticationRequested, context, now).by(user.id)));
    match auth.commit(&changes).await {
        Err(CommitError::Rejected(Rejected::EmailChanged)) => Err(ReauthenticateError::Fault(Fault::Contended)),
        outcome => Ok(outcome?),
    }
}

/// As [`with_password`], for whoever has a second factor, or the code that [`request`] mailed.
///
/// Without `step`, six digits are of the authenticator app where one is on, else the mailed code; anything else is a recovery
/// code.
///
/// # Errors
/// [`ReauthenticateError`]; the session is as before, and nothing is spent but an attempt.
pub async fn with_code(
    auth: &Auth,
    signed: &Signed,
    step: Option<SecondStep>,
    code: &str,
    context: &Context,
) -> Result<Authenticated, ReauthenticateError> {
    let (now, user) = (auth.now(), &signed.user);
    let step = step.unwrap_or(match Code::parse(code) {
        Some(_) if user.factors.contains(Factor::Totp) => SecondStep::Totp,
        Some(_) => SecondStep::Email,
        None => SecondStep::Recovery,
    });
    // With all other attempts at second factors.
    let counted = count(auth, factor_check::SCOPE, user, context).await?;
    let spent = match step {
        SecondStep::Email => {
            match proof::in_session(auth, signed, (code, None), Purpose::Reauthenticate, now, context).await {
                Ok(token) => Some(vec![Change::SpendToken { user: user.id, token: token.id }]),
                Err(ProofError::Invalid) => None,
                Err(ProofError::Fault(fault)) => return Err(ReauthenticateError::Fault(fault)),
            }
        }
        SecondStep::Totp | SecondStep::Recovery => factor_check::check(auth, user, step, code, None, now).await?,
    };
    let Some(spent) = spent else { return Err(refused(auth, user, context).await) };
    let outcome = carry_on(auth, signed, step.method(), spent, now, context).await;
    if !matches!(outcome, Err(ReauthenticateError::Unauthorized)) {
        counted.give_back(auth).await;
    }
    outcome
}

async fn count(auth: &Auth, scope: &str, user: &User, context: &Context) -> Result<Counted, Throttled> {
    throttle::by_user(auth, scope, user.id, None, auth.settings.limits.credential_account, context).await
}

async fn refused(auth: &Auth, user: &User, context: &Context) -> ReauthenticateError {
    let event = auth.event(AuditKind::ReauthenticationFailed, context, auth.now()).by(user.id);
    auth.refuse(event, ReauthenticateError::Unauthorized).await
}

async fn carry_on(
    auth: &Auth,
    signed: &Signed,
    method: Method,
    mut changes: Vec<Change>,
    now: Timestamp,
    context: &Context,
) -> Result<Authenticated, ReauthenticateError> {
    let user = &signed.user;
    let (session, credential): (Session, NewCredential) =
        auth.successor(user, &signed.session, user.epoch, context, now);
    let session = Session { methods: session.methods.with(method), ..session };
    changes.extend([
        // Rejected where the session was ended since it was read.
        Change::CloseSession { user: user.id, session: signed.session.id, at: now },
        // Rejected where the password was changed since, which advances the epoch.
        Change::OpenSession(session.clone()),
        Change::Record(auth.event(AuditKind::Reauthenticated, context, now).by(user.id)),
    ]);
    match auth.commit(&changes).await {
        Ok(()) => Ok(auth.authenticated(user.clone(), session, credential, now)?),
        // Of those also who came too late with a code: it is spent.
        Err(CommitError::Rejected(Rejected::Session | Rejected::Epoch | Rejected::Token | Rejected::Factors)) => {
            Err(ReauthenticateError::Unauthorized)
        }
        Err(error) => Err(error.into()),
    }
}

/// The session is no fresher than before.
#[derive(Debug, thiserror::Error)]
pub enum ReauthenticateError {
    /// The password or code is wrong, or the session has ended.
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
