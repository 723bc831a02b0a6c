//! Leasing mail and settling it.

use async_trait::async_trait;
use auth_core::domain::{
    Backlog, Email, LeaseId, LeasedMail, MailId, MailKind, MailRecord, MailState, Sealed, SealedMail, Timestamp, UserId,
};
use auth_core::port::{MailQuery, Outbox, StoreError};
use auth_store::outbox;
use diesel::SelectableHelper as _;
use diesel::dsl::{count_star, min};
use diesel::prelude::{ExpressionMethods as _, NullableExpressionMethods as _, QueryDsl as _, Queryable, Selectable};
use diesel_async::RunQueryDsl;
use futures_util::FutureExt as _;

use super::dialect::{self, Db};
use super::row::{count, maybe_time, number, parsed};
use super::{Id, Prepared, Store, auth_mail_outbox as mails};

/// What a worker gets.
#[derive(Queryable, Selectable)]
#[diesel(table_name = mails, check_for_backend(Db))]
pub(crate) struct LeasedRow {
    id: Id,
    user_id: Option<Id>,
    recipient: String,
    recipient_canonical: String,
    kind: String,
    body: Option<Vec<u8>>,
    created_at: i64,
    expires_at: i64,
    attempts: i64,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = mails, check_for_backend(Db))]
struct MailRow {
    id: Id,
    user_id: Option<Id>,
    recipient: String,
    recipient_canonical: String,
    kind: String,
    state: String,
    created_at: i64,
    expires_at: i64,
    attempts: i64,
    reason: Option<String>,
}

/// A mail in the queue that a worker holds.
macro_rules! held {
    ($mail:expr, $lease:expr) => {
        mails::table
            .filter(mails::id.eq(Id($mail.as_uuid())))
            .filter(mails::lease.eq(Id($lease.as_uuid())))
            .filter(mails::state.eq("queued"))
    };
}

#[async_trait]
impl Outbox for Store {
    async fn lease_mail(
        &self,
        lease: LeaseId,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<LeasedMail>, StoreError> {
        let rows = self.execute(move |connection| {
            dialect::lease_mail(connection, Id(lease.as_uuid()), now.as_micros(), until.as_micros(), limit.into())
                .boxed()
        });
        Ok(outbox::readable(rows.await?.into_iter().map(|row| row.read(lease))))
    }

    async fn settle_mail(&self, mail: MailId, lease: LeaseId) -> Result<bool, StoreError> {
        let settle = move || {
            diesel::update(held!(mail, lease)).set((
                mails::state.eq("sent"),
                mails::body.eq(None::<Vec<u8>>),
                mails::lease.eq(None::<Id>),
                mails::done_at.eq(mails::due_at.nullable()),
            ))
        };
        Ok(self.execute(move |connection| Prepared(settle()).execute(connection)).await? == 1)
    }

    async fn postpone_mail(
        &self,
        mail: MailId,
        lease: LeaseId,
        due: Timestamp,
        reason: &str,
    ) -> Result<bool, StoreError> {
        let reason = reason.to_owned();
        let postpone = move || {
            diesel::update(held!(mail, lease)).set((
                mails::lease.eq(None::<Id>),
                mails::due_at.eq(due.as_micros()),
                mails::reason.eq(reason.clone()),
            ))
        };
        Ok(self.execute(move |connection| Prepared(postpone()).execute(connection)).await? == 1)
    }

    async fn bury_mail(&self, mail: MailId, lease: LeaseId, reason: &str) -> Result<bool, StoreError> {
        let reason = reason.to_owned();
        let bury = move || {
            diesel::update(held!(mail, lease)).set((
                mails::state.eq("dead"),
                mails::lease.eq(None::<Id>),
                mails::done_at.eq(mails::due_at.nullable()),
                mails::reason.eq(reason.clone()),
            ))
        };
        Ok(self.execute(move |connection| Prepared(bury()).execute(connection)).await? == 1)
    }

    async fn retry_mail(&self, mail: Option<MailId>, now: Timestamp) -> Result<u64, StoreError> {
        let now = now.as_micros();
        let again = move || {
            let mut dead = diesel::update(mails::table)
                .filter(mails::state.eq("dead"))
                .filter(mails::body.is_not_null())
                .filter(mails::expires_at.gt(now))
                .into_boxed::<Db>();
            if let Some(mail) = mail {
                dead = dead.filter(mails::id.eq(Id(mail.as_uuid())));
            }
            dead.set((
                mails::state.eq("queued"),
                mails::due_at.eq(now),
                mails::attempts.eq(0_i64),
                mails::done_at.eq(None::<i64>),
            ))
        };
        let rows = self.execute(move |connection| Prepared(again()).execute(connection)).await?;
        Ok(u64::try_from(rows).unwrap_or(u64::MAX))
    }

    async fn mails(&self, query: &MailQuery) -> Result<Vec<MailRecord>, StoreError> {
        let newest = || {
            let mut page = mails::table.select(MailRow::as_select()).into_boxed::<Db>();
            if let Some(user) = query.user {
                page = page.filter(mails::user_id.eq(Id(user.as_uuid())));
            }
            if let Some(state) = query.state {
                page = page.filter(mails::state.eq(MailState::as_str(state)));
            }
            if let Some(before) = query.before {
                page = page.filter(mails::id.lt(Id(before.as_uuid())));
            }
            page.order(mails::id.desc()).limit(query.limit.into())
        };
        self.list(newest).await?.into_iter().map(MailRow::read).collect()
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        let query = || {
            let queued = || mails::table.filter(mails::state.eq("queued"));
            let dead = mails::table.filter(mails::state.eq("dead"));
            diesel::select((
                queued().select(count_star()).single_value(),
                queued().select(min(mails::created_at)).single_value(),
                dead.select(count_star()).single_value(),
            ))
        };
        let rows: Vec<(Option<i64>, Option<i64>, Option<i64>)> = self.list(query).await?;
        let Some((queued, oldest, dead)) = rows.into_iter().next() else { return Ok(Backlog::default()) };
        Ok(Backlog {
            queued: count(queued.unwrap_or_default())?,
            oldest: maybe_time(oldest),
            dead: count(dead.unwrap_or_default())?,
        })
    }
}

impl LeasedRow {
    fn read(self, lease: LeaseId) -> Result<LeasedMail, StoreError> {
        let mail = SealedMail {
            id: MailId::from(self.id.0),
            user: self.user_id.map(|id| UserId::from(id.0)),
            to: Email::from_stored(self.recipient, self.recipient_canonical),
            kind: parsed(MailKind::parse(&self.kind), "kind of mail")?,
            body: parsed(self.body.map(Sealed::from_bytes), "body of mail")?,
            created_at: Timestamp::from_micros(self.created_at),
            expires_at: Timestamp::from_micros(self.expires_at),
        };
        Ok(LeasedMail { mail, lease, attempts: number(self.attempts, "attempts")? })
    }
}

impl MailRow {
    fn read(self) -> Result<MailRecord, StoreError> {
        Ok(MailRecord {
            id: MailId::from(self.id.0),
            user: self.user_id.map(|id| UserId::from(id.0)),
            to: Email::from_stored(self.recipient, self.recipient_canonical),
            kind: parsed(MailKind::parse(&self.kind), "kind of mail")?,
            state: parsed(MailState::parse(&self.state), "state of mail")?,
            created_at: Timestamp::from_micros(self.created_at),
            expires_at: Timestamp::from_micros(self.expires_at),
            attempts: number(self.attempts, "attempts")?,
            reason: self.reason,
        })
    }
}
