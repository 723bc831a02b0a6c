//! What Redis is still to hear.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::time::{Instant, sleep};

/// What Redis was told and didn't hear, by what it is about; each for as long as it matters.
#[derive(Debug)]
pub(crate) struct Debts<K, V> {
    due: Mutex<HashMap<K, (V, Instant)>>,
    /// Whether there is anything, for who only wants to know that.
    is_any: AtomicBool,
}

/// One of them.
#[derive(Debug, Clone)]
pub(crate) struct Debt<K, V> {
    pub(crate) about: K,
    pub(crate) what: V,
    until: Instant,
}

/// How long there is between two rounds of telling.
const PAUSE: Duration = Duration::from_millis(100);

/// So many are told at once: one that can't be settled holds few others up.
const AT_ONCE: usize = 16;

/// More than can be told in time, one by one.
const MANY: usize = 1000;

impl<K: Clone + Eq + Hash, V: Clone> Debts<K, V> {
    /// Notes one that matters for so long, in place of one about the same. Whether nobody tells Redis so far: the caller is to
    /// [settle](Self::settle_all) then.
    #[must_use]
    pub(crate) fn note(&self, about: K, what: V, for_long: Duration) -> bool {
        let mut due = self.locked();
        due.insert(about, (what, Instant::now() + for_long));
        !self.is_any.swap(true, Ordering::SeqCst)
    }

    /// Whether there is one about any of these.
    pub(crate) fn are_about(&self, these: &[K]) -> bool {
        self.is_any.load(Ordering::SeqCst) && {
            let due = self.locked();
            these.iter().any(|about| due.contains_key(about))
        }
    }

    /// Whether there are more than can be told in time.
    pub(crate) fn are_many(&self) -> bool {
        self.is_any.load(Ordering::SeqCst) && self.locked().len() >= MANY
    }

    /// Tells Redis, round by round, until it has heard all that still matters. `tell` returns whether it has heard.
    pub(crate) async fn settle_all<F: Future<Output = bool>>(&self, tell: impl Fn(Debt<K, V>) -> F) {
        let mut teller = Teller { debts: self, is_done: false };
        while let Some(round) = self.round().await {
            stream::iter(round)
                .for_each_concurrent(AT_ONCE, async |debt| {
                    if tell(debt.clone()).await {
                        self.settle(&debt);
                    }
                })
                .await;
        }
        teller.is_done = true;
    }

    async fn round(&self) -> Option<Vec<Debt<K, V>>> {
        sleep(PAUSE).await;
        let (mut due, now) = (self.locked(), Instant::now());
        due.retain(|_, (_, until)| now < *until);
        if due.is_empty() {
            self.is_any.store(false, Ordering::SeqCst);
            return None;
        }
        let debt = |(about, (what, until)): (&K, &(V, Instant))| Debt {
            about: about.clone(),
            what: what.clone(),
            until: *until,
        };
        Some(due.iter().map(debt).collect())
    }

    /// Redis has heard it. What was noted about the same since, it hasn't.
    fn settle(&self, debt: &Debt<K, V>) {
        let mut due = self.locked();
        if due.get(&debt.about).is_some_and(|(_, until)| *until == debt.until) {
            due.remove(&debt.about);
        }
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<K, (V, Instant)>> {
        // It is whole at any time.
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> Default for Debts<K, V> {
    fn default() -> Self {
        Self { due: Mutex::default(), is_any: AtomicBool::new(false) }
    }
}

/// Whoever tells Redis. One that ends before there is nothing left, with its runtime or by a panic, leaves nothing behind: the next
/// debt finds another.
struct Teller<'a, K, V> {
    debts: &'a Debts<K, V>,
    is_done: bool,
}

impl<K, V> Drop for Teller<'_, K, V> {
    fn drop(&mut self) {
        if !self.is_done {
            self.debts.due.lock().unwrap_or_else(PoisonError::into_inner).clear();
            self.debts.is_any.store(false, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    /// SE5: each is told until it is heard or doesn't matter any more, and none waits for another.
    #[tokio::test(start_paused = true)]
    async fn se5_debts_are_told_until_they_are_heard() {
        let debts = Debts::<u32, &str>::default();
        assert!(debts.note(0, "never heard", Duration::from_secs(1)), "nobody tells yet");
        for about in 1..100 {
            assert!(!debts.note(about, "heard", LONG), "somebody does");
        }
        assert!(debts.are_about(&[1000, 7]) && !debts.are_about(&[1000]));
        let told = Mutex::new(Vec::new());
        let tell = async |debt: Debt<u32, &str>| {
            if debt.about == 0 {
                sleep(Duration::from_millis(300)).await;
                return false;
            }
            told.lock().unwrap().push(debt.about);
            true
        };
        debts.settle_all(tell).await;

        let mut told = told.into_inner().unwrap();
        told.sort_unstable();
        assert_eq!(told, (1..100).collect::<Vec<_>>(), "each once");
        assert!(!debts.are_about(&[0]));
        assert!(debts.note(1, "heard", LONG), "nobody tells any more");
    }

    /// SE5: what is noted while Redis hears of the same hasn't been heard.
    #[tokio::test(start_paused = true)]
    async fn se5_a_debt_that_is_noted_meanwhile_is_told_again() {
        let debts = Arc::new(Debts::<u32, &str>::default());
        assert!(debts.note(1, "first", LONG));
        let told = Mutex::new(Vec::new());
        let tell = async |debt: Debt<u32, &'static str>| {
            if told.lock().unwrap().is_empty() {
                sleep(Duration::from_millis(1)).await;
                assert!(!debts.note(1, "second", LONG));
            }
            told.lock().unwrap().push(debt.what);
            true
        };
        debts.settle_all(tell).await;
        assert_eq!(told.into_inner().unwrap(), ["first", "second"]);
    }

    /// Who told Redis may be gone with its runtime: the next debt finds another.
    #[tokio::test(start_paused = true)]
    async fn a_teller_that_is_gone_leaves_nothing_behind() {
        let debts = Debts::<u32, ()>::default();
        assert!(debts.note(1, (), LONG));
        tokio::time::timeout(LONG / 2, debts.settle_all(async |_| false)).await.unwrap_err();
        assert!(!debts.are_about(&[1]));
        assert!(debts.note(1, (), LONG));
    }

    #[tokio::test]
    async fn many_are_many() {
        let debts = Debts::<usize, ()>::default();
        for about in 0..MANY {
            assert!(!debts.are_many());
            let _ = debts.note(about, (), LONG);
        }
        assert!(debts.are_many());
    }
}
