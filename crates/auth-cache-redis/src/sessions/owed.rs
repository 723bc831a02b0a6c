//! What Redis is still to hear.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use auth_core::domain::UserId;
use tokio::time::{Instant, sleep};

/// Users whose copies Redis was to forget and didn't, or everybody (`None`); each until no copy can be left of what they were.
#[derive(Debug, Default)]
pub(super) struct Owed {
    until: Mutex<HashMap<Option<UserId>, Instant>>,
    /// Whether there is anything, for who only wants to know that.
    is_any: AtomicBool,
}

/// One of them.
pub(super) struct Debt {
    pub(super) user: Option<UserId>,
    until: Instant,
}

/// How long there is between two rounds of telling.
const PAUSE: Duration = Duration::from_millis(100);

/// A copy that is being looked for while it is to be forgotten lives from then on.
const MARGIN: Duration = Duration::from_secs(1);

/// From so many on, everybody is to be forgotten: one by one they wouldn't be told in time.
const MANY: usize = 1000;

impl Owed {
    /// Notes that Redis is to hear of `user`, whose copies live for `lifetime`. Whether nobody tells it so far: the caller does
    /// then.
    pub(super) fn note(&self, user: Option<UserId>, lifetime: Duration) -> bool {
        let mut until = self.locked();
        let user = user.filter(|_| until.len() < MANY);
        until.insert(user, Instant::now() + lifetime + MARGIN);
        !self.is_any.swap(true, Ordering::SeqCst)
    }

    /// Whether what Redis has of `user` is not to be believed.
    pub(super) fn concerns(&self, user: UserId) -> bool {
        self.is_any.load(Ordering::SeqCst) && {
            let until = self.locked();
            until.contains_key(&Some(user)) || until.contains_key(&None)
        }
    }

    /// All that Redis is to be told, after a while; nothing once there is nothing left.
    pub(super) async fn round(&self) -> Option<Vec<Debt>> {
        sleep(PAUSE).await;
        let (mut until, now) = (self.locked(), Instant::now());
        until.retain(|_, until| now < *until);
        if until.is_empty() {
            self.is_any.store(false, Ordering::SeqCst);
            return None;
        }
        Some(until.iter().map(|(user, until)| Debt { user: *user, until: *until }).collect())
    }

    /// Redis has heard it. What was noted since, it hasn't.
    pub(super) fn settle(&self, debt: &Debt) {
        let mut until = self.locked();
        if until.get(&debt.user) == Some(&debt.until) {
            until.remove(&debt.user);
        }
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<Option<UserId>, Instant>> {
        // It is whole at any time.
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
