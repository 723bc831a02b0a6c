//! Whether a code takes a step: a time step of an authenticator, a mailed code, or a recovery code.

use crate::auth::{Auth, Fault};
use crate::domain::{Code, Notice, RecoveryCode, SecondStep, Timestamp, Token, User, UserId};
use crate::flow::{mail, proof};
use crate::keys::MacUse;
use crate::port::Change;
use crate::totp::TotpKey;

/// The scope that wrong codes of second factors are counted in, by account: over challenges, addresses and factors.
pub(super) const SCOPE: &str = "second-factor";

/// How a second step may be taken, the usual one first. Recovery codes are for factors that one can lose.
pub(super) fn steps(auth: &Auth, user: &User) -> Vec<SecondStep> {
    let mut steps: Vec<SecondStep> = auth.second_factors(user).iter().map(SecondStep::from).collect();
    if !user.factors.is_empty() {
        steps.push(SecondStep::Recovery);
    }
    steps
}

/// The step that a code is meant for: the one that is named, else the usual one for six digits, and recovery for everything
/// else.
pub(super) fn meant(auth: &Auth, user: &User, named: Option<SecondStep>, code: &str) -> SecondStep {
    let usual = || steps(auth, user).first().copied().filter(|_| Code::parse(code).is_some());
    named.or_else(usual).unwrap_or(SecondStep::Recovery)
}

/// What spends the code, if it takes the step; `None` where it doesn't, or where the step isn't one of the user's.
///
/// `mailed` is the record that a mailed code belongs to; its attempts are to be claimed before.
pub(super) async fn check(
    auth: &Auth,
    user: &User,
    step: SecondStep,
    code: &str,
    mailed: Option<&Token>,
    now: Timestamp,
) -> Result<Option<Vec<Change>>, Fault> {
    if !steps(auth, user).contains(&step) {
        return Ok(None);
    }
    match step {
        SecondStep::Totp => match Code::parse(code) {
            Some(code) => totp(auth, user.id, &code, now).await,
            None => Ok(None),
        },
        SecondStep::Email => {
            let takes =
                mailed.zip(Code::parse(code)).is_some_and(|(token, code)| proof::is_code_of(auth, token, &code, now));
            Ok(takes.then(Vec::new))
        }
        SecondStep::Recovery => match RecoveryCode::parse(code) {
            Some(code) => recovery(auth, user, &code, now).await,
            None => Ok(None),
        },
    }
}

async fn totp(auth: &Auth, user: UserId, code: &Code, now: Timestamp) -> Result<Option<Vec<Change>>, Fault> {
    let secrets = auth.store.totp_secrets(user).await?;
    let Some((record, last)) = secrets.iter().find_map(|record| Some((record, record.last_step?))) else {
        return Ok(None);
    };
    let key = TotpKey::open(&auth.ring, record)?;
    let Some(step) = key.step_of(code, now).filter(|step| *step > last) else { return Ok(None) };
    let mut changes = vec![Change::SpendTotpStep { user, factor: record.id, step }];
    if record.secret.key() != Some(auth.ring.current()) {
        let to = key.seal(&auth.ring, record.id, user, &*auth.entropy)?;
        changes.push(Change::ResealTotp { user, factor: record.id, from: record.secret.clone(), to });
    }
    Ok(Some(changes))
}

async fn recovery(auth: &Auth, user: &User, code: &RecoveryCode, now: Timestamp) -> Result<Option<Vec<Change>>, Fault> {
    let macs = auth.store.recovery_codes(user.id).await?;
    let parts = recovery_parts(&user.id, code);
    let Some(mac) = macs.into_iter().find(|mac| auth.ring.verify(MacUse::Recovery, &parts, mac)) else {
        return Ok(None);
    };
    Ok(Some(vec![
        Change::SpendRecoveryCode { user: user.id, code: mac },
        Change::Enqueue(mail::notice(auth, user, Notice::RecoveryCodeUsed, now)?),
    ]))
}

/// Fresh recovery codes, and what stores keep of them.
pub(super) fn new_recovery_codes(auth: &Auth, user: UserId) -> (Vec<RecoveryCode>, Change) {
    let codes: Vec<RecoveryCode> = (0..RecoveryCode::COUNT).map(|_| RecoveryCode::new(&*auth.entropy)).collect();
    let macs = codes.iter().map(|code| auth.ring.mac(MacUse::Recovery, &recovery_parts(&user, code))).collect();
    (codes, Change::SetRecoveryCodes { user, codes: macs })
}

fn recovery_parts<'a>(user: &'a UserId, code: &'a RecoveryCode) -> [&'a [u8]; 2] {
    [user.as_bytes(), code.as_bytes()]
}
