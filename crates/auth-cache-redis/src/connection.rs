//! The one connection to Redis, and how long anybody waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{fmt, io};

use redis::aio::PubSub;
use redis::{FromRedisValue, RedisError, RedisResult};
use tokio::sync::watch;

use crate::RedisUrl;
use crate::breaker::Breaker;
use crate::server::{CONNECTING, Connection, Server, late};

/// The longest that a call waits for Redis. What isn't answered by then goes on without; while Redis is away, one call a second
/// tries, and no other waits at all.
pub const PATIENCE: Duration = Duration::from_millis(300);

/// What nodes share things on, a server or a Cluster: one connection, over which all calls are sent at once.
///
/// Cheap to clone; clones share the connection. It comes back by itself, from whatever it was that failed. To be used within a Tokio
/// runtime.
#[derive(Clone)]
pub struct Redis(Arc<Inner>);

struct Inner {
    server: Server,
    patience: Duration,
    prefix: String,
    link: watch::Sender<Link>,
    is_connecting: AtomicBool,
    breaker: Breaker,
}

/// The connection in use, once there is one.
#[derive(Default)]
struct Link {
    connection: Option<Connection>,
    /// How often connecting has failed.
    failures: u64,
    /// Why, the last time.
    reason: String,
}

impl Redis {
    /// Everything at `url` whose key begins with `prefix`. Connects with the first call: a node starts while Redis is away.
    ///
    /// # Errors
    /// [`RedisFailure`], where the address leads nowhere.
    pub fn open(url: &RedisUrl, prefix: &str) -> Result<Self, RedisFailure> {
        Self::with_patience(url, prefix, PATIENCE)
    }

    /// The same, where a call waits for another time than [`PATIENCE`].
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn with_patience(url: &RedisUrl, prefix: &str, patience: Duration) -> Result<Self, RedisFailure> {
        Ok(Self(Arc::new(Inner {
            server: Server::at(url)?,
            patience,
            prefix: prefix.to_owned(),
            link: watch::Sender::default(),
            is_connecting: AtomicBool::new(false),
            breaker: Breaker::default(),
        })))
    }

    /// Whether Redis answered when it was last asked.
    pub fn is_reachable(&self) -> bool {
        !self.0.breaker.is_away()
    }

    /// The key of what is called `id` among those of its kind. What stands in braces, where `kind` has any, says which server
    /// of a Cluster it lies on.
    pub(crate) fn key(&self, kind: &str, id: &[u8]) -> Vec<u8> {
        [self.0.prefix.as_bytes(), kind.as_bytes(), b":", id].concat()
    }

    /// What Redis answers to `call`; `None` where it doesn't, or didn't answer others just now. What wasn't answered may have
    /// happened all the same.
    pub(crate) async fn ask<T: FromRedisValue>(
        &self,
        call: impl AsyncFnOnce(&mut Connection) -> RedisResult<T>,
    ) -> Option<T> {
        if !self.0.breaker.admits() {
            return None;
        }
        let answer = self.call(call).await;
        if answer.is_some() {
            self.0.breaker.answered();
        }
        answer
    }

    /// Tells Redis something that it may miss: not while it is away. That it takes this doesn't show that it answers: a full
    /// memory refuses what counts, and takes what deletes.
    pub(crate) async fn tell(&self, call: impl AsyncFnOnce(&mut Connection) -> RedisResult<()>) {
        if self.is_reachable() {
            self.call(call).await;
        }
    }

    /// Tells Redis something whether or not it answers others, and returns whether it has heard. For one caller at a time, for
    /// whom nobody waits.
    pub(crate) async fn insist(&self, call: impl AsyncFnOnce(&mut Connection) -> RedisResult<()>) -> bool {
        self.call(call).await.is_some()
    }

    /// Whether a request that is under way may have begun while Redis was away.
    pub(crate) fn has_failed_lately(&self) -> bool {
        self.0.breaker.has_failed_lately()
    }

    /// What `call` comes to over a connection of its own, with time enough to hear why it fails.
    pub(crate) async fn examine<T>(
        &self,
        call: impl AsyncFnOnce(&mut Connection) -> RedisResult<T>,
    ) -> Result<T, RedisFailure> {
        let examining = async {
            let mut connection = self.0.server.connect(CONNECTING).await?;
            call(&mut connection).await
        };
        Ok(tokio::time::timeout(5 * CONNECTING, examining).await.unwrap_or_else(|_| Err(late()))?)
    }

    /// A connection that hears what is published under `name`.
    pub(crate) async fn subscribe(&self, name: &str) -> Result<PubSub, RedisFailure> {
        Ok(self.0.server.subscribe(&self.channel(name), CONNECTING).await?)
    }

    /// What is published where nodes hear of it.
    pub(crate) fn channel(&self, name: &str) -> String {
        format!("{}{name}", self.0.prefix)
    }

    async fn call<T>(&self, call: impl AsyncFnOnce(&mut Connection) -> RedisResult<T>) -> Option<T> {
        let calling = async {
            let mut connection = self.connection().await?;
            call(&mut connection).await
        };
        // The connection's own limits are for one answer each: connecting and sending a script are answers too.
        match tokio::time::timeout(self.0.patience, calling).await.unwrap_or_else(|_| Err(late())) {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.0.breaker.failed(&error);
                self.connect();
                None
            }
        }
    }

    /// The connection, or one that is being made.
    async fn connection(&self) -> RedisResult<Connection> {
        let mut link = self.0.link.subscribe();
        let failures = {
            let link = link.borrow();
            if let Some(connection) = &link.connection {
                return Ok(connection.clone());
            }
            link.failures
        };
        self.connect();
        let link = link.wait_for(|link| link.connection.is_some() || link.failures != failures).await;
        link.ok()
            .and_then(|link| link.connection.clone())
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotConnected, self.0.link.borrow().reason.clone()).into())
    }

    /// Makes a connection, to be used once it is there, also in place of one that has failed: after a wrong password, after a host
    /// that is gone without a word, and after a server that has become another's replica the library itself doesn't.
    ///
    /// In a task of its own: connecting may take longer than anybody waits.
    fn connect(&self) {
        if self.0.is_connecting.swap(true, Ordering::SeqCst) {
            return;
        }
        let inner = Arc::clone(&self.0);
        tokio::spawn(async move {
            let connecting = tokio::time::timeout(5 * CONNECTING, inner.server.connect(inner.patience));
            let outcome = connecting.await.unwrap_or_else(|_| Err(late()));
            if outcome.is_ok() {
                inner.breaker.may_try();
            }
            inner.is_connecting.store(false, Ordering::SeqCst);
            inner.link.send_modify(|link| match outcome {
                Ok(connection) => link.connection = Some(connection),
                Err(error) => (link.failures, link.reason) = (link.failures.wrapping_add(1), error.to_string()),
            });
        });
    }
}

/// For an expiry: what is longer than Redis can count is 142 years.
pub(crate) fn millis(duration: Duration) -> u64 {
    const LONGEST: u64 = (1 << 52) / 1000;
    u64::try_from(duration.as_millis()).unwrap_or(LONGEST).min(LONGEST)
}

/// Doesn't print the password.
impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("prefix", &self.0.prefix).finish_non_exhaustive()
    }
}

/// Redis can't be reached, or refuses.
#[derive(Debug, thiserror::Error)]
#[error("Redis doesn't do as asked")]
pub struct RedisFailure(#[from] RedisError);
