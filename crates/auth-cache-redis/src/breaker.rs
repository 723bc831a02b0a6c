//! Who may ask a server that didn't answer.

use std::fmt::Display;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Lets everybody ask while the server answers. Once it doesn't, one caller a [`PAUSE`] tries, and the others are told so at
/// once: a frozen server would hold each of them for as long as one waits for it.
#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// While the server is away: nobody asks before then.
    away_until: Option<Instant>,
    last_failure: Option<Instant>,
    /// When it was last said that the server is away.
    said_at: Option<Instant>,
    /// Whether that is still to be taken back.
    is_said: bool,
}

/// How long a server that didn't answer is left alone.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);

/// Longer than a request takes.
const LATELY: Duration = Duration::from_secs(60);

impl Breaker {
    /// Whether the caller may ask. While the server is away, it is the only one for another pause.
    pub(crate) fn admits(&self) -> bool {
        let (mut state, now) = (self.state(), Instant::now());
        match state.away_until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                state.away_until = Some(now + PAUSE);
                true
            }
        }
    }

    /// The server has answered.
    pub(crate) fn answered(&self) {
        let is_said = {
            let mut state = self.state();
            state.away_until.take().is_some() && std::mem::take(&mut state.is_said)
        };
        if is_said {
            tracing::info!("Redis answers again: what nodes share is shared again");
        }
    }

    /// It hasn't. Says so once, and not for every request; nor every time, where only a part of a Cluster is away.
    pub(crate) fn failed(&self, reason: &dyn Display) {
        let now = Instant::now();
        let is_news = {
            let mut state = self.state();
            state.last_failure = Some(now);
            // Who is let through puts the end off; who insists doesn't.
            state.away_until.get_or_insert(now + PAUSE);
            let is_news = !state.is_said && state.said_at.is_none_or(|at| now >= at + LATELY);
            if is_news {
                (state.said_at, state.is_said) = (Some(now), true);
            }
            is_news
        };
        if is_news {
            tracing::warn!(%reason, "Redis is away: until it is back, this node counts for itself and asks the store");
        }
    }

    /// There is a new connection: whoever comes next needn't wait for the pause to end.
    pub(crate) fn may_try(&self) {
        let mut state = self.state();
        if state.away_until.is_some() {
            state.away_until = Some(Instant::now());
        }
    }

    pub(crate) fn is_away(&self) -> bool {
        self.state().away_until.is_some()
    }

    /// Whether a request that is under way may have begun while the server was away.
    pub(crate) fn has_failed_lately(&self) -> bool {
        self.state().last_failure.is_some_and(|at| Instant::now() < at + LATELY)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A state is whole at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RL3: a server that is away is asked by one caller a pause, until it answers.
    #[tokio::test(start_paused = true)]
    async fn rl3_one_caller_a_pause_asks() {
        let breaker = Breaker::default();
        assert!(breaker.admits() && breaker.admits() && !breaker.is_away() && !breaker.has_failed_lately());
        breaker.failed(&"timed out");
        assert!(breaker.is_away());
        for _ in 0..3 {
            assert!(!breaker.admits());
            tokio::time::advance(PAUSE).await;
            assert!(breaker.admits(), "one tries");
            assert!(!breaker.admits(), "and no other");
        }
        breaker.may_try();
        assert!(breaker.is_away() && breaker.admits() && !breaker.admits(), "one tries at once");
        breaker.answered();
        breaker.may_try();
        assert!(breaker.admits() && breaker.admits() && !breaker.is_away());
        assert!(breaker.has_failed_lately());
        tokio::time::advance(LATELY).await;
        assert!(!breaker.has_failed_lately());
    }
}
