//! Clock and randomness of the operating system, and the breach check that is off.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use crate::domain::{Password, Timestamp};
use crate::port::{BreachedPasswords, Clock, Entropy};

/// The system's clock, which never goes backwards here.
///
/// Set back, it stands still until the system's time has caught up: what was expired stays expired, what was spent in
/// one window isn't offered again in the same one, and ids go on sorting. The price is that windows and lifetimes last
/// longer by as much; a clock that was off by hours wants a restart, which the log says.
#[derive(Debug)]
pub struct SystemClock {
    /// The latest time handed out, in microseconds since the Unix epoch.
    latest: AtomicI64,
    /// Whether the log has been told of the clock's having been set back.
    told: AtomicBool,
}

/// The lag behind the latest time that is worth a warning; time servers correct by less every day.
const NOTABLE_LAG: Duration = Duration::from_secs(1);

impl SystemClock {
    /// A clock that has told no time yet.
    pub const fn new() -> Self {
        Self { latest: AtomicI64::new(i64::MIN), told: AtomicBool::new(false) }
    }

    /// The later of `system` and everything told before.
    fn advance(&self, system: Timestamp) -> Timestamp {
        let before = Timestamp::from_micros(self.latest.fetch_max(system.as_micros(), Ordering::Relaxed));
        let lag = before.since(system);
        if lag < NOTABLE_LAG {
            self.told.store(false, Ordering::Relaxed);
        } else if !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                seconds = lag.as_secs(),
                "the system clock was set back: time stands still until it catches up"
            );
        }
        before.max(system)
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // Before 1970 there is no time to tell but the epoch.
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.advance(Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX)))
    }
}

/// Random bytes from AWS-LC's generator, seeded by the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::expect_used, reason = "a secret that isn't random is worse than no answer")]
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("the system gives random bytes");
    }
}

/// The breach check that is off: knows no breached password.
///
/// Common and guessable passwords are refused all the same, by [`PasswordRules`](crate::rules::password::PasswordRules).
/// It is the default because asking a service tells somebody else that a password is being set, and when.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoBreachCheck;

#[async_trait]
impl BreachedPasswords for NoBreachCheck {
    async fn is_breached(&self, _password: &Password) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // DF6: a clock set back tells no time again that is over, and goes on when it has caught up.
    #[test]
    fn df6_never_goes_backwards() {
        let clock = SystemClock::new();
        let at = Timestamp::from_seconds;
        for (system, told) in [(100, 100), (90, 100), (99, 100), (100, 100), (101, 101), (40, 101), (102, 102)] {
            assert_eq!(clock.advance(at(system)), at(told), "at {system}");
        }
    }

    #[test]
    fn tells_todays_time() {
        let clock = SystemClock::new();
        let first = clock.now();
        assert!(first > Timestamp::from_seconds(1_700_000_000));
        assert!(clock.now() >= first);
    }

    // VT1: not the same twice, not left at zero.
    #[test]
    fn vt1_random_bytes_differ() {
        let (mut one, mut two) = ([0; 32], [0; 32]);
        SystemEntropy.fill(&mut one);
        SystemEntropy.fill(&mut two);
        assert_ne!(one, two);
        assert_ne!(one, [0; 32]);
    }
}
