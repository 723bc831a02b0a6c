//! Replies to requests that name themselves, kept for all nodes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use auth_core::domain::{Digest, LeaseId, Mac, Sealed, Timestamp};
use auth_core::port::{Claim, Claimed, Idempotency, StoreError};
use redis::{Cmd, RedisResult};
use tokio::time::{Instant, sleep};

use crate::Redis;
use crate::connection::millis;
use crate::script::Script;
use crate::server::Connection;

/// Claims and replies that all nodes share.
///
/// - Of racing claims one is fresh: a claim is one script, which Redis runs alone.
/// - Keys always expire: a reply when its time is over, by Redis's clock; a claim that nobody finished frees its key when it said
///   it would.
/// - While Redis is away there is no answer ([`StoreError::Unavailable`], 503 over HTTP): a request that may have happened must
///   not happen again because nobody can tell. Requests without a key are not concerned. A reply that Redis didn't take is told
///   again for ten minutes.
/// - A Redis that was emptied, or whose replica lagged when it took over, has forgotten: a repeated request is then a new one.
#[derive(Debug)]
pub struct RedisIdempotency {
    redis: Redis,
    claim: Script,
    finish: Arc<Finish>,
    release: Script,
}

/// A claim may be sent twice, where its answer was lost on the way: it is still the first. A hash of claim `c`, fingerprint `f`, the times `u` and `e` up to which claim and reply count, in microseconds, and the reply
/// `r`, once there is one.
const CLAIM: &str = "
local now = tonumber(ARGV[1])
local kept = redis.call('HMGET', KEYS[1], 'f', 'u', 'e', 'r', 'c')
local ends = tonumber(kept[4] and kept[3] or kept[2] or nil)
if ends and now < ends and (kept[4] or kept[5] ~= ARGV[2]) then
    return {kept[1], kept[4]}
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'c', ARGV[2], 'f', ARGV[3], 'u', ARGV[4], 'e', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return {}";

const FINISH: &str = "
local kept = redis.call('HMGET', KEYS[1], 'c', 'r')
if kept[1] == ARGV[1] and not kept[2] then
    redis.call('HSET', KEYS[1], 'r', ARGV[2])
end";

const RELEASE: &str = "
local kept = redis.call('HMGET', KEYS[1], 'c', 'r')
if kept[1] == ARGV[1] and not kept[2] then
    redis.call('DEL', KEYS[1])
end";

/// How long a reply that Redis didn't take is told again, and how often.
const MAKING_UP: Duration = Duration::from_secs(600);
const PAUSE: Duration = Duration::from_millis(500);

/// Redis is given this much longer than a node counts: a node whose clock is behind goes on for as long.
const GRACE: Duration = Duration::from_secs(60);

/// How a request went that was claimed.
struct Finished {
    key: Vec<u8>,
    claim: LeaseId,
    reply: Sealed,
}

#[derive(Debug)]
struct Finish(Script);

impl Finish {
    async fn keep(&self, connection: &mut Connection, finished: &Finished) -> RedisResult<()> {
        let arguments = |call: &mut Cmd| _ = call.arg(&finished.claim.as_bytes()[..]).arg(finished.reply.as_bytes());
        self.0.run(connection, &[&finished.key], arguments).await
    }
}

impl RedisIdempotency {
    /// Keeps them on `redis`.
    pub fn new(redis: Redis) -> Self {
        Self {
            redis,
            claim: Script::new(CLAIM),
            finish: Arc::new(Finish(Script::new(FINISH))),
            release: Script::new(RELEASE),
        }
    }

    fn key(&self, key: &Digest) -> Vec<u8> {
        self.redis.key("reply", key.as_bytes())
    }
}

#[async_trait]
impl Idempotency for RedisIdempotency {
    async fn claim(&self, request: &Claimed, now: Timestamp) -> Result<Claim, StoreError> {
        let kept_for = request.expires_at.max(request.claimed_until).since(now) + GRACE;
        let key = self.key(&request.key);
        let claim = async |connection: &mut Connection| {
            let arguments = |call: &mut Cmd| {
                call.arg(now.as_micros()).arg(&request.claim.as_bytes()[..]).arg(&request.fingerprint.to_bytes()[..]);
                call.arg(request.claimed_until.as_micros()).arg(request.expires_at.as_micros()).arg(millis(kept_for));
            };
            self.claim.run(connection, &[&key], arguments).await
        };
        let found: Vec<Option<Vec<u8>>> = self.redis.ask(claim).await.ok_or_else(away)?;
        let mut found = found.into_iter();
        match (found.next().flatten(), found.next().flatten()) {
            (None, _) => Ok(Claim::Fresh),
            (Some(fingerprint), reply) => {
                let fingerprint = Mac::from_bytes(&fingerprint).ok_or_else(unreadable)?;
                Ok(match reply {
                    None => Claim::InProgress { fingerprint },
                    Some(reply) => Claim::Finished { fingerprint, reply: Sealed::from_bytes(reply) },
                })
            }
        }
    }

    async fn finish(&self, key: &Digest, claim: LeaseId, reply: &Sealed) -> Result<(), StoreError> {
        let finished = Finished { key: self.key(key), claim, reply: reply.clone() };
        if self.redis.ask(async |connection| self.finish.keep(connection, &finished).await).await.is_some() {
            return Ok(());
        }
        // Once the claim is over a repeated request would be run again, while this process knows how it went.
        let (redis, finish) = (self.redis.clone(), Arc::clone(&self.finish));
        tokio::spawn(async move {
            let until = Instant::now() + MAKING_UP;
            while Instant::now() < until {
                sleep(PAUSE).await;
                if redis.insist(async |connection| finish.keep(connection, &finished).await).await {
                    break;
                }
            }
        });
        Err(away())
    }

    async fn release(&self, key: &Digest, claim: LeaseId) -> Result<(), StoreError> {
        let key = self.key(key);
        let release = async |connection: &mut Connection| {
            self.release.run(connection, &[&key], |call| _ = call.arg(&claim.as_bytes()[..])).await
        };
        self.redis.ask(release).await.ok_or_else(away)
    }
}

fn away() -> StoreError {
    StoreError::Unavailable { store: STORE, source: "Redis doesn't answer".into() }
}

fn unreadable() -> StoreError {
    StoreError::Failed { store: STORE, source: "a kept fingerprint can't be read".into() }
}

const STORE: &str = "Redis";
