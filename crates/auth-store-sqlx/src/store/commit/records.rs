//! Statements about budgets, outgoing mail and the audit log.

use std::time::Duration;

use async_trait::async_trait;
use auth_core::domain::{AuditEvent, Budget, SealedMail, Subject, Timestamp, UserId};
use auth_store::commit::RecordStatements;

use super::super::{dialect, sql};
use super::Tx;

#[async_trait]
impl RecordStatements for Tx<'_> {
    async fn charge(
        &mut self,
        subject: &Subject,
        budget: Budget,
        limit: u32,
        window: Duration,
        at: Timestamp,
    ) -> sqlx::Result<u64> {
        dialect::writes::charge(self.0, subject, budget, limit, window, at).await
    }

    async fn delete_budget(&mut self, subject: &Subject, budget: Budget) -> sqlx::Result<u64> {
        const DELETE: &str = "delete from auth_budgets where subject = $1 and budget = $2";
        self.run(sql(DELETE).bind(subject.as_uuid()).bind(budget.as_str())).await
    }

    async fn delete_budgets(&mut self, subject: &Subject) -> sqlx::Result<u64> {
        self.run(sql("delete from auth_budgets where subject = $1").bind(subject.as_uuid())).await
    }

    async fn insert_mail(&mut self, mail: &SealedMail) -> sqlx::Result<u64> {
        const INSERT: &str = "
            insert into auth_mail_outbox (id, user_id, recipient, recipient_canonical, kind, body, state, created_at,
                expires_at, due_at, attempts)
            values ($1, (select u.id from auth_users u where u.id = $2), $3, $4, $5, $6, 'queued', $7, $8, $9, 0)";
        let query = sql(INSERT)
            .bind(mail.id.as_uuid())
            .bind(mail.user.map(UserId::as_uuid))
            .bind(mail.to.as_str())
            .bind(mail.to.canonical())
            .bind(mail.kind.as_str())
            .bind(mail.body.as_bytes())
            .bind(mail.created_at.as_micros())
            .bind(mail.expires_at.as_micros())
            .bind(mail.created_at.as_micros());
        self.run(query).await
    }

    async fn insert_audit_event(&mut self, event: &AuditEvent) -> sqlx::Result<u64> {
        const INSERT: &str = "
            insert into auth_audit_events (id, occurred_at, kind, actor_id, subject_id, ip, user_agent, request_id, detail)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let detail = serde_json::to_string(&event.detail).map_err(|error| sqlx::Error::Encode(error.into()))?;
        let query = sql(INSERT)
            .bind(event.id.as_uuid())
            .bind(event.at.as_micros())
            .bind(event.kind.as_str())
            .bind(event.actor.map(UserId::as_uuid))
            .bind(event.subject.map(UserId::as_uuid))
            .bind(event.ip.map(|ip| ip.to_string()))
            .bind(event.user_agent.as_deref())
            .bind(event.request_id.as_deref())
            .bind(detail);
        self.run(query).await
    }
}
