//! Statements about budgets, outgoing mail and the audit log.

use std::time::Duration;

use async_trait::async_trait;
use auth_core::domain::{AuditEvent, Budget, SealedMail, Subject, Timestamp, UserId};
use auth_store::commit::RecordStatements;
use diesel::prelude::{ExpressionMethods as _, NullableExpressionMethods as _, QueryDsl as _};
use diesel::result::Error as QueryError;

use super::super::dialect::writes;
use super::super::{Id, auth_audit_events, auth_budgets, auth_mail_outbox, auth_users};
use super::Tx;
use crate::error::Error;

#[async_trait]
impl RecordStatements for Tx<'_> {
    async fn charge(
        &mut self,
        subject: &Subject,
        budget: Budget,
        limit: u32,
        window: Duration,
        at: Timestamp,
    ) -> Result<u64, Error> {
        let use_of = writes::Use {
            subject: Id(subject.as_uuid()),
            budget: budget.as_str(),
            window: i64::try_from(window.as_secs()).unwrap_or(i64::MAX),
            limit: limit.into(),
            now: at.as_micros(),
            ends_at: (at + window).as_micros(),
        };
        let rows = writes::charge(self.0, &use_of).await?;
        Ok(u64::try_from(rows).unwrap_or(u64::MAX))
    }

    async fn delete_budget(&mut self, subject: &Subject, budget: Budget) -> Result<u64, Error> {
        let uses = auth_budgets::table
            .filter(auth_budgets::subject.eq(Id(subject.as_uuid())))
            .filter(auth_budgets::budget.eq(budget.as_str()));
        self.run(diesel::delete(uses)).await
    }

    async fn delete_budgets(&mut self, subject: &Subject) -> Result<u64, Error> {
        let uses = auth_budgets::table.filter(auth_budgets::subject.eq(Id(subject.as_uuid())));
        self.run(diesel::delete(uses)).await
    }

    async fn insert_mail(&mut self, mail: &SealedMail) -> Result<u64, Error> {
        let user = mail.user.map(|user| Id(UserId::as_uuid(user)));
        let if_there =
            auth_users::table.filter(auth_users::id.nullable().eq(user)).select(auth_users::id).single_value();
        let insert = diesel::insert_into(auth_mail_outbox::table).values((
            auth_mail_outbox::id.eq(Id(mail.id.as_uuid())),
            auth_mail_outbox::user_id.eq(if_there),
            auth_mail_outbox::recipient.eq(mail.to.as_str()),
            auth_mail_outbox::recipient_canonical.eq(mail.to.canonical()),
            auth_mail_outbox::kind.eq(mail.kind.as_str()),
            auth_mail_outbox::body.eq(mail.body.as_bytes()),
            auth_mail_outbox::state.eq("queued"),
            auth_mail_outbox::created_at.eq(mail.created_at.as_micros()),
            auth_mail_outbox::expires_at.eq(mail.expires_at.as_micros()),
            auth_mail_outbox::due_at.eq(mail.created_at.as_micros()),
            auth_mail_outbox::attempts.eq(0_i64),
        ));
        self.run(insert).await
    }

    async fn insert_audit_event(&mut self, event: &AuditEvent) -> Result<u64, Error> {
        let detail =
            serde_json::to_string(&event.detail).map_err(|error| QueryError::SerializationError(error.into()))?;
        let insert = diesel::insert_into(auth_audit_events::table).values((
            auth_audit_events::id.eq(Id(event.id.as_uuid())),
            auth_audit_events::occurred_at.eq(event.at.as_micros()),
            auth_audit_events::kind.eq(event.kind.as_str()),
            auth_audit_events::actor_id.eq(event.actor.map(|actor| Id(actor.as_uuid()))),
            auth_audit_events::subject_id.eq(event.subject.map(|subject| Id(subject.as_uuid()))),
            auth_audit_events::ip.eq(event.ip.map(|ip| ip.to_string())),
            auth_audit_events::user_agent.eq(event.user_agent.as_deref()),
            auth_audit_events::request_id.eq(event.request_id.as_deref()),
            auth_audit_events::detail.eq(detail),
        ));
        self.run(insert).await
    }
}
