//! Statements about keys, budgets, outgoing mail and the audit log.

use std::time::Duration;

use async_trait::async_trait;
use auth_core::domain::{AuditEvent, Budget, PepperCheck, Sealed, SealedMail, SigningKey, Subject, Timestamp};
use auth_store::commit::{KeyStatements, RecordStatements, UserStatements as _, Written};

use crate::record::{MailRow, Window};
use crate::table::Record as _;
use crate::transaction::{Failed, Snapshot as _, Tx};

impl Tx {
    fn delete_windows(&self, prefix: &[u8]) -> Result<u64, Failed> {
        let windows = self.with_prefix(Window::TABLE, prefix)?;
        self.delete_all::<Window>(&windows.into_iter().map(|(key, _)| key).collect::<Vec<_>>())
    }
}

#[async_trait]
impl RecordStatements for Tx {
    async fn charge(
        &mut self,
        subject: &Subject,
        budget: Budget,
        limit: u32,
        window: Duration,
        at: Timestamp,
    ) -> Result<u64, Failed> {
        // Windows of different lengths count apart.
        let key = [&*budget_key(subject, budget), &window.as_secs().to_be_bytes()].concat();
        let current = self.find::<Window>(&key)?.filter(|current| current.ends_at > at);
        let current = current.unwrap_or(Window { ends_at: at + window, uses: 0 });
        if current.uses >= limit {
            return Ok(0);
        }
        self.put(&key, &Window { uses: current.uses + 1, ..current })?;
        Ok(1)
    }

    async fn delete_budget(&mut self, subject: &Subject, budget: Budget) -> Result<u64, Failed> {
        self.delete_windows(&budget_key(subject, budget))
    }

    async fn delete_budgets(&mut self, subject: &Subject) -> Result<u64, Failed> {
        self.delete_windows(subject.as_uuid().as_bytes())
    }

    async fn insert_mail(&mut self, mail: &SealedMail) -> Result<u64, Failed> {
        let user = match mail.user {
            Some(user) if self.has_user(user, None).await? => Some(user),
            _ => None,
        };
        let row = MailRow::new(SealedMail { user, ..mail.clone() });
        self.insert(mail.id.as_bytes(), &row)
    }

    async fn insert_audit_event(&mut self, event: &AuditEvent) -> Result<u64, Failed> {
        self.insert(event.id.as_bytes(), event)
    }
}

/// What the keys of a budget's windows begin with. The NUL ends the word, so that none is the beginning of another's.
fn budget_key(subject: &Subject, budget: Budget) -> Vec<u8> {
    [subject.as_uuid().as_bytes(), budget.as_str().as_bytes(), &[0]].concat()
}

#[async_trait]
impl KeyStatements for Tx {
    async fn insert_signing_key(&mut self, key: &SigningKey) -> Result<Written, Failed> {
        let number = key.number.to_be_bytes();
        if self.find::<SigningKey>(&number)?.is_some() {
            return Ok(Written::Taken);
        }
        self.insert(&number, key).map(Written::Rows)
    }

    async fn reseal_signing_key(&mut self, number: u32, from: &Sealed, to: &Sealed) -> Result<u64, Failed> {
        let is_from = |key: &SigningKey| key.private.as_bytes() == from.as_bytes();
        self.update(&number.to_be_bytes(), is_from, |key| key.private = to.clone())
    }

    async fn delete_signing_keys(&mut self, below: u32) -> Result<u64, Failed> {
        let old = self.all::<SigningKey>()?.into_iter().filter(|(_, key)| key.number < below);
        self.delete_all::<SigningKey>(&old.map(|(number, _)| number).collect::<Vec<_>>())
    }

    async fn insert_pepper_check(&mut self, check: &PepperCheck) -> Result<(), Failed> {
        if self.find::<PepperCheck>(check.key.as_bytes())?.is_none() {
            self.put(check.key.as_bytes(), check)?;
        }
        Ok(())
    }
}
