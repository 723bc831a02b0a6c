//! The end of an account, and all that is stored about its owner.

use crate::auth::{Auth, Fault, fault_into};
use crate::domain::{
    Account, AuditEvent, AuditKind, Context, MailKind, MailRecord, Notice, Purpose, SealedMail, Session, Signed, Token,
    User,
};
use crate::flow::mail;
use crate::port::{AuditQuery, Change, CommitError, MailQuery, Rejected, StoreError};

/// Deletes the account with all that is stored about its owner. What the audit log tells of them loses address, agent,
/// request and detail. They are told by mail.
///
/// # Errors
/// [`AccountError`]; nothing has been deleted then.
pub async fn delete(auth: &Auth, signed: &Signed, context: &Context) -> Result<(), AccountError> {
    let now = auth.now();
    if !signed.is_fresh(now) {
        return Err(AccountError::Stale);
    }
    let user = &signed.user;
    let farewell = SealedMail { user: None, ..mail::notice(auth, user, Notice::AccountDeleted, now)? };
    // What tells of the deletion is no more than the rest that stays.
    let event = auth.event(AuditKind::UserDeleted, &Context::default(), now).by(user.id);
    let changes = [
        // Rejected where the session was ended since it was read: a signed-out browser deletes nothing.
        Change::CloseSession { user: user.id, session: signed.session.id, at: now },
        Change::DeleteUser { user: user.id },
        Change::Enqueue(farewell),
        Change::Record(event),
    ];
    match auth.commit(&changes).await {
        Ok(()) => Ok(()),
        Err(CommitError::Rejected(Rejected::Session | Rejected::User)) => Err(AccountError::Unauthorized),
        Err(CommitError::Rejected(Rejected::LastHolder)) => {
            let event = auth.event(AuditKind::AdministrationRefused, context, now).by(user.id);
            Err(auth.refuse(event, AccountError::LastHolder).await)
        }
        Err(error) => Err(error.into()),
    }
}

/// All that is stored about a user, but for secrets and what is made of them.
#[derive(Debug)]
pub struct Export {
    /// The user.
    pub user: User,
    /// Whether there is a password.
    pub has_password: bool,
    /// Their sessions, ended ones that are still kept included; newest first.
    pub sessions: Vec<Session>,
    /// Recovery codes that are not spent; which second factors are on stands with the user.
    pub recovery_codes_left: usize,
    /// One-time tokens that are good, or were lately.
    pub tokens: Vec<Token>,
    /// Mail to them that is still known of, but not to addresses that the account was to move to; newest first.
    pub mails: Vec<MailRecord>,
    /// What the audit log tells about and by them; newest first.
    pub events: Vec<AuditEvent>,
}

/// All that is stored about the user.
///
/// # Errors
/// [`AccountError`].
pub async fn export(auth: &Auth, signed: &Signed, context: &Context) -> Result<Export, AccountError> {
    let now = auth.now();
    if !signed.is_fresh(now) {
        return Err(AccountError::Stale);
    }
    let id = signed.user.id;
    let Some(Account { user, password }) = auth.store.find_user(id).await? else {
        return Err(AccountError::Unauthorized);
    };
    let mut tokens = Vec::new();
    for purpose in Purpose::ALL {
        tokens.extend(auth.store.tokens_of(id, purpose).await?);
    }
    let export = Export {
        user,
        has_password: password.is_some(),
        sessions: auth.store.sessions_of(id).await?,
        recovery_codes_left: auth.store.recovery_codes(id).await?.len(),
        tokens,
        mails: mails(auth, signed).await?,
        events: events(auth, signed).await?,
    };
    auth.commit(&[Change::Record(auth.event(AuditKind::UserExported, context, now).by(id))]).await?;
    Ok(export)
}

const PAGE: u32 = 500;

async fn mails(auth: &Auth, signed: &Signed) -> Result<Vec<MailRecord>, StoreError> {
    let mut query = MailQuery { user: Some(signed.user.id), limit: PAGE, ..MailQuery::default() };
    let mut all = Vec::new();
    loop {
        let page = auth.store.mails(&query).await?;
        query.before = page.last().map(|mail| mail.id);
        let is_last = page.len() < PAGE as usize;
        // A move to an address that is taken makes no such mail, and nobody learns here which are. What was asked for is
        // among the events.
        all.extend(page.into_iter().filter(|mail| mail.kind != MailKind::ChangeEmail));
        if is_last {
            return Ok(all);
        }
    }
}

async fn events(auth: &Auth, signed: &Signed) -> Result<Vec<AuditEvent>, StoreError> {
    let mut query = AuditQuery { user: Some(signed.user.id), limit: PAGE, ..AuditQuery::default() };
    let mut all = Vec::new();
    loop {
        let page = auth.store.audit_events(&query).await?;
        query.before = page.last().map(|event| event.id);
        let is_last = page.len() < PAGE as usize;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

/// The account stands as it did.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The user has to prove again who they are.
    #[error("authenticated too long ago")]
    Stale,
    /// The session has ended meanwhile.
    #[error("the session has ended")]
    Unauthorized,
    /// Nobody else would hold a role that somebody must hold.
    #[error("the last holder of a role that somebody must hold")]
    LastHolder,
    /// The core could not do its work.
    #[error(transparent)]
    Fault(Fault),
}
fault_into!(AccountError);
