//! What goes with changes: budgets, outgoing mail and the audit log.

use std::time::Duration;

use async_trait::async_trait;
use auth_core::domain::{AuditEvent, Budget, SealedMail, Subject, Timestamp};

use super::Statements;

/// Statements about budgets, outgoing mail and the audit log.
#[async_trait]
pub trait RecordStatements: Statements {
    /// Counts one use: begins a window where there is none or the last has ended, else adds to it below the limit, which is at
    /// least one. Of racing statements on one budget, each sees what the others have counted.
    async fn charge(
        &mut self,
        subject: &Subject,
        budget: Budget,
        limit: u32,
        window: Duration,
        at: Timestamp,
    ) -> Result<u64, Self::Error>;

    /// Forgets all uses of a budget.
    async fn delete_budget(&mut self, subject: &Subject, budget: Budget) -> Result<u64, Self::Error>;

    /// Forgets all uses of all budgets.
    async fn delete_budgets(&mut self, subject: &Subject) -> Result<u64, Self::Error>;

    /// Puts a mail into the outbox, due at once. A user who is gone meanwhile is named no more: what was decided before must
    /// not fail for that.
    async fn insert_mail(&mut self, mail: &SealedMail) -> Result<u64, Self::Error>;

    /// Writes an audit entry.
    async fn insert_audit_event(&mut self, event: &AuditEvent) -> Result<u64, Self::Error>;
}
