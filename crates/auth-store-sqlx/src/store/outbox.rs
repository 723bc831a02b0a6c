//! Leasing mail and settling it.

use async_trait::async_trait;
use auth_core::domain::{
    Backlog, LeaseId, LeasedMail, MailId, MailKind, MailRecord, MailState, Sealed, SealedMail, Timestamp, UserId,
};
use auth_core::port::{MailQuery, Outbox, StoreError};
use auth_store::outbox;

use super::parts::Parts;
use super::row::Fields;
use super::{Store, dialect, sql};

const SETTLE: &str = "
    update auth_mail_outbox set state = 'sent', body = null, lease = null, done_at = due_at
    where id = $1 and lease = $2 and state = 'queued'";

const POSTPONE: &str = "
    update auth_mail_outbox set lease = null, due_at = $1, reason = $2
    where id = $3 and lease = $4 and state = 'queued'";

const BURY: &str = "
    update auth_mail_outbox set state = 'dead', lease = null, done_at = due_at, reason = $1
    where id = $2 and lease = $3 and state = 'queued'";

macro_rules! retry {
    ($which:literal) => {
        concat!(
            "update auth_mail_outbox set state = 'queued', due_at = $1, attempts = 0, done_at = null
            where state = 'dead' and body is not null and expires_at > $2",
            $which
        )
    };
}

const RETRY_ALL: &str = retry!("");

const RETRY_ONE: &str = retry!(" and id = $3");

const MAILS: &str = "
    select id, user_id, recipient, recipient_canonical, kind, state, created_at, expires_at, attempts, reason
    from auth_mail_outbox where true";

const BACKLOG: &str = "
    select (select count(*) from auth_mail_outbox where state = 'queued'),
        (select min(created_at) from auth_mail_outbox where state = 'queued'),
        (select count(*) from auth_mail_outbox where state = 'dead')";

#[async_trait]
impl Outbox for Store {
    async fn lease_mail(
        &self,
        lease: LeaseId,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<LeasedMail>, StoreError> {
        let rows = dialect::writes::lease_mail(self, lease, until, now, limit).await?;
        Ok(outbox::readable(rows.iter().map(|row| leased(&mut Fields::of(row), lease))))
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

    async fn retry_mail(&self, mail: Option<MailId>, now: Timestamp) -> Result<u64, StoreError> {
        let query = || match mail {
            None => sql(RETRY_ALL).bind(now.as_micros()).bind(now.as_micros()),
            Some(mail) => sql(RETRY_ONE).bind(now.as_micros()).bind(now.as_micros()).bind(mail.as_uuid()),
        };
        self.execute(query).await
    }

    async fn mails(&self, query: &MailQuery) -> Result<Vec<MailRecord>, StoreError> {
        let mails = || {
            Parts::of(MAILS)
                .with_any(" and user_id = ", query.user.map(UserId::as_uuid))
                .with_any(" and state = ", query.state.map(MailState::as_str))
                .with_any(" and id < ", query.before.map(MailId::as_uuid))
                .with(" order by id desc limit ", query.limit)
                .statement()
        };
        self.rows(mails).await?.iter().map(|row| record(&mut Fields::of(row))).collect()
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        let rows = self.rows(|| sql(BACKLOG)).await?;
        let Some(row) = rows.first() else { return Ok(Backlog::default()) };
        let mut fields = Fields::of(row);
        Ok(Backlog { queued: fields.count()?, oldest: fields.maybe_time()?, dead: fields.count()? })
    }
}

fn record(fields: &mut Fields<'_>) -> Result<MailRecord, StoreError> {
    Ok(MailRecord {
        id: fields.id()?,
        user: fields.maybe_id()?,
        to: fields.email()?,
        kind: fields.parsed("kind of mail", MailKind::parse)?,
        state: fields.parsed("state of mail", MailState::parse)?,
        created_at: fields.time()?,
        expires_at: fields.time()?,
        attempts: fields.number("attempts")?,
        reason: fields.take()?,
    })
}

fn leased(fields: &mut Fields<'_>, lease: LeaseId) -> Result<LeasedMail, StoreError> {
    let mail = SealedMail {
        id: fields.id()?,
        user: fields.maybe_id()?,
        to: fields.email()?,
        kind: fields.parsed("kind of mail", MailKind::parse)?,
        body: fields.take::<&[u8]>().map(Sealed::from_bytes)?,
        created_at: fields.time()?,
        expires_at: fields.time()?,
    };
    Ok(LeasedMail { mail, lease, attempts: fields.number("attempts")? })
}
