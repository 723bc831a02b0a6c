//! Sessions remembered in this process.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use quick_cache::sync::Cache;
use tokio::time::Instant;

use crate::domain::{SessionKey, Signed, UserId};
use crate::port::{Cached, SessionCache, Ticket};

/// Copies of sessions in this process's memory, for [a second](Self::LONGEST) at most.
///
/// - What this process commits is forgotten at once. Of what another commits it hears nothing by itself: with nodes beside
///   it, or commands run by `auth-server`, a revoked session goes on for up to that second.
/// - Bounded: at most [`CAPACITY`](Self::CAPACITY) sessions, some kilobyte each; those used least make room.
/// - Finding one takes no lock that others wait for.
pub struct LocalSessions {
    copies: Cache<SessionKey, Kept>,
    /// How often something was forgotten, of every group of users.
    stamps: Box<[AtomicU64]>,
    longest: Duration,
}

/// A copy, for as long as nothing of its user's group is forgotten.
#[derive(Clone)]
struct Kept {
    signed: Arc<Signed>,
    stamp: u64,
    until: Instant,
}

/// What was so before the store was read.
struct Seen {
    key: SessionKey,
    stamp: u64,
    at: Instant,
}

/// Groups of users: forgetting one of a group forgets all.
const GROUPS: usize = 1024;

impl LocalSessions {
    /// The longest that a copy may live (`AUTH_LOCAL_CACHE`).
    pub const LONGEST: Duration = Duration::from_secs(1);

    /// Sessions held at most.
    pub const CAPACITY: usize = 20_000;

    /// A cache whose copies live for `longest`, and no more than [`LONGEST`](Self::LONGEST).
    pub fn new(longest: Duration) -> Self {
        Self {
            copies: Cache::new(Self::CAPACITY),
            stamps: (0..GROUPS).map(|_| AtomicU64::new(0)).collect(),
            longest: longest.min(Self::LONGEST),
        }
    }

    fn stamp(&self, user: UserId) -> &AtomicU64 {
        // The last bytes of an id are random.
        let [.., high, low] = *user.as_bytes();
        &self.stamps[usize::from(u16::from_be_bytes([high, low])) % GROUPS]
    }

    /// The same as [`SessionCache::forget`], for who can't wait.
    pub fn forget_now(&self, user: UserId) {
        self.stamp(user).fetch_add(1, Ordering::SeqCst);
    }

    /// The same as [`SessionCache::forget_all`], for who can't wait.
    pub fn forget_all_now(&self) {
        for stamp in &self.stamps {
            stamp.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Default for LocalSessions {
    fn default() -> Self {
        Self::new(Self::LONGEST)
    }
}

#[async_trait]
impl SessionCache for LocalSessions {
    async fn find(&self, key: &SessionKey, user: UserId) -> Cached {
        // The stamp first: what is forgotten from here on must count.
        let (stamp, at) = (self.stamp(user).load(Ordering::SeqCst), Instant::now());
        let kept = self.copies.get(key);
        match kept.filter(|kept| kept.stamp == stamp && at < kept.until && kept.signed.user.id == user) {
            Some(kept) => Cached::Hit(kept.signed),
            None => Cached::Miss(Ticket::new(Seen { key: *key, stamp, at })),
        }
    }

    async fn keep(&self, ticket: Ticket, signed: &Arc<Signed>) {
        let Some(Seen { key, stamp, at }) = ticket.into_known() else { return };
        // Forgotten since, it would be found by nobody, and only take another's place.
        if self.stamp(signed.user.id).load(Ordering::SeqCst) == stamp {
            self.copies.insert(key, Kept { signed: Arc::clone(signed), stamp, until: at + self.longest });
        }
    }

    async fn forget(&self, users: &[UserId]) {
        for user in users {
            self.forget_now(*user);
        }
    }

    async fn forget_all(&self) {
        self.forget_all_now();
    }
}

impl fmt::Debug for LocalSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSessions").field("copies", &self.copies.len()).finish_non_exhaustive()
    }
}
