//! Reading the audit log.

use crate::auth::Auth;
use crate::domain::{AuditEvent, Context};
use crate::flow::actor::{Actor, AdminError};
use crate::port::AuditQuery;

/// Audit entries by page, newest first; see [`AuditQuery`].
///
/// # Errors
/// [`AdminError`].
pub async fn list(
    auth: &Auth,
    actor: Actor<'_>,
    query: &AuditQuery,
    context: &Context,
) -> Result<Vec<AuditEvent>, AdminError> {
    actor.check(auth, context).await?;
    Ok(auth.store.audit_events(query).await?)
}
