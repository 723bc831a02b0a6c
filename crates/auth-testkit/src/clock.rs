//! A clock that stands still.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use auth_core::domain::Timestamp;
use auth_core::port::Clock;

use crate::given;

/// A clock that moves only when told to, also backwards.
///
/// Starts at [`given::NOW`]. Shared as `Arc<FakeClock>` between the test and what it tests.
#[derive(Debug)]
pub struct FakeClock(AtomicI64);

impl FakeClock {
    /// A clock that stands at `now`.
    pub const fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_micros()))
    }

    /// Sets it to `now`.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_micros(), Ordering::SeqCst);
    }

    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        self.set(self.now() + by);
    }

    /// Moves it back, as an operator or a leap of NTP may.
    pub fn set_back(&self, by: Duration) {
        self.set(self.now().before(by));
    }
}

impl Default for FakeClock {
    fn default() -> Self {
        Self::at(given::NOW)
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}
