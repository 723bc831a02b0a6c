//! The outbox, as operators see it.

use crate::auth::{Auth, Fault};
use crate::domain::{AuditKind, Backlog, Context, MailId, MailRecord};
use crate::port::{Change, MailQuery, StoreError};

/// Mails by page, newest first, without what they carry; see [`MailQuery`].
///
/// # Errors
/// [`StoreError`] when the store could not answer.
pub async fn list(auth: &Auth, query: &MailQuery) -> Result<Vec<MailRecord>, StoreError> {
    auth.store.mails(query).await
}

/// What waits to be sent.
///
/// # Errors
/// [`StoreError`] when the store could not answer.
pub async fn backlog(auth: &Auth) -> Result<Backlog, StoreError> {
    auth.store.backlog().await
}

/// Puts up again what was given up: that mail, or all. One that has expired stays dead, since so is what it carries. Returns
/// how many.
///
/// # Errors
/// [`Fault`] when the store could not do it.
pub async fn retry(auth: &Auth, mail: Option<MailId>, context: &Context) -> Result<u64, Fault> {
    let now = auth.now();
    let mails = auth.store.retry_mail(mail, now).await?;
    if mails > 0 {
        let event = auth.event(AuditKind::MailRetried, context, now).with("mails", &mails.to_string());
        auth.commit(&[Change::Record(event)]).await?;
        auth.mail_waiting.notify_one();
    }
    Ok(mails)
}
