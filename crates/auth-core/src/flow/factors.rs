//! Switching second factors on and off.

use std::fmt;

use crate::auth::{Auth, Fault, fault_into};
use crate::domain::{
    AuditKind, Code, Context, Factor, FactorId, Factors, Notice, Purpose, RecoveryCode, SealedMail, Signed, Timestamp,
    TokenId, TotpSecret, User, UserId,
};
use crate::flow::proof::{self, ProofError};
use crate::flow::throttle::{self, Counted, Throttled};
use crate::flow::{Actor, AdminError, factor_check, mail, users};
use crate::port::{Change, CommitError, Rejected};
use crate::settings::{SecondFactor, hours};
use crate::totp::TotpKey;

/// Which second factors are on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// What a sign-in asks for.
    pub factors: Factors,
    /// Recovery codes that are not spent.
    pub recovery_codes_left: usize,
}

/// Which second factors are on for the user.
///
/// # Errors
/// [`Fault`] when the store can't answer.
pub async fn overview(auth: &Auth, user: &User) -> Result<Overview, Fault> {
    let recovery_codes_left = auth.store.recovery_codes(user.id).await?.len();
    Ok(Overview { factors: auth.second_factors(user), recovery_codes_left })
}

/// Mails a code that switches the second factor by mail on or off, as `to` has it. Names the record that the code belongs to.
///
/// # Errors
/// [`FactorError`]; no mail was sent then.
pub async fn request_email(
    auth: &Auth,
    signed: &Signed,
    to: Switch,
    context: &Context,
) -> Result<TokenId, FactorError> {
    let (now, user) = (auth.now(), &signed.user);
    may_switch(auth, signed, Factor::Email, to, now)?;
    let limits = &auth.settings.limits;
    let _address = throttle::by_address(auth, "factor-request", limits.mail_address, context).await?;
    let _account = throttle::by_user(auth, "factor-request", user.id, None, limits.mail_account, context).await?;
    let (id, mut changes) = mail::session_code(auth, signed, to.purpose(), now, context)?;
    let event = auth.event(AuditKind::FactorRequested, context, now).by(user.id).with("factor", "email");
    changes.push(Change::Record(event));
    match auth.commit(&changes).await {
        Err(CommitError::Rejected(Rejected::EmailChanged)) => Err(FactorError::Fault(Fault::Contended)),
        outcome => Ok(outcome.map(|()| id)?),
    }
}

/// Switches the second factor by mail on or off, for whoever got the code in the session that asked for it; of that record
/// only, where one is named. The first factor that is switched on comes with recovery codes.
///
/// # Errors
/// [`FactorError`]; nothing is spent then but an attempt.
pub async fn confirm_email(
    auth: &Auth,
    signed: &Signed,
    to: Switch,
    code: &str,
    record: Option<TokenId>,
    context: &Context,
) -> Result<Option<RecoveryCodes>, FactorError> {
    let (now, user) = (auth.now(), &signed.user);
    may_switch(auth, signed, Factor::Email, to, now)?;
    let counted = count(auth, user, context).await?;
    let token = match proof::in_session(auth, signed, (code, record), to.purpose(), now, context).await {
        Ok(token) => token,
        Err(ProofError::Fault(fault)) => return Err(FactorError::Fault(fault)),
        Err(ProofError::Invalid) => return Err(refused(auth, user, FactorError::Invalid, context).await),
    };
    let spend = vec![Change::SpendToken { user: user.id, token: token.id }];
    let switched = switch(auth, user, Factor::Email, to, spend, now, context).await;
    if switched.is_ok() {
        counted.give_back(auth).await;
    }
    switched
}

/// What an authenticator app is to be given. Doesn't print.
pub struct Enrolment {
    /// The secret, in base32 and as an address.
    pub key: TotpKey,
    /// What apps show beside the codes: the issuer.
    pub issuer: String,
    /// And the account.
    pub account: String,
}

impl Enrolment {
    /// `otpauth://totp/…`, which apps read from a picture.
    pub fn uri(&self) -> String {
        self.key.uri(&self.issuer, &self.account)
    }
}

impl fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Enrolment(…)")
    }
}

/// Makes a secret for an authenticator app. It does nothing until it is confirmed, within an hour; another that is on stays on
/// until then.
///
/// # Errors
/// [`FactorError`].
pub async fn enrol_totp(auth: &Auth, signed: &Signed, context: &Context) -> Result<Enrolment, FactorError> {
    let (now, user) = (auth.now(), &signed.user);
    may_switch(auth, signed, Factor::Totp, Switch::On, now)?;
    let (key, id) = (TotpKey::new(&*auth.entropy), FactorId::new(now, &*auth.entropy));
    let secret = key.seal(&auth.ring, id, user.id, &*auth.entropy)?;
    let pending_until = Some(now + ENROLMENT);
    let event = auth.event(AuditKind::FactorRequested, context, now).by(user.id).with("factor", "totp");
    let changes = [
        Change::EnrolTotp(TotpSecret { id, user: user.id, secret, last_step: None, pending_until }),
        Change::Record(event),
    ];
    auth.commit(&changes).await?;
    let (issuer, account) = (auth.settings.totp_issuer.clone(), user.email.as_str().to_owned());
    Ok(Enrolment { key, issuer, account })
}

