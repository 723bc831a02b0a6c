//! Reading.

use std::cmp::Reverse;

use async_trait::async_trait;
use auth_core::domain::{
    Account, AuditEvent, Digest, Email, Issued, Mac, Pending, PepperCheck, Purpose, Session, SessionKey, Signed,
    SigningKey, Token, TotpSecret, User, UserId,
};
use auth_core::port::{
    AuditLog, AuditQuery, Keys, Pendings, SecondFactors, Sessions, StoreError, Tokens, UserQuery, Users,
};

use super::{MemoryStore, Tables, limit};

#[async_trait]
impl Users for MemoryStore {
    async fn find_user(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        Ok(self.with(|tables| tables.users.get(&id).cloned()).await)
    }

    async fn find_user_by_email(&self, email: &Email) -> Result<Option<Account>, StoreError> {
        Ok(self.with(|tables| tables.users.values().find(|account| account.user.email == *email).cloned()).await)
    }

    async fn users(&self, query: &UserQuery) -> Result<Vec<User>, StoreError> {
        let is_asked_for = |user: &&User| {
            query.search.as_deref().is_none_or(|text| user.email.canonical().contains(text))
                && query.before.is_none_or(|end| user.id < end)
        };
        let users = self.with(|tables| {
            let newest_first = tables.users.values().rev().map(|account| &account.user);
            newest_first.filter(is_asked_for).take(limit(query.limit)).cloned().collect()
        });
        Ok(users.await)
    }
}

#[async_trait]
impl Sessions for MemoryStore {
    async fn find_session(&self, key: &SessionKey) -> Result<Option<Signed>, StoreError> {
        let found = self.with(|tables| {
            let session = match key {
                SessionKey::Id(id) => tables.sessions.get(id)?,
                SessionKey::Secret(secret) => {
                    tables.sessions.values().find(|session| session.credential.secret() == Some(secret))?
                }
            };
            Some(Signed { user: tables.owner(session.user)?, session: session.clone() })
        });
        Ok(found.await)
    }

    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let is_theirs = |session: &&Session| session.user == user;
        let mut sessions: Vec<Session> =
            self.with(|tables| tables.sessions.values().filter(is_theirs).cloned().collect()).await;
        sessions.sort_unstable_by_key(|session| Reverse((session.created_at, session.id)));
        Ok(sessions)
    }
}

#[async_trait]
impl Tokens for MemoryStore {
    async fn find_token(&self, link: &Digest) -> Result<Option<Issued>, StoreError> {
        let found = self.with(|tables| {
            let token = tables.tokens.values().find(|token| token.link.as_ref() == Some(link))?.clone();
            Some(Issued { user: tables.owner(token.user)?, token })
        });
        Ok(found.await)
    }

    async fn tokens_of(&self, user: UserId, purpose: Purpose) -> Result<Vec<Token>, StoreError> {
        Ok(self.with(|tables| tables.tokens_of(user, purpose)).await)
    }
}

#[async_trait]
impl SecondFactors for MemoryStore {
    async fn totp_secrets(&self, user: UserId) -> Result<Vec<TotpSecret>, StoreError> {
        let is_theirs = |secret: &&TotpSecret| secret.user == user;
        Ok(self.with(|tables| tables.totp_secrets.values().filter(is_theirs).cloned().collect()).await)
    }

    async fn recovery_codes(&self, user: UserId) -> Result<Vec<Mac>, StoreError> {
        Ok(self.with(|tables| tables.recovery_codes.get(&user).cloned().unwrap_or_default()).await)
    }
}

#[async_trait]
impl Pendings for MemoryStore {
    async fn find_pending(&self, link: &Digest) -> Result<Option<Pending>, StoreError> {
        Ok(self.with(|tables| tables.pendings.values().find(|pending| pending.link == *link).cloned()).await)
    }

    async fn pendings_of(&self, email: &Email) -> Result<Vec<Pending>, StoreError> {
        Ok(self.with(|tables| tables.pendings_of(email)).await)
    }
}

#[async_trait]
impl AuditLog for MemoryStore {
    async fn audit_events(&self, query: &AuditQuery) -> Result<Vec<AuditEvent>, StoreError> {
        let place = |event: &AuditEvent| (event.at, event.id);
        let mut events: Vec<AuditEvent> = self
            .with(|tables| {
                let end = match query.before.map(|id| tables.audit.get(&id)) {
                    None => None,
                    Some(Some(event)) => Some(place(event)),
                    // Nothing is before an entry that isn't there.
                    Some(None) => return Vec::new(),
                };
                let is_asked_for = |event: &&AuditEvent| {
                    (query.user.is_none() || [event.actor, event.subject].contains(&query.user))
                        && query.kind.is_none_or(|kind| event.kind == kind)
                        && end.is_none_or(|end| place(event) < end)
                };
                tables.audit.values().filter(is_asked_for).cloned().collect()
            })
            .await;
        events.sort_unstable_by_key(|event| Reverse(place(event)));
        events.truncate(limit(query.limit));
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
