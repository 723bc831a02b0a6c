//! Decorators: a store around a store.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use auth_core::domain::{
    Account, AuditEvent, Backlog, Digest, Email, Issued, LeaseId, LeasedMail, Mac, MailId, MailRecord, Pending,
    PepperCheck, Purpose, Sealed, Session, SessionKey, Signed, SigningKey, Timestamp, Token, TotpSecret, User, UserId,
};
use auth_core::port::{
    AuditLog, AuditQuery, Change, Claim, Claimed, Commit, CommitError, Housekeeping, Idempotency, Keys, MailQuery,
    Outbox, Pendings, SecondFactors, Sessions, Store, StoreError, Tokens, UserQuery, Users,
};

/// One method of a store's ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the method of that name")]
pub enum Call {
    FindUser,
    FindUserByEmail,
    Users,
    FindSession,
    SessionsOf,
    FindToken,
    TokensOf,
    TotpSecrets,
    RecoveryCodes,
    FindPending,
    PendingsOf,
    AuditEvents,
    SigningKeys,
    PepperChecks,
    Commit,
    LeaseMail,
    SettleMail,
    PostponeMail,
    BuryMail,
    RetryMail,
    Mails,
    Backlog,
    Claim,
    Finish,
    Release,
    Ping,
    MissingMigrations,
    Sweep,
    Acquire,
}

/// Notes what a store is asked.
///
/// Each read is one query, so the notes say what a request costs:
///
/// ```
/// # use std::sync::Arc;
/// # use auth_core::port::Users;
/// # use auth_testkit::{Call, Counting, MemoryStore, given};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let store = Counting::new(Arc::new(MemoryStore::new()));
/// store.find_user(given::id()).await.unwrap();
/// assert_eq!(store.take(), [Call::FindUser]);
/// # }
/// ```
#[derive(Debug)]
pub struct Counting {
    store: Arc<dyn Store>,
    calls: Mutex<Vec<Call>>,
}

impl Counting {
    /// Counts calls of `store`.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, calls: Mutex::default() }
    }

    /// The calls since the last time, in order.
    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn enter(&self, call: Call) -> Result<&dyn Store, StoreError> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
        Ok(&*self.store)
    }
}

/// Several handles of one database, each call going to the next: as many nodes would use it.
#[derive(Debug)]
pub struct Nodes {
    stores: Vec<Arc<dyn Store>>,
    next: AtomicUsize,
}

impl Nodes {
    /// Spreads calls over `stores`, which must share their data. At least one.
    pub fn new(stores: Vec<Arc<dyn Store>>) -> Self {
        assert!(!stores.is_empty(), "no store to ask");
        Self { stores, next: AtomicUsize::new(0) }
    }

    fn enter(&self, _: Call) -> Result<&dyn Store, StoreError> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        Ok(&*self.stores[turn % self.stores.len()])
    }
}

#[async_trait]
impl Commit for Counting {
    async fn commit(&self, changes: &[Change]) -> Result<(), CommitError> {
        self.enter(Call::Commit)?.commit(changes).await
    }
}

#[async_trait]
impl Commit for Nodes {
    async fn commit(&self, changes: &[Change]) -> Result<(), CommitError> {
        self.enter(Call::Commit)?.commit(changes).await
    }
}

