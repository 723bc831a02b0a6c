//! Audit events by kind.

use async_trait::async_trait;
use auth_core::domain::{AuditEvent, AuditKind};
use auth_core::port::Observer;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// Audit events by kind, and sign-ins by outcome. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Events {
    events: Family<Kind, Counter>,
    sign_ins: Family<Outcome, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

impl Events {
    /// All of them at zero: what has never happened can be told from what isn't counted.
    pub(super) fn register(registry: &mut Registry) -> Self {
        let events = Self { events: Family::default(), sign_ins: Family::default() };
        for kind in AuditKind::ALL {
            let _ = events.events.get_or_create(&Kind { kind: kind.as_str() });
            let _ = outcome(*kind).map(|outcome| drop(events.sign_ins.get_or_create(&Outcome { outcome })));
        }
        registry.register("audit_events", "Audit events that this process recorded", events.events.clone());
        registry.register("sign_ins", "Sign-ins", events.sign_ins.clone());
        events
    }
}

/// What came of the sign-in that an event tells of.
fn outcome(kind: AuditKind) -> Option<&'static str> {
    match kind {
        AuditKind::SignedIn => Some("succeeded"),
        AuditKind::SignInFailed => Some("failed"),
        _ => None,
    }
}

#[async_trait]
impl Observer for Events {
    async fn observe(&self, event: &AuditEvent) {
        self.events.get_or_create(&Kind { kind: event.kind.as_str() }).inc();
        if let Some(outcome) = outcome(event.kind) {
            self.sign_ins.get_or_create(&Outcome { outcome }).inc();
        }
    }
}
