//! Replies to requests that name themselves, kept for all nodes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use auth_core::domain::{Digest, LeaseId, Mac, Sealed, Timestamp};
use auth_core::port::{Claim, Claimed, Idempotency, StoreError};
use redis::{Cmd, RedisResult};

use crate::Redis;
use crate::connection::millis;
use crate::debts::{Debt, Debts};
use crate::script::Script;
use crate::server::Connection;

/// Claims and replies that all nodes share.
///
/// - Of racing claims one is fresh: a claim is one script, which Redis runs alone.
/// - Keys always expire: a reply when its time is over, by Redis's clock; a claim that nobody finished frees its key when it said
///   it would.
/// - While Redis is away there is no answer ([`StoreError::Unavailable`], 503 over HTTP): a request that may have happened must
///   not happen again because nobody can tell. Requests without a key are not concerned. What has become of a claim Redis is told
///   again for ten minutes, where it didn't hear it.
/// - A Redis that was emptied, or whose replica lagged when it took over, has forgotten: a repeated request is then a new one.
#[derive(Debug, Clone)]
pub struct RedisIdempotency(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    redis: Redis,
    claim: Script,
    finish: Script,
    release: Script,
    /// What has become of claims, and Redis hasn't heard.
    untold: Debts<(Digest, LeaseId), End>,
}

/// A hash of claim `c`, fingerprint `f`, the times `u` and `e` up to which claim and reply count, in microseconds, and the reply
/// `r`, once there is one. A claim may be sent twice, where its answer was lost on the way: it is still the first.
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

/// For how long Redis is told again what has become of a claim.
const MAKING_UP: Duration = Duration::from_secs(600);

/// Redis is given this much longer than a node counts: a node whose clock is behind goes on for as long.
const GRACE: Duration = Duration::from_secs(60);

/// What has become of a claim.
#[derive(Debug, Clone)]
enum End {
    Finished(Sealed),
    Released,
}

impl RedisIdempotency {
    /// Keeps them on `redis`.
    pub fn new(redis: Redis) -> Self {
        let [claim, finish, release] = [CLAIM, FINISH, RELEASE].map(Script::new);
        Self(Arc::new(Inner { redis, claim, finish, release, untold: Debts::default() }))
    }
}

#[async_trait]
impl Idempotency for RedisIdempotency {
    async fn claim(&self, request: &Claimed, now: Timestamp) -> Result<Claim, StoreError> {
        let kept_for = request.expires_at.max(request.claimed_until).since(now) + GRACE;
        let key = self.0.key(&request.key);
        let claim = async |connection: &mut Connection| {
            let arguments = |call: &mut Cmd| {
                call.arg(now.as_micros()).arg(&request.claim.as_bytes()[..]).arg(&request.fingerprint.to_bytes()[..]);
                call.arg(request.claimed_until.as_micros()).arg(request.expires_at.as_micros()).arg(millis(kept_for));
            };
            self.0.claim.run(connection, &[&key], arguments).await
        };
        if !self.0.redis.admits() {
            return Err(away());
        }
        let Some(found) = self.0.redis.ask_once_admitted::<Vec<Option<Vec<u8>>>>(claim).await else {
            // It may have come through, and nobody runs what it claims.
            self.owe(&request.key, request.claim, End::Released);
            return Err(away());
        };
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
        self.end(key, claim, End::Finished(reply.clone())).await
    }

    async fn release(&self, key: &Digest, claim: LeaseId) -> Result<(), StoreError> {
        self.end(key, claim, End::Released).await
    }
}

impl RedisIdempotency {
    /// Tells Redis what has become of a claim: also later, if it doesn't hear it now. Once the claim is over, a repeated request
    /// would be run again, while this process knows how it went.
    async fn end(&self, key: &Digest, claim: LeaseId, end: End) -> Result<(), StoreError> {
        let told = async |connection: &mut Connection| self.0.tell(connection, key, claim, &end).await;
        if self.0.redis.ask(told).await.is_some() {
            return Ok(());
        }
        self.owe(key, claim, end);
        Err(away())
    }

    fn owe(&self, key: &Digest, claim: LeaseId, end: End) {
        // Of replies there are as many as requests were under way. A claim frees itself, if it has to.
        let is_dropped = matches!(end, End::Released) && self.0.untold.are_many();
        if !is_dropped && self.0.untold.note((*key, claim), end, MAKING_UP) {
            let inner = Arc::clone(&self.0);
            tokio::spawn(async move {
                let tell = |debt: Debt<(Digest, LeaseId), End>| {
                    let inner = Arc::clone(&inner);
                    async move {
                        let (key, claim) = debt.about;
                        let told =
                            async |connection: &mut Connection| inner.tell(connection, &key, claim, &debt.what).await;
                        inner.redis.insist(told).await
                    }
                };
                inner.untold.settle_all(tell).await;
            });
        }
    }
}

impl Inner {
    async fn tell(&self, connection: &mut Connection, key: &Digest, claim: LeaseId, end: &End) -> RedisResult<()> {
        let (key, claim) = (self.key(key), &claim.as_bytes()[..]);
        match end {
            End::Finished(reply) => {
                self.finish.run(connection, &[&key], |call| _ = call.arg(claim).arg(reply.as_bytes())).await
            }
            End::Released => self.release.run(connection, &[&key], |call| _ = call.arg(claim)).await,
        }
    }

    fn key(&self, key: &Digest) -> Vec<u8> {
        self.redis.key("reply", key.as_bytes())
    }
}

fn away() -> StoreError {
    StoreError::Unavailable { store: STORE, source: "Redis doesn't answer".into() }
}

fn unreadable() -> StoreError {
    StoreError::Failed { store: STORE, source: "a kept fingerprint can't be read".into() }
}

const STORE: &str = "Redis";
