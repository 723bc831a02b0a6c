//! Whether the store answers, without asking it each time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use auth_core::domain::Timestamp;
use auth_core::port::StoreError;

use crate::problem::Problem;

/// How long an answer of the store is good for: the probe has no throttle, and must not become a way to load the store.
const PERIOD: Duration = Duration::from_secs(1);

/// Whether the store answers, as it last said.
#[derive(Debug)]
pub(crate) struct Readiness(Mutex<Last>);

#[derive(Debug)]
struct Last {
    asked_at: Option<Timestamp>,
    is_ready: bool,
}

impl Default for Readiness {
    /// Ready until asked: nothing starts without its store.
    fn default() -> Self {
        Self(Mutex::new(Last { asked_at: None, is_ready: true }))
    }
}

impl Readiness {
    /// Asks the store with `ping`, once a [`PERIOD`]; whoever comes meanwhile is told what is known.
    ///
    /// # Errors
    /// 503 where the store doesn't answer. Its reason is given, and so logged, to the one who asked it.
    pub(crate) async fn check(
        &self,
        now: Timestamp,
        ping: impl Future<Output = Result<(), StoreError>>,
    ) -> Result<(), Problem> {
        {
            let mut last = self.last();
            // A clock that was set back makes no answer last.
            let is_fresh = last.asked_at.is_some_and(|asked_at| asked_at <= now && now.since(asked_at) < PERIOD);
            if is_fresh {
                return if last.is_ready { Ok(()) } else { Err(Problem::not_ready()) };
            }
            // Before there is an answer: of many who find the last one stale, one asks.
            last.asked_at = Some(now);
        }
        let answer = ping.await;
        self.last().is_ready = answer.is_ok();
        answer.map_err(Problem::from)
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::FutureExt;

    use super::*;
    use crate::problem::ProblemCode;

    const SECOND: i64 = 1_000_000;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn ask(
        readiness: &Readiness,
        now: i64,
        ping: impl Future<Output = Result<(), StoreError>>,
    ) -> Option<Option<ProblemCode>> {
        Some(readiness.check(at(now), ping).now_or_never()?.err().map(|problem| problem.code()))
    }

    // A flood of probes is one query a second.
    #[test]
    fn the_store_is_asked_once_a_second() {
        let (readiness, pings) = (Readiness::default(), AtomicUsize::new(0));
        let ping = async || {
            pings.fetch_add(1, Ordering::SeqCst);
            Ok(())
        };
        for now in [0, 1, SECOND - 1] {
            assert_eq!(ask(&readiness, now, ping()), Some(None));
            assert_eq!(pings.load(Ordering::SeqCst), 1);
        }
        ask(&readiness, SECOND, ping());
        assert_eq!(pings.load(Ordering::SeqCst), 2);
        // DF6: a clock that was set back makes no answer last.
        ask(&readiness, SECOND - 1, ping());
        assert_eq!(pings.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn a_failure_is_known_for_a_second() {
        let readiness = Readiness::default();
        let away = async || Err(StoreError::Unavailable { store: "test", source: "away".into() });
        let not_ready = Some(Some(ProblemCode::Unavailable));
        assert_eq!(ask(&readiness, 0, away()), not_ready);
        assert_eq!(ask(&readiness, 1, async { Ok(()) }), not_ready);
        assert_eq!(ask(&readiness, SECOND, async { Ok(()) }), Some(None));
    }

    // A store that hangs holds up who asked it, and nobody else.
    #[test]
    fn one_waits_for_all() {
        let readiness = Readiness::default();
        let mut asking = Box::pin(readiness.check(at(0), std::future::pending()));
        assert!(asking.as_mut().now_or_never().is_none());
        assert_eq!(ask(&readiness, 1, std::future::pending()), Some(None));
        assert_eq!(ask(&readiness, SECOND, std::future::pending()), None);
    }
}
