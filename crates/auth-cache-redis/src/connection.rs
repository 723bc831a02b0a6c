//! The one connection to Redis, and how long anybody waits for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fmt, io};

use redis::aio::PubSub;
use redis::{FromRedisValue, RedisError, RedisResult};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::RedisUrl;
use crate::breaker::{Breaker, PAUSE};
use crate::server::{CONNECTING, Connection, Server, is_lost, late};

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
    attempts: Mutex<Attempts>,
    breaker: Breaker,
}

/// The connection in use, once there is one.
#[derive(Default)]
struct Link {
    connection: Option<Connection>,
    /// Attempts to connect that have ended.
    attempts: u64,
    /// Why the last that failed did.
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
            attempts: Mutex::default(),
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
        if self.admits() { self.ask_once_admitted(call).await } else { None }
    }

    /// Whether the caller may [ask](Self::ask_once_admitted): not while Redis is away, but for one a second, who is to do so.
    pub(crate) fn admits(&self) -> bool {
        self.0.breaker.admits()
    }

    /// The same as [`ask`](Self::ask), for who wants to know whether anything was said.
    pub(crate) async fn ask_once_admitted<T: FromRedisValue>(
        &self,
        call: impl AsyncFnOnce(&mut Connection) -> RedisResult<T>,
    ) -> Option<T> {
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

    /// Tells Redis something whether or not it answers others, and returns whether it has heard. For those for whom
    /// nobody waits.
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
            call(&mut connection).await.map_err(|error| connection.explained(error))
        };
        Ok(tokio::time::timeout(5 * CONNECTING, examining).await.unwrap_or_else(|_| Err(late()))?)
    }

    /// A connection that hears what is published under `name`.
    pub(crate) async fn subscribe(&self, name: &str) -> Result<PubSub, RedisFailure> {
        Ok(self.0.server.subscribe(&self.channel(name)).await?)
    }

    /// What is published where nodes hear of it.
    pub(crate) fn channel(&self, name: &str) -> String {
        format!("{}{name}", self.0.prefix)
    }

    async fn call<T>(&self, call: impl AsyncFnOnce(&mut Connection) -> RedisResult<T>) -> Option<T> {
        let calling = async {
            let mut connection = self.connection().await?;
            call(&mut connection).await.map_err(|error| connection.explained(error))
        };
        // The connection's own limits are for one answer each: connecting and sending a script are answers too.
        match tokio::time::timeout(self.0.patience, calling).await.unwrap_or_else(|_| Err(late())) {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.0.breaker.failed(&error);
                if is_lost(&error) {
                    self.connect();
                }
                None
            }
        }
    }

    /// The connection, or one that is being made.
    async fn connection(&self) -> RedisResult<Connection> {
        let mut link = self.0.link.subscribe();
        let attempts = {
            let link = link.borrow();
            if let Some(connection) = &link.connection {
                return Ok(connection.clone());
            }
            link.attempts
        };
        self.connect();
        let link = link.wait_for(|link| link.connection.is_some() || link.attempts != attempts).await;
        link.ok()
            .and_then(|link| link.connection.clone())
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotConnected, self.0.link.borrow().reason.clone()).into())
    }

    /// Makes a connection, to be used once it is there, also in place of one that has failed: after a wrong password, after a host
    /// that is gone without a word, and after a server that has become another's replica the library itself doesn't.
    ///
    /// In a task of its own: connecting may take longer than anybody waits. One at a time, and where one is in use, one a pause: a
    /// server that lets us in and then doesn't answer would be asked in again with each call.
    fn connect(&self) {
        {
            let (mut attempts, now) = (self.0.attempts(), Instant::now());
            let is_in_use = self.0.link.borrow().connection.is_some();
            let is_early = is_in_use && attempts.begun_at.is_some_and(|at| now < at + PAUSE);
            if attempts.is_under_way || is_early {
                return;
            }
            *attempts = Attempts { is_under_way: true, begun_at: Some(now) };
        }
        let attempt = Attempt(Arc::clone(&self.0));
        tokio::spawn(async move {
            let connecting = attempt.0.server.connect(attempt.0.patience);
            let outcome = tokio::time::timeout(5 * CONNECTING, connecting).await.unwrap_or_else(|_| Err(late()));
            attempt.ends(outcome);
        });
    }
}

impl Inner {
    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        // They are replaced as a whole.
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Attempts to connect.
#[derive(Default)]
struct Attempts {
    is_under_way: bool,
    begun_at: Option<Instant>,
}

/// The one that is under way: until this is dropped, with its task at the latest.
struct Attempt(Arc<Inner>);

impl Attempt {
    fn ends(self, outcome: RedisResult<Connection>) {
        if outcome.is_ok() {
            self.0.breaker.may_try();
        }
        self.0.link.send_modify(|link| match outcome {
            Ok(connection) => link.connection = Some(connection),
            Err(error) => link.reason = error.to_string(),
        });
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.0.attempts().is_under_way = false;
        self.0.link.send_modify(|link| link.attempts = link.attempts.wrapping_add(1));
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
