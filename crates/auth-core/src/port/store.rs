//! Reading, one port per aggregate, and what stores do on their own account. Every method of a read port is one query.

use async_trait::async_trait;
use std::fmt::Debug;

use super::Commit;
use crate::domain::{
    Account, AuditEvent, AuditKind, Backlog, Digest, Email, EventId, Issued, LeaseId, LeasedMail, Mac, MailId,
    MailRecord, MailState, Pending, PepperCheck, Purpose, Sealed, Session, SessionKey, Signed, SigningKey, Timestamp,
    Token, TotpSecret, User, UserId,
};

/// Reads users.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Users: Debug + Send + Sync {
    /// The user of that id, roles and password hash included.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn find_user(&self, id: UserId) -> Result<Option<Account>, StoreError>;

    /// The user of that address, compared by its canonical form.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn find_user_by_email(&self, email: &Email) -> Result<Option<Account>, StoreError>;

    /// Up to `limit` users, roles included, newest first: in descending order of id.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn users(&self, query: &UserQuery) -> Result<Vec<User>, StoreError>;
}

/// Which users are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserQuery {
    /// Those whose canonical address contains this text, which is to be in lower case; or all.
    pub search: Option<String>,
    /// Those whose id is below this one; or from the highest on.
    pub before: Option<UserId>,
    /// How many at most.
    pub limit: u32,
}

/// Reads sessions.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Sessions: Debug + Send + Sync {
    /// The session behind that key with its user and roles, dead ones too: [`Session::is_live`] is the caller's to ask.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn find_session(&self, key: &SessionKey) -> Result<Option<Signed>, StoreError>;

    /// All sessions of a user whose rows are there, dead ones too; newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError>;
}

/// Reads one-time tokens.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Tokens: Debug + Send + Sync {
    /// The token whose link has that digest, with its user; expired ones too.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn find_token(&self, link: &Digest) -> Result<Option<Issued>, StoreError>;

    /// All tokens of a user for a purpose, newest first; expired ones too.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn tokens_of(&self, user: UserId, purpose: Purpose) -> Result<Vec<Token>, StoreError>;
}

/// Reads what second factors are checked against. Which of them are on stands with the user
/// ([`User::factors`](crate::domain::User::factors)).
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait SecondFactors: Debug + Send + Sync {
    /// What the user's authenticator apps share with us: at most one secret that is on, and one that is enrolled, expired or
    /// not.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn totp_secrets(&self, user: UserId) -> Result<Vec<TotpSecret>, StoreError>;

    /// The user's recovery codes that are not spent.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn recovery_codes(&self, user: UserId) -> Result<Vec<Mac>, StoreError>;
}

/// Reads registrations that wait for their proof.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Pendings: Debug + Send + Sync {
    /// The registration whose link has that digest; expired ones too.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn find_pending(&self, link: &Digest) -> Result<Option<Pending>, StoreError>;

    /// All registrations of an address, newest first; expired ones too.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn pendings_of(&self, email: &Email) -> Result<Vec<Pending>, StoreError>;
}

/// Reads the audit log.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait AuditLog: Debug + Send + Sync {
    /// Up to `limit` entries, newest first. Entries of one instant are in descending order of id.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn audit_events(&self, query: &AuditQuery) -> Result<Vec<AuditEvent>, StoreError>;
}

/// Which audit entries are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Those about or by this user; or all.
    pub user: Option<UserId>,
    /// Those of this kind; or all.
    pub kind: Option<AuditKind>,
    /// Those before this entry; or from the newest on. Nothing is before an entry that isn't there.
    pub before: Option<EventId>,
    /// How many at most.
    pub limit: u32,
}

/// Reads keys and their checks.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Keys: Debug + Send + Sync {
    /// All signing keys, highest number first.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError>;

    /// All pepper checks.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn pepper_checks(&self) -> Result<Vec<PepperCheck>, StoreError>;
}

/// The transactional outbox: mail enters with [`Change::Enqueue`](super::Change) and is sent by whichever worker leases it.
///
/// A mail is sent at least once, and once per lease. Each method changes rows only where `lease` still holds them.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Outbox: Debug + Send + Sync {
    /// Leases up to `limit` mails that are due at `now` and not leased by anybody else, oldest first, until `until`.
    /// Two workers never hold one mail at once.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn lease_mail(
        &self,
        lease: LeaseId,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<LeasedMail>, StoreError>;

    /// Notes that a mail was sent and erases its body. `false`: the lease was lost.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn settle_mail(&self, mail: MailId, lease: LeaseId) -> Result<bool, StoreError>;

    /// Gives a mail back, to be due again at `due`. `false`: the lease was lost.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn postpone_mail(
        &self,
        mail: MailId,
        lease: LeaseId,
        due: Timestamp,
        reason: &str,
    ) -> Result<bool, StoreError>;

    /// Gives a mail up; the row stays as a dead letter, and its body until it expires, so that it can be retried. `false`:
    /// the lease was lost.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn bury_mail(&self, mail: MailId, lease: LeaseId, reason: &str) -> Result<bool, StoreError>;

    /// Puts dead letters up again, that one or all: those that expire after `now` are due at once, with no attempts
    /// counted. Returns how many.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn retry_mail(&self, mail: Option<MailId>, now: Timestamp) -> Result<u64, StoreError>;

    /// Up to `limit` mails, newest first: in descending order of id.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn mails(&self, query: &MailQuery) -> Result<Vec<MailRecord>, StoreError>;

    /// What waits.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn backlog(&self) -> Result<Backlog, StoreError>;
}

