//! The outbox.

use async_trait::async_trait;
use auth_core::domain::{LeaseId, LeasedMail, MailId, Sealed, SealedMail, Timestamp};
use auth_core::port::{Outbox, StoreError};

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
    /// Sent or given up, by then: a worker does so within its lease, so the lease's end stands for it.
    Over { by: Timestamp },
}

impl Row {
    pub(super) fn new(mail: SealedMail) -> Self {
        Self { state: State::Due(mail.created_at), mail, attempts: 0, reason: None }
    }

    fn is_due(&self, now: Timestamp) -> bool {
        match self.state {
            State::Due(at) | State::Leased { until: at, .. } => at <= now,
            State::Over { .. } => false,
        }
    }

    /// Ends it one way or the other: what its body carried is nobody's business any more.
    pub(super) fn end(&mut self, by: Timestamp, reason: Option<&str>) {
        self.state = State::Over { by };
        self.mail.body = Sealed::from_bytes([]);
        self.reason = reason.map(str::to_owned);
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
            let due = due.into_iter().take(usize::try_from(limit).unwrap_or(usize::MAX));
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
        Ok(self.with(|tables| tables.while_leased(mail, lease, |row, until| row.end(until, None))).await)
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
        Ok(self.with(|tables| tables.while_leased(mail, lease, |row, until| row.end(until, Some(reason)))).await)
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