/// Every port but `Commit`, by way of `enter`, which says whom to ask or why not.
macro_rules! forward_ports {
    ($layer:ty) => {
        #[async_trait]
        impl Users for $layer {
            async fn find_user(&self, id: UserId) -> Result<Option<Account>, StoreError> {
                self.enter(Call::FindUser)?.find_user(id).await
            }

            async fn find_user_by_email(&self, email: &Email) -> Result<Option<Account>, StoreError> {
                self.enter(Call::FindUserByEmail)?.find_user_by_email(email).await
            }

            async fn users(&self, query: &UserQuery) -> Result<Vec<User>, StoreError> {
                self.enter(Call::Users)?.users(query).await
            }
        }

        #[async_trait]
        impl Sessions for $layer {
            async fn find_session(&self, key: &SessionKey) -> Result<Option<Signed>, StoreError> {
                self.enter(Call::FindSession)?.find_session(key).await
            }

            async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
                self.enter(Call::SessionsOf)?.sessions_of(user).await
            }
        }

        #[async_trait]
        impl Tokens for $layer {
            async fn find_token(&self, link: &Digest) -> Result<Option<Issued>, StoreError> {
                self.enter(Call::FindToken)?.find_token(link).await
            }

            async fn tokens_of(&self, user: UserId, purpose: Purpose) -> Result<Vec<Token>, StoreError> {
                self.enter(Call::TokensOf)?.tokens_of(user, purpose).await
            }
        }

        #[async_trait]
        impl SecondFactors for $layer {
            async fn totp_secrets(&self, user: UserId) -> Result<Vec<TotpSecret>, StoreError> {
                self.enter(Call::TotpSecrets)?.totp_secrets(user).await
            }

            async fn recovery_codes(&self, user: UserId) -> Result<Vec<Mac>, StoreError> {
                self.enter(Call::RecoveryCodes)?.recovery_codes(user).await
            }
        }

        #[async_trait]
        impl Pendings for $layer {
            async fn find_pending(&self, link: &Digest) -> Result<Option<Pending>, StoreError> {
                self.enter(Call::FindPending)?.find_pending(link).await
            }

            async fn pendings_of(&self, email: &Email) -> Result<Vec<Pending>, StoreError> {
                self.enter(Call::PendingsOf)?.pendings_of(email).await
            }
        }

        #[async_trait]
        impl AuditLog for $layer {
            async fn audit_events(&self, query: &AuditQuery) -> Result<Vec<AuditEvent>, StoreError> {
                self.enter(Call::AuditEvents)?.audit_events(query).await
            }
        }

        #[async_trait]
        impl Keys for $layer {
            async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
                self.enter(Call::SigningKeys)?.signing_keys().await
            }

            async fn pepper_checks(&self) -> Result<Vec<PepperCheck>, StoreError> {
                self.enter(Call::PepperChecks)?.pepper_checks().await
            }
        }

        #[async_trait]
        impl Outbox for $layer {
            async fn lease_mail(
                &self,
                lease: LeaseId,
                now: Timestamp,
                until: Timestamp,
                limit: u32,
            ) -> Result<Vec<LeasedMail>, StoreError> {
                self.enter(Call::LeaseMail)?.lease_mail(lease, now, until, limit).await
            }

            async fn settle_mail(&self, mail: MailId, lease: LeaseId) -> Result<bool, StoreError> {
                self.enter(Call::SettleMail)?.settle_mail(mail, lease).await
            }

            async fn postpone_mail(
                &self,
                mail: MailId,
                lease: LeaseId,
                due: Timestamp,
                reason: &str,
            ) -> Result<bool, StoreError> {
                self.enter(Call::PostponeMail)?.postpone_mail(mail, lease, due, reason).await
            }

            async fn bury_mail(&self, mail: MailId, lease: LeaseId, reason: &str) -> Result<bool, StoreError> {
                self.enter(Call::BuryMail)?.bury_mail(mail, lease, reason).await
            }

            async fn retry_mail(&self, mail: Option<MailId>, now: Timestamp) -> Result<u64, StoreError> {
                self.enter(Call::RetryMail)?.retry_mail(mail, now).await
            }

            async fn mails(&self, query: &MailQuery) -> Result<Vec<MailRecord>, StoreError> {
                self.enter(Call::Mails)?.mails(query).await
            }

            async fn backlog(&self) -> Result<Backlog, StoreError> {
                self.enter(Call::Backlog)?.backlog().await
            }
        }

        #[async_trait]
        impl Idempotency for $layer {
            async fn claim(&self, request: &Claimed, now: Timestamp) -> Result<Claim, StoreError> {
                self.enter(Call::Claim)?.claim(request, now).await
            }

            async fn finish(&self, key: &Digest, claim: LeaseId, reply: &Sealed) -> Result<(), StoreError> {
                self.enter(Call::Finish)?.finish(key, claim, reply).await
            }

            async fn release(&self, key: &Digest, claim: LeaseId) -> Result<(), StoreError> {
                self.enter(Call::Release)?.release(key, claim).await
            }
        }

        #[async_trait]
        impl Housekeeping for $layer {
            async fn ping(&self) -> Result<(), StoreError> {
                self.enter(Call::Ping)?.ping().await
            }

            async fn missing_migrations(&self) -> Result<Vec<String>, StoreError> {
                self.enter(Call::MissingMigrations)?.missing_migrations().await
            }

            async fn sweep(&self, now: Timestamp, mail_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
                self.enter(Call::Sweep)?.sweep(now, mail_before, limit).await
            }

            async fn acquire(
                &self,
                name: &str,
                holder: LeaseId,
                now: Timestamp,
                until: Timestamp,
            ) -> Result<bool, StoreError> {
                self.enter(Call::Acquire)?.acquire(name, holder, now, until).await
            }
        }
    };
}

forward_ports!(Counting);
forward_ports!(Nodes);
forward_ports!(crate::fault::Faulty);
