//! The outbox.

use async_trait::async_trait;
use auth_core::domain::{Backlog, LeaseId, LeasedMail, MailId, MailRecord, MailState, Sealed, SealedMail, Timestamp};
use auth_core::port::{MailQuery, Outbox, StoreError};

use crate::record::MailRow;
use crate::table::Record as _;
use crate::transaction::Snapshot;
use crate::{RedbStore, limit};

#[async_trait]
impl Outbox for RedbStore {
    async fn lease_mail(
        &self,
        lease: LeaseId,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<LeasedMail>, StoreError> {
        self.write(move |tx| {
            let mut due = Vec::new();
            for (_, row) in tx.with_prefix(MailRow::TABLE, &[])? {
                match MailRow::decode(&row) {
                    Ok(row) if row.is_due(now) => due.push(row),
                    Ok(_) => {}
                    // A mail that only a later version can read must not hold up the others.
                    Err(error) => tracing::error!(?error, "a mail in the outbox can't be read"),
                }
            }
            due.sort_unstable_by_key(|row| (row.mail.created_at, row.mail.id));
            let lease_one = |mut row: MailRow| {
                (row.lease, row.at) = (Some(lease), until);
                row.attempts += 1;
                tx.put(row.mail.id.as_bytes(), &row)?;
                Ok(LeasedMail { lease, attempts: row.attempts, mail: row.mail })
            };
            due.into_iter().take(crate::limit(limit)).map(lease_one).collect()
        })
        .await
    }

    async fn settle_mail(&self, mail: MailId, lease: LeaseId) -> Result<bool, StoreError> {
        let settle = |row: &mut MailRow| {
            row.state = MailState::Sent;
            row.erase();
        };
        self.update_leased(mail, lease, settle).await
    }

    async fn postpone_mail(
        &self,
        mail: MailId,
        lease: LeaseId,
        due: Timestamp,
        reason: &str,
    ) -> Result<bool, StoreError> {
        let reason = reason.to_owned();
        let put_off = move |row: &mut MailRow| (row.at, row.reason) = (due, Some(reason));
        self.update_leased(mail, lease, put_off).await
    }

    async fn bury_mail(&self, mail: MailId, lease: LeaseId, reason: &str) -> Result<bool, StoreError> {
        let reason = reason.to_owned();
        let bury = move |row: &mut MailRow| (row.state, row.reason) = (MailState::Dead, Some(reason));
        self.update_leased(mail, lease, bury).await
    }

    async fn retry_mail(&self, mail: Option<MailId>, now: Timestamp) -> Result<u64, StoreError> {
        self.write(move |tx| {
            let mut retried = 0;
            for (id, mut row) in tx.all::<MailRow>()? {
                if mail.is_none_or(|asked_for| row.mail.id == asked_for) && row.is_retriable(now) {
                    (row.state, row.at, row.attempts) = (MailState::Queued, now, 0);
                    tx.put(&id, &row)?;
                    retried += 1;
                }
            }
            Ok(retried)
        })
        .await
    }

    async fn mails(&self, query: &MailQuery) -> Result<Vec<MailRecord>, StoreError> {
        let query = query.clone();
        self.read(move |rows| {
            let is_asked_for = |mail: &MailRecord| {
                (query.user.is_none() || mail.user == query.user)
                    && query.state.is_none_or(|state| mail.state == state)
                    && query.before.is_none_or(|end| mail.id < end)
            };
            let newest_first = rows.all::<MailRow>()?.into_iter().rev().map(|(_, row)| row.record());
            Ok(newest_first.filter(is_asked_for).take(limit(query.limit)).collect())
        })
        .await
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        let rows = self.read(Snapshot::all::<MailRow>).await?;
        let of = |state| rows.iter().filter(move |(_, row)| row.state == state);
        Ok(Backlog {
            queued: of(MailState::Queued).count() as u64,
            oldest: of(MailState::Queued).map(|(_, row)| row.mail.created_at).min(),
            dead: of(MailState::Dead).count() as u64,
        })
    }
}

impl RedbStore {
    /// Changes a mail, and ends its lease, if `lease` still holds it. One whose time ran out holds it until somebody else
    /// takes it. What it holds until then is when the mail counts as sent or given up: a worker is done within its lease.
    async fn update_leased(
        &self,
        mail: MailId,
        lease: LeaseId,
        set: impl FnOnce(&mut MailRow) + Send + 'static,
    ) -> Result<bool, StoreError> {
        let set = move |row: &mut MailRow| {
            row.lease = None;
            set(row);
        };
        let is_held = move |row: &MailRow| row.lease == Some(lease);
        Ok(self.write(move |tx| tx.update(mail.as_bytes(), is_held, set)).await? == 1)
    }
}

impl MailRow {
    /// Due at once.
    pub(crate) fn new(mail: SealedMail) -> Self {
        Self { at: mail.created_at, mail, state: MailState::Queued, lease: None, attempts: 0, reason: None }
    }

    /// What the body carried is nobody's business any more.
    pub(crate) fn erase(&mut self) {
        self.mail.body = Sealed::from_bytes([]);
    }

    pub(crate) fn is_erased(&self) -> bool {
        self.mail.body.as_bytes().is_empty()
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.state == MailState::Queued && self.at <= now
    }

    /// Whether it is a dead letter that can still be sent.
    fn is_retriable(&self, now: Timestamp) -> bool {
        self.state == MailState::Dead && !self.is_erased() && self.mail.expires_at > now
    }

    fn record(self) -> MailRecord {
        let Self { mail, state, attempts, reason, .. } = self;
        let SealedMail { id, user, to, kind, created_at, expires_at, .. } = mail;
        MailRecord { id, user, to, kind, state, created_at, expires_at, attempts, reason }
    }
}
