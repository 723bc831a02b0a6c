//! Entries of the audit log.

use std::collections::BTreeMap;

use auth_core::domain;
use schemars::JsonSchema;
use serde::Serialize;

/// An entry of the audit log.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditEvent {
    /// A UUID.
    #[schemars(extend("format" = "uuid"))]
    pub id: String,
    /// RFC 3339, UTC.
    #[schemars(extend("format" = "date-time"))]
    pub at: String,
    /// What happened: see the documentation's list of kinds.
    #[schemars(extend("enum" = domain::AuditKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>()))]
    pub kind: &'static str,
    /// Who did it, where that is known.
    #[schemars(extend("format" = "uuid"))]
    pub actor_id: Option<String>,
    /// To whose account it happened, where that is known.
    #[schemars(extend("format" = "uuid"))]
    pub subject_id: Option<String>,
    /// The client's address.
    pub ip: Option<String>,
    /// What the client called itself.
    pub user_agent: Option<String>,
    /// The request it happened in.
    pub request_id: Option<String>,
    /// More, by kind.
    pub detail: BTreeMap<String, String>,
}

impl From<&domain::AuditEvent> for AuditEvent {
    fn from(event: &domain::AuditEvent) -> Self {
        Self {
            id: event.id.to_string(),
            at: event.at.to_rfc3339(),
            kind: event.kind.as_str(),
            actor_id: event.actor.map(|id| id.to_string()),
            subject_id: event.subject.map(|id| id.to_string()),
            ip: event.ip.map(|ip| ip.to_string()),
            user_agent: event.user_agent.clone(),
            request_id: event.request_id.clone(),
            detail: event.detail.clone(),
        }
    }
}
