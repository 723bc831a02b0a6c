//! Races: the same thing from many tasks, at one moment.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use auth_core::port::{CommitError, Rejected};
use tokio::sync::Barrier;

/// Runs `racer(0)` to `racer(n - 1)` as tasks, released by one barrier, and waits for all of them.
///
/// Needs a runtime with several threads for the tasks to overlap; a panic in one is a panic here.
///
/// ```
/// # use auth_testkit::race::race;
/// # #[tokio::main]
/// # async fn main() {
/// let flag = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
/// let outcomes = race(50, |i| {
///     let flag = flag.clone();
///     async move { if flag.swap(true, std::sync::atomic::Ordering::SeqCst) { Err("late") } else { Ok(i) } }
/// })
/// .await;
/// let winner = outcomes.single_ok();
/// assert_eq!(outcomes.0[winner], Ok(winner));
/// # }
/// ```
pub async fn race<T, F>(n: usize, racer: impl Fn(usize) -> F) -> Outcomes<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    static RACES: AtomicU64 = AtomicU64::new(0);
    let (start, id) = (Arc::new(Barrier::new(n)), RACES.fetch_add(1, Ordering::Relaxed));
    let tasks: Vec<_> = (0..n)
        .map(|i| {
            let (start, racer) = (start.clone(), racer(i));
            tokio::spawn(RACE.scope(id, async move {
                start.wait().await;
                racer.await
            }))
        })
        .collect();
    let mut outcomes = Vec::with_capacity(n);
    for task in tasks {
        outcomes.push(task.await.expect("a racer panicked"));
    }
    Outcomes(outcomes)
}

tokio::task_local! {
    /// The race that a task is in: what happens in it has no order.
    pub(crate) static RACE: u64;
}

/// What the racers returned, in order of their numbers.
#[derive(Debug)]
pub struct Outcomes<T>(pub Vec<T>);

impl<T: Debug, E: Debug> Outcomes<Result<T, E>> {
    /// The number of the one racer that succeeded; a panic if it wasn't one.
    pub fn single_ok(&self) -> usize {
        match self.winners()[..] {
            [winner] => winner,
            ref winners => panic!("one winner expected, not {winners:?}: {:?}", self.0),
        }
    }

    /// The numbers of those that succeeded.
    pub fn winners(&self) -> Vec<usize> {
        self.0.iter().enumerate().filter(|(_, outcome)| outcome.is_ok()).map(|(i, _)| i).collect()
    }
}

impl<T: Debug> Outcomes<Result<T, CommitError>> {
    /// Expects every racer that lost to have been rejected for `reason`: an error of the store would be contention that
    /// it failed to settle by itself.
    pub fn losers_were_rejected(&self, reason: Rejected) {
        for error in self.0.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert!(
                matches!(error, CommitError::Rejected(found) if *found == reason),
                "{reason:?} expected: {error:?}"
            );
        }
    }
}
