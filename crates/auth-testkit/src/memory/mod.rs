//! The reference store: every guarantee of the ports, over plain tables in memory.
//!
//! Written to be read: one lock over everything, a commit works on a copy. Nothing here is fast, and nothing survives
//! the process.

mod commit;
mod dump;
mod housekeeping;
mod idempotency;
mod outbox;
mod read;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use auth_core::domain::{
    Account, AuditEvent, Budget, Digest, EventId, FactorId, LeaseId, Mac, MailId, Pending, PepperCheck, Session,
    SessionId, SigningKey, Subject, Timestamp, Token, TokenId, TotpSecret, UserId,
};
use auth_core::port::StoreError;

/// A store in memory.
///
/// ```
/// # use auth_core::port::Users;
/// # use auth_testkit::{MemoryStore, given};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let store = MemoryStore::new();
/// let user = given::registered(&store).await;
/// assert_eq!(store.find_user(user.id).await.unwrap().unwrap().user, user);
/// # }
/// ```
#[derive(Default)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything that is at rest here, as text: for looking for what should not be, and for comparing before and after.
    pub fn dump(&self) -> String {
        self.lock(|tables| tables.to_string())
    }

    /// Does `work` while nobody else does. Answers later, as a database would: a caller that is dropped before then has
    /// not been served, and racing callers interleave.
    async fn with<T>(&self, work: impl FnOnce(&mut Tables) -> T) -> T {
        tokio::task::yield_now().await;
        self.lock(work)
    }

    fn lock<T>(&self, work: impl FnOnce(&mut Tables) -> T) -> T {
        // No work leaves a table half changed, so there is nothing to fear from one that panicked.
        work(&mut self.tables.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Shows nothing of what is stored: it would end up in a log.
impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

#[derive(Clone, Default)]
struct Tables {
    users: BTreeMap<UserId, Account>,
    sessions: BTreeMap<SessionId, Session>,
    tokens: BTreeMap<TokenId, Token>,
    pendings: BTreeMap<TokenId, Pending>,
    totp_secrets: BTreeMap<FactorId, TotpSecret>,
    recovery_codes: BTreeMap<UserId, Vec<Mac>>,
    budgets: HashMap<(Subject, Budget, WindowSeconds), Window>,
    audit: BTreeMap<EventId, AuditEvent>,
    signing_keys: BTreeMap<u32, SigningKey>,
    pepper_checks: Vec<PepperCheck>,
    outbox: BTreeMap<MailId, outbox::Row>,
    replies: HashMap<Digest, idempotency::Row>,
    leases: BTreeMap<String, Lease>,
}

type WindowSeconds = u64;

/// Uses of a budget.
#[derive(Debug, Clone, Copy)]
struct Window {
    ends_at: Timestamp,
    uses: u32,
}

/// Who holds a named lease, and until when.
#[derive(Debug, Clone, Copy)]
struct Lease {
    holder: LeaseId,
    until: Timestamp,
}

/// How many rows, of as many as fit into memory.
fn limit(rows: u32) -> usize {
    usize::try_from(rows).unwrap_or(usize::MAX)
}

fn failed(why: &'static str) -> StoreError {
    StoreError::Failed { store: "memory", source: why.into() }
}
