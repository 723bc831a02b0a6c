//! Counting in this process.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::domain::Timestamp;
use crate::port::{Limit, Taken, Throttle, ThrottleKey};

/// A throttle in this process's memory.
///
/// - Exact under any race: a key's uses are counted under one lock, held for a look-up and no longer.
/// - Bounded: at most as many keys as its capacity, some 45 bytes each and double that while a table grows; the default
///   of 200 000 takes about 9 MB when full.
/// - Full, it first drops the windows that are over. If none is, it gives up the key with the fewest uses among a small
///   random sample: a flood of fresh keys, each used once, displaces its own kind and not the nearly used-up counter of
///   an account under attack.
/// - Forgets everything on restart, and every process counts for itself: nodes that share a limit want a shared throttle.
///
/// A key belongs to one [`Limit`]: its window is as long as the limit said that was in force when the window began.
#[derive(Debug)]
pub struct LocalThrottle {
    shards: Box<[Mutex<Shard>]>,
    /// Spreads keys over shards, and picks samples, in a way that nobody outside can foresee: whoever could would fill
    /// one shard to get at one key.
    spread: RandomState,
}

/// How many keys are looked at to find one to give up.
const SAMPLE: usize = 16;

impl LocalThrottle {
    /// Keys held by [`default`](Self::default).
    pub const DEFAULT_CAPACITY: usize = 200_000;

    /// A throttle for at most `capacity` keys, and at least one.
    pub fn new(capacity: usize) -> Self {
        let shards = (capacity / 1024).clamp(1, 64);
        let capacity = (capacity / shards).max(1);
        Self { shards: (0..shards).map(|_| Mutex::new(Shard::new(capacity))).collect(), spread: RandomState::new() }
    }

    /// The shard of `key`, and a number that looks random.
    fn shard(&self, key: &ThrottleKey) -> (MutexGuard<'_, Shard>, usize) {
        let hash = self.spread.hash_one(key);
        let (low, high) = (hash as u32 as usize, (hash >> 32) as usize);
        // A panic under the lock leaves a count behind that is at worst one too low.
        let shard = self.shards[low % self.shards.len()].lock().unwrap_or_else(PoisonError::into_inner);
        (shard, high)
    }
}

impl Default for LocalThrottle {
    fn default() -> Self {
        Self::new(Self::DEFAULT_CAPACITY)
    }
}

#[async_trait]
impl Throttle for LocalThrottle {
    async fn take(&self, key: ThrottleKey, limit: Limit, now: Timestamp) -> Taken {
        let (mut shard, random) = self.shard(&key);
        shard.take(key, limit, now, random)
    }

    async fn give_back(&self, key: ThrottleKey, now: Timestamp) {
        let (mut shard, _) = self.shard(&key);
        shard.give_back(&key, now);
    }

    async fn clear(&self, key: ThrottleKey) {
        let (mut shard, _) = self.shard(&key);
        shard.windows.remove(&key);
    }
}

#[derive(Debug)]
struct Shard {
    windows: HashMap<ThrottleKey, Window>,
    capacity: usize,
    /// No window ends before this, so there is no use in looking for one that has.
    next_end: Timestamp,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    ends_at: Timestamp,
    uses: u32,
}

impl Shard {
    fn new(capacity: usize) -> Self {
        Self { windows: HashMap::new(), capacity, next_end: Timestamp::from_micros(i64::MAX) }
    }

    fn take(&mut self, key: ThrottleKey, limit: Limit, now: Timestamp, random: usize) -> Taken {
        if limit.uses == 0 {
            return Taken { allowed: false, remaining: 0, reset: limit.window };
        }
        if self.windows.len() >= self.capacity && !self.windows.contains_key(&key) {
            self.make_room(now, random);
        }
        let fresh = Window { ends_at: now + limit.window, uses: 0 };
        let window = self.windows.entry(key).or_insert(fresh);
        if now >= window.ends_at {
            *window = fresh;
        }
        self.next_end = self.next_end.min(window.ends_at);
        let allowed = window.uses < limit.uses;
        window.uses += u32::from(allowed);
        Taken { allowed, remaining: limit.uses.saturating_sub(window.uses), reset: window.ends_at.since(now) }
    }

    fn give_back(&mut self, key: &ThrottleKey, now: Timestamp) {
        if let Some(window) = self.windows.get_mut(key).filter(|window| now < window.ends_at) {
            window.uses = window.uses.saturating_sub(1);
            // A window begins with its first use: without any it hasn't begun.
            if window.uses == 0 {
                self.windows.remove(key);
            }
        }
    }

