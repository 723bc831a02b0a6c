//! A store that fails when told to.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use async_trait::async_trait;
use auth_core::domain::UserId;
use auth_core::port::{Change, Commit, CommitError, Rejected, Store, StoreError};

use crate::{Call, given};

/// Where a store fails. Places are counted from 0, from the moment the fault is armed, over all callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// That change fails, counted over commits: it and everything before it in its commit are undone by the store.
    /// The caller hears [`StoreError::Failed`], in all other cases [`StoreError::Unavailable`].
    Change(usize),
    /// That call, read or write, doesn't reach the store.
    Call(usize),
    /// That commit is applied, but the connection breaks before the caller hears of it.
    Answer(usize),
    /// No call reaches the store, until disarmed.
    Away,
}

/// A decorator that makes any store fail at a chosen place, with the semantics of the store's own transactions.
///
/// A sweep fails each change of a flow in turn, until there is none left to fail:
///
/// ```
/// # use std::sync::Arc;
/// # use auth_core::port::{Change, Commit, Users};
/// # use auth_testkit::{Fault, Faulty, MemoryStore, given};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let user = given::registered(&MemoryStore::new()).await;
/// # let event = given::event(user.id);
/// let store = Arc::new(MemoryStore::new());
/// let faulty = Faulty::new(store.clone());
/// let before = store.dump();
/// for k in 0.. {
///     faulty.arm(Fault::Change(k));
///     let outcome = faulty
///         .commit(&[given::create(&user), Change::Record(event.clone())])
///         .await;
///     if !faulty.has_fired() {
///         outcome.unwrap();
///         break;
///     }
///     outcome.unwrap_err();
///     assert_eq!(store.dump(), before);
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Faulty {
    store: Arc<dyn Store>,
    armed: Mutex<Option<Fault>>,
    fired: AtomicBool,
}

impl Faulty {
    /// Passes everything on to `store`, until a fault is armed.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, armed: Mutex::new(None), fired: AtomicBool::new(false) }
    }

    /// Lets the store fail once at `fault` (as long as [`Fault::Away`] is armed, always).
    pub fn arm(&self, fault: Fault) {
        self.fired.store(false, Ordering::SeqCst);
        *self.lock() = Some(fault);
    }

    /// Lets the store work again.
    pub fn disarm(&self) {
        *self.lock() = None;
    }

    /// Whether the fault that was armed last has come to pass.
    pub fn has_fired(&self) -> bool {
        self.fired.load(Ordering::SeqCst)
    }

    pub(crate) fn enter(&self, _: Call) -> Result<&dyn Store, StoreError> {
        let mut armed = self.lock();
        let fails = match &mut *armed {
            Some(Fault::Away) => true,
            Some(Fault::Call(0)) => {
                *armed = None;
                true
            }
            Some(Fault::Call(k)) => {
                *k -= 1;
                false
            }
            _ => false,
        };
        if fails { Err(self.cut()) } else { Ok(&*self.store) }
    }

    fn cut(&self) -> StoreError {
        self.fired.store(true, Ordering::SeqCst);
        StoreError::Unavailable { store: "faulty", source: "the test cut the connection".into() }
    }

    fn fail(&self) -> StoreError {
        self.fired.store(true, Ordering::SeqCst);
        StoreError::Failed { store: "faulty", source: "the test let a change fail".into() }
    }

    /// What is to become of a commit of that many changes.
    fn plan(&self, changes: usize) -> Plan {
        let mut armed = self.lock();
        let plan = match &mut *armed {
            Some(Fault::Change(k)) if *k < changes => Plan::Undo(*k),
            Some(Fault::Change(k)) => {
                *k -= changes;
                return Plan::Pass;
            }
            Some(Fault::Answer(0)) => Plan::LoseAnswer,
            Some(Fault::Answer(k)) => {
                *k -= 1;
                return Plan::Pass;
            }
            _ => return Plan::Pass,
        };
        *armed = None;
        plan
    }

    fn lock(&self) -> MutexGuard<'_, Option<Fault>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Plan {
    Pass,
    /// Apply all up to and including that change, then take it back.
    Undo(usize),
    LoseAnswer,
}

#[async_trait]
impl Commit for Faulty {
    async fn commit(&self, changes: &[Change]) -> Result<(), CommitError> {
        let store = self.enter(Call::Commit)?;
        match self.plan(changes.len()) {
            Plan::Pass => store.commit(changes).await,
            Plan::LoseAnswer => {
                store.commit(changes).await?;
                Err(self.cut().into())
            }
            Plan::Undo(k) => {
                let mut doomed = changes[..=k].to_vec();
                let (impossible, reason) = impossible(&doomed);
                doomed.push(impossible);
                match store.commit(&doomed).await {
                    Err(CommitError::Rejected(why)) if why == reason => Err(self.fail().into()),
                    Ok(()) => panic!("the store went along with {reason:?}"),
                    // One of the changes themselves was refused: no need of a fault.
                    Err(error) => Err(error),
                }
            }
        }
    }
}

/// Whether a change may be rejected for a candidate's reason itself.
type IsRival = fn(&Change) -> bool;

/// A change that no store goes along with, and why: for a reason that `changes` can't be rejected for themselves, and
/// for a user that they lock anyway, since the lock on a row that isn't there is another lock on some databases.
fn impossible(changes: &[Change]) -> (Change, Rejected) {
    let created = changes.iter().find_map(|change| match change {
        Change::CreateUser { user, .. } => Some(user.id),
        _ => None,
    });
    let user: UserId = Change::users_to_lock(changes).first().copied().or(created).unwrap_or_else(given::id);
    let sealed = given::sealed();
    let candidates: [(Change, Rejected, IsRival); 4] = [
        (Change::SpendToken { user, token: given::id() }, Rejected::Token, |change| {
            matches!(change, Change::SpendToken { .. } | Change::SpendPending { .. } | Change::RenewCode { .. })
        }),
        (Change::ClaimAttempt { user, token: given::id(), limit: u32::MAX }, Rejected::Attempts, |change| {
            matches!(change, Change::ClaimAttempt { .. } | Change::ClaimPending { .. })
        }),
        (Change::CloseSession { user, session: given::id(), at: given::NOW }, Rejected::Session, |change| {
            matches!(change, Change::CloseSession { .. } | Change::RotateRefresh { .. } | Change::RotateSecret { .. })
        }),
        (Change::ResealSigningKey { number: 0, from: sealed.clone(), to: sealed }, Rejected::Key, |change| {
            matches!(change, Change::ResealSigningKey { .. } | Change::AddSigningKey(_))
        }),
    ];
    let free = candidates.iter().position(|(_, _, is_rival)| !changes.iter().any(is_rival)).unwrap_or(0);
    let (change, reason, _) = candidates[free].clone();
    (change, reason)
}

/// Polls `future` up to `polls` times and drops it if it isn't done: a client that went away at that await point.
pub async fn abandon<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut polled = 0;
    poll_fn(|context| {
        if polled == polls {
            return Poll::Ready(None);
        }
        polled += 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}