/// Which mails are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailQuery {
    /// Those about this user's account; or all.
    pub user: Option<UserId>,
    /// Those that got so far; or all.
    pub state: Option<MailState>,
    /// Those whose id is below this one; or from the highest on.
    pub before: Option<MailId>,
    /// How many at most.
    pub limit: u32,
}

/// Remembers the first reply to a request that names itself by an `Idempotency-Key`.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Idempotency: Debug + Send + Sync {
    /// Claims `key`, atomically: of racing claims one is [`Claim::Fresh`]. A claim that was not finished by
    /// `claimed_until`, and a reply older than its `expires_at`, count as not there. The same claim made again, since its answer was
    /// lost on the way, may be fresh again.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn claim(&self, request: &Claimed, now: Timestamp) -> Result<Claim, StoreError>;

    /// Keeps the reply of a claimed request. Nothing happens where the claim was lost.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn finish(&self, key: &Digest, claim: LeaseId, reply: &Sealed) -> Result<(), StoreError>;

    /// Frees the key of a request whose reply isn't kept. Nothing happens where the claim was lost.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn release(&self, key: &Digest, claim: LeaseId) -> Result<(), StoreError>;
}

/// A request that claims an idempotency key.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Of operation, client and the header's value.
    pub key: Digest,
    /// Of the request's body, under a key: a plain hash of it would be an oracle for the password inside.
    pub fingerprint: Mac,
    /// Names this claim.
    pub claim: LeaseId,
    /// A claim that isn't finished by then has crashed, and the key is free.
    pub claimed_until: Timestamp,
    /// The kept reply is forgotten from here on.
    pub expires_at: Timestamp,
}

/// What a claim found. The fingerprint that was kept is returned, not judged: comparing it is the caller's, in constant
/// time and under whichever pepper made it.
#[derive(Debug, Clone)]
pub enum Claim {
    /// Nothing: the key is ours.
    Fresh,
    /// An earlier request that is still under way.
    InProgress {
        /// Of that request's body.
        fingerprint: Mac,
    },
    /// An earlier request's reply.
    Finished {
        /// Of that request's body.
        fingerprint: Mac,
        /// Its reply.
        reply: Sealed,
    },
}

/// What stores do on their own account.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Housekeeping: Debug + Send + Sync {
    /// Whether the store answers.
    ///
    /// # Errors
    /// [`StoreError`] when it doesn't.
    async fn ping(&self) -> Result<(), StoreError>;

    /// What the store's schema lacks for this version, each by its name; empty when all is well. What a later version has
    /// brought is passed over: during a deployment, old nodes run beside new ones.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn missing_migrations(&self) -> Result<Vec<String>, StoreError>;

    /// Deletes up to `limit` rows of each table whose time is over at `now`: sessions no longer kept, tokens and waiting
    /// registrations whose link and code are both dead, enrolments that have expired, idempotency keys and budgets that have expired, mail sent or dead since `mail_before`,
    /// buries unsent mail that has expired, and erases the bodies of dead letters that have. Returns how many rows went; less than `limit` means it is done.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn sweep(&self, now: Timestamp, mail_before: Timestamp, limit: u32) -> Result<u64, StoreError>;

    /// Takes or renews the named lease for `holder` until `until`, if nobody else holds it at `now`. Of racing nodes one
    /// gets `true`.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    async fn acquire(&self, name: &str, holder: LeaseId, now: Timestamp, until: Timestamp) -> Result<bool, StoreError>;
}

/// Everything that a database does. Implemented by whatever implements its parts.
pub trait Store:
    Users + Sessions + Tokens + SecondFactors + Pendings + AuditLog + Keys + Commit + Outbox + Idempotency + Housekeeping
{
}

impl<T> Store for T where
    T: Users
        + Sessions
        + Tokens
        + SecondFactors
        + Pendings
        + AuditLog
        + Keys
        + Commit
        + Outbox
        + Idempotency
        + Housekeeping
{
}

/// A store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It can't be reached, or is too busy: the same call may go through later.
    #[error("the {store} store is unavailable")]
    Unavailable {
        /// Which store.
        store: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It answered with an error, or holds what can't be read.
    #[error("the {store} store failed")]
    Failed {
        /// Which store.
        store: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
