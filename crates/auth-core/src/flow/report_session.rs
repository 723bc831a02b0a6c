//! *This wasn't me*: ending a session that a mail told its user of.

use crate::auth::{Auth, Fault, fault_into};
use crate::domain::{AuditKind, Context, Issued, Purpose, Secret, SessionKey, Signed};
use crate::flow::proof::{self, ProofError};
use crate::flow::reset_password;
use crate::flow::throttle::{self, Throttled};
use crate::port::{Change, CommitError, Rejected};

/// Ends the session that the link was mailed about, and mails its user a reset of the password, which whoever opened it knows.
///
/// With it go all sessions of that device: its holder may have carried it on as another by then, or have signed in again from what
/// is a known device now.
///
/// # Errors
/// [`ReportError`]; nothing is spent then.
pub async fn report(auth: &Auth, secret: &Secret, context: &Context) -> Result<(), ReportError> {
    let counted = throttle::by_address(auth, proof::SCOPE, auth.settings.limits.proof_address, context).await?;
    let outcome = report_counted(auth, secret, context).await;
    if !matches!(outcome, Err(ReportError::Invalid)) {
        counted.give_back(auth).await;
    }
    outcome
}

async fn report_counted(auth: &Auth, secret: &Secret, context: &Context) -> Result<(), ReportError> {
    let now = auth.now();
    // A round is rejected where other reset mails took their place meanwhile.
    for _ in 0..4 {
        let Issued { token, user } = match proof::by_link(auth, secret, Purpose::ReportSession, now).await {
            Ok(issued) => issued,
            Err(ProofError::Fault(fault)) => return Err(ReportError::Fault(fault)),
            Err(ProofError::Invalid) => return Err(refused(auth, context).await),
        };
        let mut changes = vec![Change::SpendToken { user: user.id, token: token.id }];
        if let Some(id) = token.session
            && let Some(Signed { session, .. }) = auth.store.find_session(&SessionKey::Id(id)).await?
        {
            changes.push(Change::CloseDevice { user: user.id, device: session.device, at: now });
        }
        // Not to an address that whoever signed in has moved the account to; the old one has a link that moves it back.
        if token.email == user.email {
            changes.extend(reset_password::mail_reset(auth, &user, now, context).await?);
        }
        let event = auth.event(AuditKind::SessionReported, context, now).by(user.id);
        let session = token.session.map(|session| session.to_string()).unwrap_or_default();
        changes.push(Change::Record(event.with("session", &session)));
        match auth.commit(&changes).await {
            Ok(()) => return Ok(()),
            Err(CommitError::Rejected(Rejected::Token | Rejected::TooManyTokens | Rejected::EmailChanged)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(ReportError::Fault(Fault::Contended))
}

async fn refused(auth: &Auth, context: &Context) -> ReportError {
    auth.refuse(auth.event(AuditKind::SessionReportFailed, context, auth.now()), ReportError::Invalid).await
}

/// No session was ended.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The link is unknown, spent, expired, or for something else.
    #[error("not a usable link")]
    Invalid,
    /// Too many wrong links from this address.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The core could not do its work.
    #[error(transparent)]
    Fault(Fault),
}
fault_into!(ReportError);
