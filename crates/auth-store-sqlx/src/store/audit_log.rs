//! Reading the audit log.

use async_trait::async_trait;
use auth_core::domain::{AuditEvent, AuditKind, EventId, UserId};
use auth_core::port::{AuditLog, AuditQuery, StoreError};

use super::parts::Parts;
use super::row::Fields;
use super::{Statement, Store};

#[async_trait]
impl AuditLog for Store {
    async fn audit_events(&self, query: &AuditQuery) -> Result<Vec<AuditEvent>, StoreError> {
        self.rows(|| events(query)).await?.iter().map(|row| event(&mut Fields::of(row))).collect()
    }
}

/// About and by a user are an index each, of which an `or` would use neither in order; `union` leaves out what is both.
fn events(query: &AuditQuery) -> Statement {
    let Some(user) = query.user else { return page(Parts::of(""), None, query).statement() };
    let about = page(Parts::of("select * from ("), Some((" and e.subject_id = ", user)), query);
    let by = page(about.then(") as about union select * from ("), Some((" and e.actor_id = ", user)), query);
    by.with(") as by_them order by occurred_at desc, id desc limit ", query.limit).statement()
}

/// The newest entries that the query asks for, of all users or of one.
fn page(parts: Parts, whose: Option<(&'static str, UserId)>, query: &AuditQuery) -> Parts {
    const EVENTS: &str = "
        select e.id, e.occurred_at, e.kind, e.actor_id, e.subject_id, e.ip, e.user_agent, e.request_id, e.detail
        from auth_audit_events e";
    // The time once more, by itself: MySQL finds no place in an index by a pair.
    const BEFORE: &str = "
        join auth_audit_events b
            on e.occurred_at <= b.occurred_at and (e.occurred_at, e.id) < (b.occurred_at, b.id) and b.id = ";
    let parts = parts
        .then(EVENTS)
        .with_any(BEFORE, query.before.map(EventId::as_uuid))
        .then(" where true")
        .with_any(" and e.kind = ", query.kind.map(AuditKind::as_str));
    let parts = match whose {
        Some((column, user)) => parts.with(column, user.as_uuid()),
        None => parts,
    };
    parts.with(" order by e.occurred_at desc, e.id desc limit ", query.limit)
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
