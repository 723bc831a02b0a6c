//! Reading the audit log.

use async_trait::async_trait;
use auth_core::domain::{AuditEvent, AuditKind, EventId, UserId};
use auth_core::port::{AuditLog, StoreError};

use super::row::Fields;
use super::{Store, sql};

macro_rules! events {
    ($rest:literal) => {
        concat!(
            "select e.id, e.occurred_at, e.kind, e.actor_id, e.subject_id, e.ip, e.user_agent, e.request_id, e.detail
            from auth_audit_events e ",
            $rest
        )
    };
}

const ALL: &str = events!("order by e.occurred_at desc, e.id desc limit $1");

const ALL_BEFORE: &str = events!(
    "join auth_audit_events b on b.id = $1
    where (e.occurred_at, e.id) < (b.occurred_at, b.id)
    order by e.occurred_at desc, e.id desc limit $2"
);

const OF_SUBJECT: &str = events!("where e.subject_id = $1 order by e.occurred_at desc, e.id desc limit $2");

const OF_SUBJECT_BEFORE: &str = events!(
    "join auth_audit_events b on b.id = $1
    where e.subject_id = $2 and (e.occurred_at, e.id) < (b.occurred_at, b.id)
    order by e.occurred_at desc, e.id desc limit $3"
);

#[async_trait]
impl AuditLog for Store {
    async fn audit_events(
        &self,
        subject: Option<UserId>,
        before: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        let rows = self.rows(|| {
            let query = match (subject, before) {
                (None, None) => sql(ALL),
                (None, Some(before)) => sql(ALL_BEFORE).bind(before.as_uuid()),
                (Some(subject), None) => sql(OF_SUBJECT).bind(subject.as_uuid()),
                (Some(subject), Some(before)) => sql(OF_SUBJECT_BEFORE).bind(before.as_uuid()).bind(subject.as_uuid()),
            };
            query.bind(i64::from(limit))
        });
        rows.await?.iter().map(|row| event(&mut Fields::of(row))).collect()
    }
}

fn event(fields: &mut Fields<'_>) -> Result<AuditEvent, StoreError> {
    Ok(AuditEvent {
        id: fields.id()?,
        at: fields.time()?,
        kind: fields.parsed("kind of event", AuditKind::parse)?,
        actor: fields.maybe_id()?,
        subject: fields.maybe_id()?,
        ip: fields.maybe_parsed("IP address", |text| text.parse().ok())?,
        user_agent: fields.take()?,
        request_id: fields.take()?,
        detail: fields.parsed("detail", |text| serde_json::from_str(text).ok())?,
    })
}
