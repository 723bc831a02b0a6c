//! Reading.

use std::cmp::Reverse;

use async_trait::async_trait;
use auth_core::domain::{
    Account, AuditEvent, Digest, Email, EventId, Issued, PepperCheck, Purpose, Session, SessionId, Signed, SigningKey,
    Timestamp, Token, User, UserId,
};
use auth_core::port::{AuditLog, Keys, Sessions, StoreError, Tokens, Users};

use super::{MemoryStore, Tables};

#[async_trait]
impl Users for MemoryStore {
    async fn find_user(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        Ok(self.with(|tables| tables.users.get(&id).cloned()).await)
    }

    async fn find_user_by_email(&self, email: &Email) -> Result<Option<Account>, StoreError> {
        Ok(self.with(|tables| tables.users.values().find(|account| account.user.email == *email).cloned()).await)
    }
}

#[async_trait]
impl Sessions for MemoryStore {
    async fn find_session(&self, id: SessionId) -> Result<Option<Signed>, StoreError> {
        let found = self.with(|tables| {
            let session = tables.sessions.get(&id)?.clone();
            Some(Signed { user: tables.owner(session.user)?, session })
        });
        Ok(found.await)
    }

    async fn sessions_of(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let mut sessions: Vec<Session> = self
            .with(|tables| {
                let Some(owner) = tables.owner(user) else { return Vec::new() };
                tables.sessions.values().filter(|session| session.is_live(&owner, now)).cloned().collect()
            })
            .await;
        sessions.sort_unstable_by_key(|session| Reverse((session.created_at, session.id)));
        Ok(sessions)
    }
}

#[async_trait]
impl Tokens for MemoryStore {
    async fn find_token(&self, link: &Digest) -> Result<Option<Issued>, StoreError> {
        let found = self.with(|tables| {
            let token = tables.tokens.values().find(|token| token.link == *link)?.clone();
            Some(Issued { user: tables.owner(token.user)?, token })
        });
        Ok(found.await)
    }

    async fn tokens_of(&self, user: UserId, purpose: Purpose) -> Result<Vec<Token>, StoreError> {
        Ok(self.with(|tables| tables.tokens_of(user, purpose)).await)
    }
}

#[async_trait]
impl AuditLog for MemoryStore {
    async fn audit_events(
        &self,
        subject: Option<UserId>,
        before: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        let place = |event: &AuditEvent| (event.at, event.id);
        let mut events: Vec<AuditEvent> = self
            .with(|tables| {
                let end = match before.map(|id| tables.audit.get(&id)) {
                    None => None,
                    Some(Some(event)) => Some(place(event)),
                    // Nothing is before an entry that isn't there.
                    Some(None) => return Vec::new(),
                };
                let is_asked_for = |event: &&AuditEvent| {
                    (subject.is_none() || event.subject == subject) && end.is_none_or(|end| place(event) < end)
                };
                tables.audit.values().filter(is_asked_for).cloned().collect()
            })
            .await;
        events.sort_unstable_by_key(|event| Reverse(place(event)));
        events.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(events)
    }
}

#[async_trait]
impl Keys for MemoryStore {
    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        Ok(self.with(|tables| tables.signing_keys.values().rev().cloned().collect()).await)
    }

    async fn pepper_checks(&self) -> Result<Vec<PepperCheck>, StoreError> {
        Ok(self.with(|tables| tables.pepper_checks.clone()).await)
    }
}

impl Tables {
    fn owner(&self, id: UserId) -> Option<User> {
        self.users.get(&id).map(|account| account.user.clone())
    }
}
