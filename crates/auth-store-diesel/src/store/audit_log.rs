//! Reading the audit log.

use async_trait::async_trait;
use auth_core::domain::{AuditEvent, AuditKind, EventId, Timestamp, UserId};
use auth_core::port::{AuditLog, AuditQuery, StoreError};
use diesel::SelectableHelper as _;
use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::prelude::{
    BoolExpressionMethods as _, ExpressionMethods as _, NullableExpressionMethods as _, QueryDsl as _, Queryable,
    Selectable,
};

use super::dialect::Db;
use super::row::{maybe_parsed, parsed};
use super::{Id, Parts, Store, auth_audit_events, auth_audit_events as events};

#[derive(Queryable, Selectable)]
#[diesel(table_name = events, check_for_backend(Db))]
struct EventRow {
    id: Id,
    occurred_at: i64,
    kind: String,
    actor_id: Option<Id>,
    subject_id: Option<Id>,
    ip: Option<String>,
    user_agent: Option<String>,
    request_id: Option<String>,
    detail: String,
}

type EventColumns = SqlTypeOf<AsSelect<EventRow, Db>>;

#[async_trait]
impl AuditLog for Store {
    async fn audit_events(&self, query: &AuditQuery) -> Result<Vec<AuditEvent>, StoreError> {
        let rows = match query.user {
            Some(user) => self.list(|| about_or_by(user, query)).await?,
            None => self.list(|| page(query)).await?,
        };
        rows.into_iter().map(EventRow::read).collect()
    }
}

type Page = events::BoxedQuery<'static, Db, EventColumns>;

/// About and by a user are an index each, of which an `or` would use neither in order; `union` leaves out what is both.
/// diesel knows no `union` of parts that have an order and a limit each, which all dialects take.
fn about_or_by(user: UserId, query: &AuditQuery) -> Parts<EventColumns> {
    let user = Id(user.as_uuid());
    Parts::of("select * from (")
        .query(page(query).filter(events::subject_id.eq(user)))
        .sql(") as about union select * from (")
        .query(page(query).filter(events::actor_id.eq(user)))
        .sql(") as by_them order by occurred_at desc, id desc limit ")
        .number(query.limit.into())
}

/// The newest entries that the query asks for, of all users.
fn page(query: &AuditQuery) -> Page {
    let mut page = events::table.select(EventRow::as_select()).into_boxed::<Db>();
    if let Some(before) = query.before {
        let before = Id(before.as_uuid());
        let it = diesel::alias!(auth_audit_events as it);
        let then = || it.filter(it.field(events::id).eq(before)).select(it.field(events::occurred_at)).single_value();
        // The first condition is what an index is good for. Nothing is before an entry that isn't there: its time is null.
        page = page
            .filter(events::occurred_at.nullable().le(then()))
            .filter(events::occurred_at.nullable().lt(then()).or(events::id.nullable().lt(before)));
    }
    if let Some(kind) = query.kind {
        page = page.filter(events::kind.eq(AuditKind::as_str(kind)));
    }
    page.order((events::occurred_at.desc(), events::id.desc())).limit(query.limit.into())
}

impl EventRow {
    fn read(self) -> Result<AuditEvent, StoreError> {
        Ok(AuditEvent {
            id: EventId::from(self.id.0),
            at: Timestamp::from_micros(self.occurred_at),
            kind: parsed(AuditKind::parse(&self.kind), "kind of event")?,
            actor: self.actor_id.map(|id| UserId::from(id.0)),
            subject: self.subject_id.map(|id| UserId::from(id.0)),
            ip: maybe_parsed(self.ip.as_deref(), "IP address", |text| text.parse().ok())?,
            user_agent: self.user_agent,
            request_id: self.request_id,
            detail: parsed(serde_json::from_str(&self.detail).ok(), "detail")?,
        })
    }
}
