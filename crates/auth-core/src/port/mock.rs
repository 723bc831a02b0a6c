//! One mock of everything that a database does.

use async_trait::async_trait;
use mockall::mock;

use super::{
    AuditLog, AuditQuery, Change, Claim, Claimed, Commit, CommitError, Housekeeping, Idempotency, Keys, MailQuery,
    Outbox, Pendings, SecondFactors, Sessions, StoreError, Tokens, UserQuery, Users,
};
use crate::domain::{
    Account, AuditEvent, Backlog, Digest, Email, Issued, LeaseId, LeasedMail, Mac, MailId, MailRecord, Pending,
    PepperCheck, Purpose, Sealed, Session, SessionKey, Signed, SigningKey, Timestamp, Token, TotpSecret, User, UserId,
};

mock! {
    /// A mock of the whole [`Store`](super::Store), for code that takes an `Arc<dyn Store>`.
    #[derive(Debug)]
    pub Store {}

    #[async_trait]
    impl Users for Store {
        async fn find_user(&self, id: UserId) -> Result<Option<Account>, StoreError>;
        async fn find_user_by_email(&self, email: &Email) -> Result<Option<Account>, StoreError>;
        async fn users(&self, query: &UserQuery) -> Result<Vec<User>, StoreError>;
    }

    #[async_trait]
    impl Sessions for Store {
        async fn find_session(&self, key: &SessionKey) -> Result<Option<Signed>, StoreError>;
        async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError>;
    }

    #[async_trait]
    impl Tokens for Store {
        async fn find_token(&self, link: &Digest) -> Result<Option<Issued>, StoreError>;
        async fn tokens_of(&self, user: UserId, purpose: Purpose) -> Result<Vec<Token>, StoreError>;
    }

    #[async_trait]
    impl SecondFactors for Store {
        async fn totp_secrets(&self, user: UserId) -> Result<Vec<TotpSecret>, StoreError>;
        async fn recovery_codes(&self, user: UserId) -> Result<Vec<Mac>, StoreError>;
    }

    #[async_trait]
    impl Pendings for Store {
        async fn find_pending(&self, link: &Digest) -> Result<Option<Pending>, StoreError>;
        async fn pendings_of(&self, email: &Email) -> Result<Vec<Pending>, StoreError>;
    }

    #[async_trait]
    impl AuditLog for Store {
        async fn audit_events(&self, query: &AuditQuery) -> Result<Vec<AuditEvent>, StoreError>;
    }

    #[async_trait]
    impl Keys for Store {
        async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError>;
        async fn pepper_checks(&self) -> Result<Vec<PepperCheck>, StoreError>;
    }

    #[async_trait]
    impl Commit for Store {
        async fn commit(&self, changes: &[Change]) -> Result<(), CommitError>;
    }

    #[async_trait]
    impl Outbox for Store {
        async fn lease_mail(
            &self,
            lease: LeaseId,
            now: Timestamp,
            until: Timestamp,
            limit: u32,
        ) -> Result<Vec<LeasedMail>, StoreError>;
        async fn settle_mail(&self, mail: MailId, lease: LeaseId) -> Result<bool, StoreError>;
        async fn postpone_mail(
            &self,
            mail: MailId,
            lease: LeaseId,
            due: Timestamp,
            reason: &str,
        ) -> Result<bool, StoreError>;
        async fn bury_mail(&self, mail: MailId, lease: LeaseId, reason: &str) -> Result<bool, StoreError>;
        async fn retry_mail(&self, mail: Option<MailId>, now: Timestamp) -> Result<u64, StoreError>;
        async fn mails(&self, query: &MailQuery) -> Result<Vec<MailRecord>, StoreError>;
        async fn backlog(&self) -> Result<Backlog, StoreError>;
    }

    #[async_trait]
    impl Idempotency for Store {
        async fn claim(&self, request: &Claimed, now: Timestamp) -> Result<Claim, StoreError>;
        async fn finish(&self, key: &Digest, claim: LeaseId, reply: &Sealed) -> Result<(), StoreError>;
        async fn release(&self, key: &Digest, claim: LeaseId) -> Result<(), StoreError>;
    }

    #[async_trait]
    impl Housekeeping for Store {
        async fn ping(&self) -> Result<(), StoreError>;
        async fn missing_migrations(&self) -> Result<Vec<String>, StoreError>;
        async fn sweep(&self, now: Timestamp, mail_before: Timestamp, limit: u32) -> Result<u64, StoreError>;
        async fn acquire(
            &self,
            name: &str,
            holder: LeaseId,
            now: Timestamp,
            until: Timestamp,
        ) -> Result<bool, StoreError>;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::port::Store;

    #[tokio::test]
    async fn stands_in_for_a_whole_store() {
        let mut mock = MockStore::new();
        mock.expect_ping().once().returning(|| Ok(()));
        mock.expect_commit().withf(<[Change]>::is_empty).once().returning(|_| Ok(()));
        let store: Arc<dyn Store> = Arc::new(mock);
        store.ping().await.unwrap();
        store.commit(&[]).await.unwrap();
    }
}
