//! The outbox.

use async_trait::async_trait;
use auth_core::domain::{Backlog, LeaseId, LeasedMail, MailId, MailRecord, MailState, Sealed, SealedMail, Timestamp};
use auth_core::port::{MailQuery, Outbox, StoreError};

use super::{MemoryStore, Tables};

/// A mail and how far it got.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) mail: SealedMail,
    pub(super) state: State,
    /// How often it was leased.
    attempts: u32,
    /// Why it was put off or given up last.
    reason: Option<String>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum State {
    /// To be sent from then on.
    Due(Timestamp),
    /// A worker is sending it, or has crashed by `until`.
    Leased { by: LeaseId, until: Timestamp },
    /// Sent by then: a worker does so within its lease, so the lease's end stands for it.
    Sent { by: Timestamp },
    /// Given up by then.
    Dead { by: Timestamp },
}

impl State {
    const fn as_told(self) -> MailState {
        match self {
            Self::Due(_) | Self::Leased { .. } => MailState::Queued,
            Self::Sent { .. } => MailState::Sent,
            Self::Dead { .. } => MailState::Dead,
        }
    }

    pub(super) fn is_over_since(self, time: Timestamp) -> bool {
        matches!(self, Self::Sent { by } | Self::Dead { by } if by < time)
    }
}

impl Row {
    pub(super) fn new(mail: SealedMail) -> Self {
        Self { state: State::Due(mail.created_at), mail, attempts: 0, reason: None }
    }

    fn is_due(&self, now: Timestamp) -> bool {
        match self.state {
            State::Due(at) | State::Leased { until: at, .. } => at <= now,
            State::Sent { .. } | State::Dead { .. } => false,
        }
    }

    pub(super) fn bury(&mut self, by: Timestamp, reason: &str) {
        self.state = State::Dead { by };
        self.reason = Some(reason.to_owned());
    }

    /// What the body carried is nobody's business any more.
    pub(super) fn erase(&mut self) {
        self.mail.body = Sealed::from_bytes([]);
    }

    /// Whether it is a dead letter that can still be sent: its body is there, and it lives on after `now`.
    fn is_retriable(&self, now: Timestamp) -> bool {
        matches!(self.state, State::Dead { .. }) && self.mail.expires_at > now && !self.mail.body.as_bytes().is_empty()
    }

    fn record(&self) -> MailRecord {
        MailRecord {
            id: self.mail.id,
            user: self.mail.user,
            to: self.mail.to.clone(),
            kind: self.mail.kind,
            state: self.state.as_told(),
            created_at: self.mail.created_at,
            expires_at: self.mail.expires_at,
            attempts: self.attempts,
            reason: self.reason.clone(),
        }
    }
}

#[async_trait]
impl Outbox for MemoryStore {
    async fn lease_mail(
        &self,
        lease: LeaseId,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<LeasedMail>, StoreError> {
        let leased = self.with(|tables| {
            let mut due: Vec<&mut Row> = tables.outbox.values_mut().filter(|row| row.is_due(now)).collect();
            due.sort_unstable_by_key(|row| (row.mail.created_at, row.mail.id));
            let due = due.into_iter().take(super::limit(limit));
            due.map(|row| {
                row.state = State::Leased { by: lease, until };
                row.attempts += 1;
                LeasedMail { mail: row.mail.clone(), lease, attempts: row.attempts }
            })
            .collect()
        });
        Ok(leased.await)
    }

    async fn settle_mail(&self, mail: MailId, lease: LeaseId) -> Result<bool, StoreError> {
        let settle = |row: &mut Row, until| {
            row.state = State::Sent { by: until };
            row.erase();
        };
        Ok(self.with(|tables| tables.while_leased(mail, lease, settle)).await)
    }

    async fn postpone_mail(
        &self,
        mail: MailId,
        lease: LeaseId,
        due: Timestamp,
        reason: &str,
    ) -> Result<bool, StoreError> {
        let put_off = |row: &mut Row, _| {
            row.state = State::Due(due);
            row.reason = Some(reason.to_owned());
        };
        Ok(self.with(|tables| tables.while_leased(mail, lease, put_off)).await)
    }

    async fn bury_mail(&self, mail: MailId, lease: LeaseId, reason: &str) -> Result<bool, StoreError> {
        Ok(self.with(|tables| tables.while_leased(mail, lease, |row, until| row.bury(until, reason))).await)
    }

    async fn retry_mail(&self, mail: Option<MailId>, now: Timestamp) -> Result<u64, StoreError> {
        let retried = self.with(|tables| {
            let is_asked_for = |row: &&mut Row| mail.is_none_or(|id| row.mail.id == id) && row.is_retriable(now);
            let put_up = tables.outbox.values_mut().filter(is_asked_for).map(|row| {
                row.state = State::Due(now);
                row.attempts = 0;
            });
            put_up.count() as u64
        });
        Ok(retried.await)
    }

    async fn mails(&self, query: &MailQuery) -> Result<Vec<MailRecord>, StoreError> {
        let is_asked_for = |mail: &MailRecord| {
            (query.user.is_none() || mail.user == query.user)
                && query.state.is_none_or(|state| mail.state == state)
                && query.before.is_none_or(|end| mail.id < end)
        };
        let mails = self.with(|tables| {
            let newest_first = tables.outbox.values().rev().map(Row::record);
            newest_first.filter(is_asked_for).take(super::limit(query.limit)).collect()
        });
        Ok(mails.await)
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        let backlog = self.with(|tables| {
            let of = |state| tables.outbox.values().filter(move |row| row.state.as_told() == state);
            Backlog {
                queued: of(MailState::Queued).count() as u64,
                oldest: of(MailState::Queued).map(|row| row.mail.created_at).min(),
                dead: of(MailState::Dead).count() as u64,
            }
        });
        Ok(backlog.await)
    }
}

impl Tables {
    /// Does `work` if `lease` still holds the mail. One whose time ran out holds it until somebody else takes it.
    fn while_leased(&mut self, mail: MailId, lease: LeaseId, work: impl FnOnce(&mut Row, Timestamp)) -> bool {
        match self.outbox.get_mut(&mail) {
            Some(row) => match row.state {
                State::Leased { by, until } if by == lease => {
                    work(row, until);
                    true
                }
                _ => false,
            },
            None => false,
        }
    }
}
