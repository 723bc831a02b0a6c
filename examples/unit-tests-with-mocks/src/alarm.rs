//! An alarm for when sign-ins fail too often.

use std::sync::Arc;
use std::time::Duration;

use portcullis::domain::AuditKind;
use portcullis::port::{AuditLog, AuditQuery, Clock, StoreError};

/// Goes off when `threshold` sign-ins or more failed within the last hour.
#[derive(Debug)]
pub struct Alarm {
    /// Where failures are on record. Every store is one.
    pub log: Arc<dyn AuditLog>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// How many failures are too many.
    pub threshold: u32,
}

impl Alarm {
    /// Whether it goes off now.
    ///
    /// # Errors
    /// [`StoreError`] when the log can't be read.
    pub async fn is_on(&self) -> Result<bool, StoreError> {
        let query = AuditQuery { kind: Some(AuditKind::SignInFailed), limit: self.threshold, ..AuditQuery::default() };
        let failures = self.log.audit_events(&query).await?;
        let now = self.clock.now();
        let recent = failures.iter().filter(|event| now.since(event.at) < Duration::from_secs(3600));
        Ok(recent.count() >= self.threshold as usize)
    }
}

#[cfg(test)]
mod tests {
    use mockall::predicate::function;
    use portcullis::adapter::SystemEntropy;
    use portcullis::domain::{AuditEvent, EventId, Timestamp};
    use portcullis::port::{MockAuditLog, MockClock};

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

    /// An alarm that three failures set off, when sign-ins failed so many minutes ago.
    fn alarm(minutes_ago: &[u64]) -> Alarm {
        let event = |minutes: &u64| {
            let at = NOW.before(Duration::from_secs(minutes * 60));
            AuditEvent {
                id: EventId::new(at, &SystemEntropy),
                at,
                kind: AuditKind::SignInFailed,
                actor: None,
                subject: None,
                ip: None,
                user_agent: None,
                request_id: None,
                detail: Default::default(),
            }
        };
        let events: Vec<_> = minutes_ago.iter().map(event).collect();
        let mut log = MockAuditLog::new();
        let wanted = |query: &AuditQuery| query.kind == Some(AuditKind::SignInFailed) && query.limit == 3;
        log.expect_audit_events().with(function(wanted)).once().return_once(|_| Ok(events));
        let mut clock = MockClock::new();
        clock.expect_now().return_const(NOW);
        Alarm { log: Arc::new(log), clock: Arc::new(clock), threshold: 3 }
    }

    #[tokio::test]
    async fn goes_off_when_enough_failed_lately() {
        assert!(alarm(&[0, 10, 59]).is_on().await.unwrap());
        assert!(!alarm(&[0, 10]).is_on().await.unwrap());
        assert!(!alarm(&[0, 10, 60]).is_on().await.unwrap());
    }

    #[tokio::test]
    async fn says_when_it_cannot_tell() {
        let mut log = MockAuditLog::new();
        log.expect_audit_events()
            .return_once(|_| Err(StoreError::Unavailable { store: "mock", source: "away".into() }));
        let alarm = Alarm { log: Arc::new(log), clock: Arc::new(MockClock::new()), threshold: 3 };
        assert!(alarm.is_on().await.is_err());
    }
}
