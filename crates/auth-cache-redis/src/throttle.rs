//! Counting for all nodes.

use std::time::Duration;

use async_trait::async_trait;
use auth_core::adapter::LocalThrottle;
use auth_core::domain::Timestamp;
use auth_core::port::{Limit, Taken, Throttle, ThrottleKey};
use redis::{Cmd, RedisResult};

use crate::script::Script;
use crate::server::Connection;
use crate::{Redis, RedisFailure};

/// A throttle that all nodes share.
///
/// - Exact under any race: a use is counted by one script, which Redis runs alone. (On a Cluster whose connection breaks, the library
///   sends what wasn't answered again: that one may count twice.)
/// - Keys always expire, with their window, by Redis's clock. When a window ends is judged by the node that asks: one whose clock is
///   ahead ends it that much early.
/// - Counts here too, and goes by that while Redis is away: of an outage on, each of n nodes allows as much as one may, at worst
///   n + 1 times a limit in its window. Of what a node has counted itself up to the limit, it allows no more.
/// - What is cleared while Redis is away stays counted there until its window ends, and what is given back in the minute after:
///   whether it was counted there can't be told.
/// - A Redis that was emptied has forgotten what was counted: windows begin anew.
#[derive(Debug)]
pub struct RedisThrottle {
    redis: Redis,
    here: LocalThrottle,
    take: Script,
    give_back: Script,
}

/// A window is a hash of its uses `u` and its end `e`, in microseconds. Numbers in Lua are exact up to 2^53 of them, in the year
/// 2255.
const TAKE: &str = "
local limit, window, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local found = redis.call('HMGET', KEYS[1], 'u', 'e')
local used, ends = tonumber(found[1]), tonumber(found[2])
if not ends or now >= ends then
    used, ends = 0, now + window
    redis.call('HSET', KEYS[1], 'u', 0, 'e', string.format('%.0f', ends))
    redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000))
end
local allowed = used < limit
if allowed then
    used = redis.call('HINCRBY', KEYS[1], 'u', 1)
end
return {allowed and 1 or 0, used, ends - now}";

/// In microseconds: 142 years.
const LONGEST: u128 = 1 << 52;

/// A window begins with its first use: without any it hasn't begun.
const GIVE_BACK: &str = "
local found = redis.call('HMGET', KEYS[1], 'u', 'e')
local used, ends = tonumber(found[1]), tonumber(found[2])
if not ends or tonumber(ARGV[1]) >= ends then
    return
end
if used > 1 then
    redis.call('HINCRBY', KEYS[1], 'u', -1)
else
    redis.call('DEL', KEYS[1])
end";

impl RedisThrottle {
    /// Counts on `redis`.
    pub fn new(redis: Redis) -> Self {
        Self { redis, here: LocalThrottle::default(), take: Script::new(TAKE), give_back: Script::new(GIVE_BACK) }
    }

    /// Whether Redis counts: takes a use and forgets it, whatever Redis said last, and waits long enough to hear why it fails.
    ///
    /// # Errors
    /// [`RedisFailure`].
    pub async fn check(&self) -> Result<(), RedisFailure> {
        let limit = Limit { uses: 1, window: Duration::from_secs(1) };
        self.redis
            .examine(async |connection| {
                // Of a Cluster, most of its servers.
                for part in 0..8_u8 {
                    let key = ThrottleKey::new("check", &[&std::process::id().to_be_bytes()[..], &[part]].concat());
                    self.take_on(connection, key, limit, Timestamp::from_seconds(0)).await?;
                    redis::cmd("DEL").arg(self.key(key)).query_async::<()>(connection).await?;
                }
                Ok(())
            })
            .await
    }

    /// Whether it was within the limit, how many uses there are, and the microseconds left.
    async fn take_on(
        &self,
        connection: &mut Connection,
        key: ThrottleKey,
        limit: Limit,
        now: Timestamp,
    ) -> RedisResult<(bool, u32, u64)> {
        // A window that Redis can't count the milliseconds of would never end there.
        let window = u64::try_from(limit.window.as_micros().min(LONGEST)).unwrap_or(0);
        let arguments = |call: &mut Cmd| _ = call.arg(limit.uses).arg(window).arg(now.as_micros());
        self.take.run(connection, &[&self.key(key)], arguments).await
    }

    fn key(&self, key: ThrottleKey) -> Vec<u8> {
        self.redis.key("throttle", key.as_bytes())
    }

    /// What Redis says; `None` where it says nothing.
    async fn take_there(&self, key: ThrottleKey, limit: Limit, now: Timestamp) -> Option<Taken> {
        let take = async |connection: &mut Connection| self.take_on(connection, key, limit, now).await;
        let (allowed, used, reset) = self.redis.ask(take).await?;
        Some(Taken { allowed, remaining: limit.uses.saturating_sub(used), reset: Duration::from_micros(reset) })
    }
}

#[async_trait]
impl Throttle for RedisThrottle {
    async fn take(&self, key: ThrottleKey, limit: Limit, now: Timestamp) -> Taken {
        let here = self.here.take(key, limit, now).await;
        if limit.uses == 0 {
            return here;
        }
        let Some(there) = self.take_there(key, limit, now).await else { return here };
        match (here.allowed, there.allowed) {
            (true, false) => self.here.give_back(key, now).await,
            // Another node has cleared it. Counted here too, or giving it back would give back what others used.
            (false, true) => {
                self.here.clear(key).await;
                self.here.take(key, limit, now).await;
            }
            _ => {}
        }
        there
    }

    async fn give_back(&self, key: ThrottleKey, now: Timestamp) {
        self.here.give_back(key, now).await;
        // What was taken while Redis was away isn't counted there: it would be another's use that is given back.
        if self.redis.has_failed_lately() {
            return;
        }
        let key = self.key(key);
        let give_back = async |connection: &mut Connection| {
            self.give_back.run(connection, &[&key], |call| _ = call.arg(now.as_micros())).await
        };
        self.redis.tell(give_back).await;
    }

    async fn clear(&self, key: ThrottleKey) {
        self.here.clear(key).await;
        let mut delete = redis::cmd("DEL");
        delete.arg(self.key(key));
        self.redis.tell(async |connection| delete.query_async(connection).await).await;
    }
}