/// How long an enrolment waits for its confirmation.
const ENROLMENT: std::time::Duration = hours(1);

/// Switches the enrolled secret on, for whoever has it in an app: in place of one that was on. The first factor that is
/// switched on comes with recovery codes.
///
/// # Errors
/// [`FactorError`]; nothing is spent then.
pub async fn confirm_totp(
    auth: &Auth,
    signed: &Signed,
    code: &str,
    context: &Context,
) -> Result<Option<RecoveryCodes>, FactorError> {
    let (now, user) = (auth.now(), &signed.user);
    may_switch(auth, signed, Factor::Totp, Switch::On, now)?;
    let counted = count(auth, user, context).await?;
    let secrets = auth.store.totp_secrets(user.id).await?;
    let enrolled = secrets.iter().find(|secret| secret.pending_until.is_some_and(|end| now < end));
    let step = match enrolled.zip(Code::parse(code)) {
        Some((record, code)) => TotpKey::open(&auth.ring, record)?.step_of(&code, now).map(|step| (record.id, step)),
        None => None,
    };
    let Some((factor, step)) = step else {
        return Err(refused(auth, user, FactorError::Invalid, context).await);
    };
    let confirm = vec![Change::ConfirmTotp { user: user.id, factor, step }];
    let switched = switch(auth, user, Factor::Totp, Switch::On, confirm, now, context).await;
    if switched.is_ok() {
        counted.give_back(auth).await;
    }
    switched
}

/// Switches a factor off. With the last one the recovery codes go.
///
/// # Errors
/// [`FactorError`]; the factor is on then as before.
pub async fn switch_off(auth: &Auth, signed: &Signed, factor: Factor, context: &Context) -> Result<(), FactorError> {
    let now = auth.now();
    may_switch(auth, signed, factor, Switch::Off, now)?;
    // Each is told of by mail, perhaps to an address that isn't the user's.
    let limit = auth.settings.limits.mail_account;
    let _mailed = throttle::by_user(auth, "factor-off", signed.user.id, None, limit, context).await?;
    switch(auth, &signed.user, factor, Switch::Off, Vec::new(), now, context).await.map(drop)
}

/// Recovery codes for their one reply. Doesn't print.
#[derive(Debug)]
pub struct RecoveryCodes(pub Vec<RecoveryCode>);

/// Makes new recovery codes; those before are dead.
///
/// # Errors
/// [`FactorError`]; those before are good then.
pub async fn renew_recovery_codes(
    auth: &Auth,
    signed: &Signed,
    context: &Context,
) -> Result<RecoveryCodes, FactorError> {
    let (now, user) = (auth.now(), &signed.user);
    if !signed.is_fresh(now) {
        return Err(FactorError::Stale);
    }
    // They stand in for a factor that can be lost.
    if user.factors.is_empty() {
        return Err(FactorError::Forbidden);
    }
    // Each is told of by mail, perhaps to an address that isn't the user's.
    let limit = auth.settings.limits.mail_account;
    let _mailed = throttle::by_user(auth, "recovery-codes", user.id, None, limit, context).await?;
    let (codes, set) = factor_check::new_recovery_codes(auth, user.id);
    let changes = [
        // Rejected where the last factor is switched off at this moment.
        Change::SetFactors { user: user.id, from: user.factors.clone(), to: user.factors.clone() },
        set,
        Change::Enqueue(mail::notice(auth, user, Notice::RecoveryCodesRenewed, now)?),
        Change::Record(auth.event(AuditKind::RecoveryCodesRenewed, context, now).by(user.id)),
    ];
    match auth.commit(&changes).await {
        Ok(()) => Ok(RecoveryCodes(codes)),
        Err(CommitError::Rejected(Rejected::Factors)) => Err(FactorError::Fault(Fault::Contended)),
        Err(error) => Err(error.into()),
    }
}

