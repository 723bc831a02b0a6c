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
        from auth_audit_events e where true";
    let parts = parts.then(EVENTS).with_any(" and e.kind = ", query.kind.map(AuditKind::as_str));
    let parts = match query.before {
        Some(event) => before(parts, event),
        None => parts,
    };
    let parts = match whose {
        Some((column, user)) => parts.with(column, user.as_uuid()),
        None => parts,
    };
    parts.with(" order by e.occurred_at desc, e.id desc limit ", query.limit)
}

/// Those before `event`: none, where there is no such entry.
///
/// Its place is looked up first, by itself: as a join it would have PostgreSQL read all entries from the newest up to there.
/// The time stands there once more, since MySQL finds no place in an index by a pair; of a kind that most entries have, MariaDB
/// may read them from the newest all the same.
fn before(parts: Parts, event: EventId) -> Parts {
    const TIME: &str = " and e.occurred_at <= (select b.occurred_at from auth_audit_events b where b.id = ";
    const PLACE: &str =
        ") and (e.occurred_at, e.id) < (select b.occurred_at, b.id from auth_audit_events b where b.id = ";
    parts.with(TIME, event.as_uuid()).with(PLACE, event.as_uuid()).then(")")
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