    /// Makes room for one key.
    fn make_room(&mut self, now: Timestamp, random: usize) {
        if now >= self.next_end {
            self.windows.retain(|_, window| now < window.ends_at);
            let ends = self.windows.values().map(|window| window.ends_at);
            self.next_end = ends.min().unwrap_or(Timestamp::from_micros(i64::MAX));
        }
        if self.windows.len() >= self.capacity {
            let sample = self.windows.iter().cycle().skip(random % self.windows.len()).take(SAMPLE);
            let fewest = sample.min_by_key(|(_, window)| (window.uses, window.ends_at)).map(|(key, _)| *key);
            fewest.and_then(|key| self.windows.remove(&key));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);
    const LIMIT: Limit = Limit { uses: 10, window: Duration::from_secs(900) };

    fn key(i: u64) -> ThrottleKey {
        ThrottleKey::new("test", &i.to_be_bytes())
    }

    fn after(seconds: u64) -> Timestamp {
        NOW + Duration::from_secs(seconds)
    }

    // RL2: of any number of racing uses exactly the limit are allowed.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn rl2_exact_under_race() {
        let throttle = Arc::new(LocalThrottle::default());
        let start = Arc::new(tokio::sync::Barrier::new(100));
        let racers: Vec<_> = (0..100)
            .map(|_| {
                let (throttle, start) = (Arc::clone(&throttle), Arc::clone(&start));
                tokio::spawn(async move {
                    start.wait().await;
                    throttle.take(key(1), LIMIT, NOW).await.allowed
                })
            })
            .collect();
        let mut allowed = 0;
        for racer in racers {
            allowed += u32::from(racer.await.unwrap());
        }
        assert_eq!(allowed, LIMIT.uses);
    }

    // RL2: a window begins with its first use, ends for all at once, and a refused use doesn't prolong it.
    #[tokio::test]
    async fn rl2_windows_end() {
        let throttle = LocalThrottle::default();
        for i in 0..10 {
            let taken = throttle.take(key(1), LIMIT, after(i)).await;
            let remaining = 9 - u32::try_from(i).unwrap();
            assert_eq!(taken, Taken { allowed: true, remaining, reset: Duration::from_secs(900 - i) });
        }
        let refused = Taken { allowed: false, remaining: 0, reset: Duration::from_secs(1) };
        assert_eq!(throttle.take(key(1), LIMIT, after(899)).await, refused);
        let anew = Taken { allowed: true, remaining: 9, reset: LIMIT.window };
        assert_eq!(throttle.take(key(1), LIMIT, after(900)).await, anew);
        assert!(throttle.take(key(2), LIMIT, after(900)).await.allowed, "keys are apart");
    }

    // DF6: set back, the clock opens no window anew.
    #[tokio::test]
    async fn df6_a_clock_set_back_frees_nothing() {
        let throttle = LocalThrottle::default();
        for _ in 0..10 {
            throttle.take(key(1), LIMIT, NOW).await;
        }
        assert!(!throttle.take(key(1), LIMIT, NOW.before(Duration::from_secs(300))).await.allowed);
    }

    #[tokio::test]
    async fn uses_are_given_back_and_forgotten() {
        let throttle = LocalThrottle::default();
        for _ in 0..10 {
            throttle.take(key(1), LIMIT, NOW).await;
        }
        throttle.give_back(key(1), NOW).await;
        assert_eq!(throttle.take(key(1), LIMIT, NOW).await.remaining, 0);
        assert!(!throttle.take(key(1), LIMIT, NOW).await.allowed);
        throttle.clear(key(1)).await;
        assert_eq!(throttle.take(key(1), LIMIT, NOW).await.remaining, 9);
        // Nothing to give back: not of this window, and not of this key.
        throttle.give_back(key(1), after(900)).await;
        throttle.give_back(key(2), NOW).await;
        assert_eq!(throttle.take(key(1), LIMIT, NOW).await.remaining, 8);
    }

    #[tokio::test]
    async fn a_limit_of_none_allows_none() {
        let none = Limit { uses: 0, ..LIMIT };
        assert!(!LocalThrottle::default().take(key(1), none, NOW).await.allowed);
    }

    fn held(throttle: &LocalThrottle) -> usize {
        throttle.shards.iter().map(|shard| shard.lock().unwrap().windows.len()).sum()
    }

    // RL2: a flood of fresh keys neither grows the memory nor pushes out a counter that is nearly used up.
    #[tokio::test]
    async fn rl2_a_flood_displaces_its_own_kind() {
        let throttle = LocalThrottle::new(4096);
        for _ in 0..9 {
            throttle.take(key(0), LIMIT, NOW).await;
        }
        for i in 1..200_000 {
            assert!(throttle.take(key(i), LIMIT, NOW).await.allowed);
        }
        assert!(held(&throttle) <= 4096, "{}", held(&throttle));
        assert!(throttle.take(key(0), LIMIT, NOW).await.allowed);
        assert!(!throttle.take(key(0), LIMIT, NOW).await.allowed);
    }

    // RL2: what is over makes room first, whatever it counted.
    #[tokio::test]
    async fn rl2_ended_windows_make_room_first() {
        let throttle = LocalThrottle::new(100);
        for i in 0..99 {
            throttle.take(key(i), LIMIT, NOW).await;
            throttle.take(key(i), LIMIT, NOW).await;
        }
        throttle.take(key(1000), LIMIT, after(10)).await;
        throttle.take(key(2000), LIMIT, after(900)).await;
        assert_eq!(held(&throttle), 2);
        assert_eq!(throttle.take(key(1000), LIMIT, after(901)).await.remaining, 8);
    }
}
