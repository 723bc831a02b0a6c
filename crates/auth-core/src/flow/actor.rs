//! Who does something to somebody else's account.

use crate::auth::{Auth, Fault, fault_into};
use crate::domain::{AuditEvent, AuditKind, Context, Role, Signed, Timestamp, UserId};
use crate::port::{Change, CommitError, Rejected};

/// Who does something to somebody else's account.
#[derive(Debug, Clone, Copy)]
pub enum Actor<'a> {
    /// Somebody signed in, who must hold the role `admin` now and when it happens.
    Admin(&'a Signed),
    /// Whoever runs the command line, and has the keys to everything anyway.
    Operator,
}

impl Actor<'_> {
    /// Who it is, for the audit log.
    pub(crate) fn id(self) -> Option<UserId> {
        match self {
            Self::Admin(signed) => Some(signed.user.id),
            Self::Operator => None,
        }
    }

    /// Refuses whoever isn't an administrator, and puts that on record.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], or a fault.
    pub async fn check(self, auth: &Auth, context: &Context) -> Result<(), AdminError> {
        match self {
            Self::Admin(signed) if !signed.user.roles.contains(&Role::admin()) => {
                Err(self.refused(auth, AdminError::Forbidden, context).await)
            }
            _ => Ok(()),
        }
    }

    /// Puts a refusal on record.
    pub(crate) async fn refused(self, auth: &Auth, why: AdminError, context: &Context) -> AdminError {
        let event = auth.event(AuditKind::AdministrationRefused, context, auth.now());
        auth.refuse(AuditEvent { actor: self.id(), ..event }, why).await
    }

    /// Commits what the actor does to `subject`. Whoever was an administrator a moment ago, and isn't any more, does
    /// nothing.
    pub(crate) async fn commit(
        self,
        auth: &Auth,
        kind: AuditKind,
        subject: UserId,
        changes: Vec<Change>,
        context: &Context,
    ) -> Result<(), AdminError> {
        let event = self.event(auth, kind, subject, auth.now(), context);
        self.commit_with(auth, event, changes, context).await
    }

    /// As [`commit`](Self::commit), with an event that says more.
    pub(crate) async fn commit_with(
        self,
        auth: &Auth,
        event: AuditEvent,
        mut changes: Vec<Change>,
        context: &Context,
    ) -> Result<(), AdminError> {
        if let Self::Admin(signed) = self {
            changes.insert(0, Change::Require { user: signed.user.id, role: Role::admin() });
        }
        changes.push(Change::Record(event));
        match auth.commit(&changes).await {
            Ok(()) => Ok(()),
            Err(CommitError::Rejected(Rejected::User)) => Err(AdminError::NotFound),
            Err(CommitError::Rejected(Rejected::Role)) => Err(self.refused(auth, AdminError::Forbidden, context).await),
            Err(CommitError::Rejected(Rejected::LastHolder)) => {
                Err(self.refused(auth, AdminError::LastHolder, context).await)
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn event(
        self,
        auth: &Auth,
        kind: AuditKind,
        subject: UserId,
        at: Timestamp,
        context: &Context,
    ) -> AuditEvent {
        auth.event(kind, context, at).by_on(self.id(), subject)
    }
}

/// Something was not done to somebody else's account.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// There is no such user.
    #[error("no such user")]
    NotFound,
    /// Whoever asks isn't an administrator, or may not do this to themselves.
    #[error("not allowed")]
    Forbidden,
    /// Nobody else would hold a role that somebody must hold.
    #[error("the last holder of a role that somebody must hold")]
    LastHolder,
    /// The core could not do its work.
    #[error(transparent)]
    Fault(Fault),
}
fault_into!(AdminError);