/// Switches every second factor of somebody's account off, for who has lost them, and ends their sessions. They are told by mail,
/// and anybody who knows the password can sign in then: whether it is them who asks is for the actor to find out. Where none is on,
/// that is fine.
///
/// # Errors
/// [`AdminError`]; nothing has changed then.
pub async fn drop_all(auth: &Auth, actor: Actor<'_>, user: UserId, context: &Context) -> Result<(), AdminError> {
    let (user, now) = (users::show(auth, actor, user, context).await?, auth.now());
    if user.factors.is_empty() {
        return Ok(());
    }
    let mut changes = vec![
        Change::SetFactors { user: user.id, from: user.factors.clone(), to: Factors::default() },
        Change::DropTotp { user: user.id },
        Change::SetRecoveryCodes { user: user.id, codes: Vec::new() },
        Change::AdvanceEpoch { user: user.id },
    ];
    for factor in user.factors.iter() {
        changes.push(Change::Enqueue(news(auth, &user, factor, Switch::Off, now)?));
    }
    let event = actor.event(auth, AuditKind::FactorOff, user.id, now, context);
    actor.commit_with(auth, event.with("factor", &user.factors.to_text()), changes, context).await
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

impl Switch {
    const fn purpose(self) -> Purpose {
        match self {
            Self::On => Purpose::EnableEmailFactor,
            Self::Off => Purpose::DisableEmailFactor,
        }
    }
}

fn may_switch(auth: &Auth, signed: &Signed, factor: Factor, to: Switch, now: Timestamp) -> Result<(), FactorError> {
    let user = &signed.user;
    if !signed.is_fresh(now) {
        return Err(FactorError::Stale);
    }
    let is_demanded = auth.demands_second_step(user)
        && (user.factors.without(factor).is_empty()
            || auth.settings.second_factor == SecondFactor::EmailRequired && factor == Factor::Email);
    match to {
        Switch::On if auth.settings.second_factor == SecondFactor::Off => Err(FactorError::Forbidden),
        Switch::On => Ok(()),
        Switch::Off if !auth.second_factors(user).contains(factor) => Err(FactorError::NotOn),
        // What the settings demand stays: a mailed code for everybody, or some factor for whoever holds a role.
        Switch::Off if is_demanded => Err(FactorError::Forbidden),
        Switch::Off => Ok(()),
    }
}

/// Commits a switch, with what spends its proof.
async fn switch(
    auth: &Auth,
    user: &User,
    factor: Factor,
    to: Switch,
    mut changes: Vec<Change>,
    now: Timestamp,
    context: &Context,
) -> Result<Option<RecoveryCodes>, FactorError> {
    let from = user.factors.clone();
    let after = if to == Switch::On { from.with(factor) } else { from.without(factor) };
    let mut codes = None;
    if from.is_empty() && !after.is_empty() {
        let (fresh, set) = factor_check::new_recovery_codes(auth, user.id);
        codes = Some(RecoveryCodes(fresh));
        changes.push(set);
    }
    if after.is_empty() {
        changes.push(Change::SetRecoveryCodes { user: user.id, codes: Vec::new() });
    }
    match (factor, to) {
        (Factor::Totp, Switch::Off) => changes.push(Change::DropTotp { user: user.id }),
        (Factor::Email, Switch::On) => {
            changes.push(Change::DropTokens { user: user.id, purpose: Purpose::DisableEmailFactor });
        }
        (Factor::Email, Switch::Off) => {
            changes.push(Change::DropTokens { user: user.id, purpose: Purpose::EnableEmailFactor });
        }
        (Factor::Totp, Switch::On) => {}
    }
    // Rejected where another factor is switched at this moment: then there are other codes, or none.
    changes.push(Change::SetFactors { user: user.id, from, to: after });
    changes.push(Change::Enqueue(news(auth, user, factor, to, now)?));
    let kind = if to == Switch::On { AuditKind::FactorOn } else { AuditKind::FactorOff };
    changes.push(Change::Record(auth.event(kind, context, now).by(user.id).with("factor", factor.as_str())));
    match auth.commit(&changes).await {
        Ok(()) => Ok(codes),
        Err(CommitError::Rejected(Rejected::Token)) => Err(refused(auth, user, FactorError::Invalid, context).await),
        Err(CommitError::Rejected(Rejected::Factors)) => Err(FactorError::Fault(Fault::Contended)),
        Err(error) => Err(error.into()),
    }
}

fn news(auth: &Auth, user: &User, factor: Factor, to: Switch, now: Timestamp) -> Result<SealedMail, Fault> {
    let notice = match (factor, to) {
        (Factor::Email, Switch::On) => Notice::EmailFactorOn,
        (Factor::Email, Switch::Off) => Notice::EmailFactorOff,
        (Factor::Totp, Switch::On) => Notice::TotpOn,
        (Factor::Totp, Switch::Off) => Notice::TotpOff,
    };
    mail::notice(auth, user, notice, now)
}

async fn count(auth: &Auth, user: &User, context: &Context) -> Result<Counted, Throttled> {
    let limit = auth.settings.limits.credential_account;
    throttle::by_user(auth, factor_check::SCOPE, user.id, None, limit, context).await
}

async fn refused(auth: &Auth, user: &User, why: FactorError, context: &Context) -> FactorError {
    auth.refuse(auth.event(AuditKind::FactorRefused, context, auth.now()).by(user.id), why).await
}

/// Nothing was switched.
#[derive(Debug, thiserror::Error)]
pub enum FactorError {
    /// The user has to prove again who they are.
    #[error("authenticated too long ago")]
    Stale,
    /// The settings demand it, or forbid it, or there is no factor that recovery codes could stand in for.
    #[error("not allowed")]
    Forbidden,
    /// The factor isn't on.
    #[error("the factor isn't on")]
    NotOn,
    /// The code is wrong, spent or expired.
    #[error("not a usable code")]
    Invalid,
    /// Too many failures or mails.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The core could not do its work.
    #[error(transparent)]
    Fault(Fault),
}
fault_into!(FactorError);
