//! Leasing mail and settling it.

use async_trait::async_trait;
use auth_core::domain::{LeaseId, LeasedMail, MailId, MailKind, Sealed, SealedMail, Timestamp};
use auth_core::port::{Outbox, StoreError};

use super::row::Fields;
use super::{Store, dialect, fetch, patiently, sql, store_error};

const SETTLE: &str = "
    update auth_mail_outbox set state = 'sent', body = null, lease = null, done_at = due_at
    where id = $1 and lease = $2 and state = 'queued'";

const POSTPONE: &str = "
    update auth_mail_outbox set lease = null, due_at = $1, reason = $2
    where id = $3 and lease = $4 and state = 'queued'";

const BURY: &str = "
    update auth_mail_outbox set state = 'dead', body = null, lease = null, done_at = due_at, reason = $1
    where id = $2 and lease = $3 and state = 'queued'";

#[async_trait]
impl Outbox for Store {
    async fn lease_mail(
        &self,
        lease: LeaseId,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<LeasedMail>, StoreError> {
        let query = || {
            sql(dialect::LEASE_MAIL)
                .bind(lease.as_uuid())
                .bind(until.as_micros())
                .bind(now.as_micros())
                .bind(i64::from(limit))
        };
        let rows = patiently(|| fetch(&self.writes, query())).await.map_err(store_error)?;
        let mut mails = Vec::with_capacity(rows.len());
        for row in &rows {
            match leased(&mut Fields::of(row), lease) {
                Ok(mail) => mails.push(mail),
                // Left to its lease: one mail that only a later version can read must not hold up the others.
                Err(error) => tracing::error!(?error, "a mail in the outbox can't be read"),
            }
        }
        // An update returns its rows in no particular order.
        mails.sort_unstable_by_key(|leased| (leased.mail.created_at, leased.mail.id));
        Ok(mails)
    }

    async fn settle_mail(&self, mail: MailId, lease: LeaseId) -> Result<bool, StoreError> {
        Ok(self.execute(|| sql(SETTLE).bind(mail.as_uuid()).bind(lease.as_uuid())).await? == 1)
    }

    async fn postpone_mail(
        &self,
        mail: MailId,
        lease: LeaseId,
        due: Timestamp,
        reason: &str,
    ) -> Result<bool, StoreError> {
        let query = || sql(POSTPONE).bind(due.as_micros()).bind(reason).bind(mail.as_uuid()).bind(lease.as_uuid());
        Ok(self.execute(query).await? == 1)
    }

    async fn bury_mail(&self, mail: MailId, lease: LeaseId, reason: &str) -> Result<bool, StoreError> {
        Ok(self.execute(|| sql(BURY).bind(reason).bind(mail.as_uuid()).bind(lease.as_uuid())).await? == 1)
    }
}

fn leased(fields: &mut Fields<'_>, lease: LeaseId) -> Result<LeasedMail, StoreError> {
    let mail = SealedMail {
        id: fields.id()?,
        to: fields.email()?,
        kind: fields.parsed("kind of mail", MailKind::parse)?,
        body: fields.take::<&[u8]>().map(Sealed::from_bytes)?,
        created_at: fields.time()?,
        expires_at: fields.time()?,
    };
    Ok(LeasedMail { mail, lease, attempts: fields.number("attempts")? })
}
