//! Several observers as one.

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::AuditEvent;
use crate::port::Observer;

/// Several observers, told one after the other.
#[derive(Debug, Default)]
pub struct Observers(pub Vec<Arc<dyn Observer>>);

#[async_trait]
impl Observer for Observers {
    async fn observe(&self, event: &AuditEvent) {
        for observer in &self.0 {
            observer.observe(event).await;
        }
    }
}
