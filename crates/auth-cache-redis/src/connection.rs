//! The one connection to Redis, and how long anybody waits for it.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, FromRedisValue, IntoConnectionInfo, RedisError,
    RedisResult,
};

use crate::breaker::Breaker;

/// The longest that a call waits for Redis. What isn't answered by then goes on without; while Redis is away, one call a second
/// tries, and no other waits at all.
pub const PATIENCE: Duration = Duration::from_millis(300);

/// How long somebody waits who wants to know what is wrong.
const LONG_PATIENCE: Duration = Duration::from_secs(5);

/// A server that nodes share things on: one connection, over which all calls are sent at once.
///
/// Cheap to clone; clones share the connection. It comes back by itself, from whatever it was that failed.
#[derive(Clone)]
pub struct Redis(Arc<Inner>);

struct Inner {
    client: Client,
    patience: Duration,
    prefix: String,
    current: Mutex<Current>,
    breaker: Breaker,
}

/// The connection in use, and its number: one that failed is replaced once, however many calls it failed.
struct Current {
    connection: ConnectionManager,
    number: u64,
}

impl Redis {
    /// Everything at `url` whose key begins with `prefix` and a colon. Connects with the first call: a node starts while Redis is
    /// away.
    ///
    /// To be called within a Tokio runtime.
    ///
    /// # Errors
    /// [`RedisFailure`], where the connection can't be set up.
    pub fn open(url: &RedisUrl, prefix: &str) -> Result<Self, RedisFailure> {
        Self::with_patience(url, prefix, PATIENCE)
    }

    /// The same, where a call waits for another time than [`PATIENCE`].
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn with_patience(url: &RedisUrl, prefix: &str, patience: Duration) -> Result<Self, RedisFailure> {
        #[cfg(feature = "tls")]
        one_provider();
        let client = Client::open(url.0.clone())?;
        let current = Current { connection: connection(&client, patience)?, number: 0 };
        Ok(Self(Arc::new(Inner {
            client,
            patience,
            prefix: prefix.to_owned(),
            current: Mutex::new(current),
            breaker: Breaker::default(),
        })))
    }

    /// Whether Redis answered when it was last asked.
    pub fn is_reachable(&self) -> bool {
        !self.0.breaker.is_away()
    }

    /// The key of what is called `id` among those of its kind.
    pub(crate) fn key(&self, kind: &str, id: &[u8]) -> Vec<u8> {
        [self.0.prefix.as_bytes(), b":", kind.as_bytes(), b":", id].concat()
    }

    /// What Redis answers to `call`; `None` where it doesn't, or didn't answer others just now. What wasn't answered may have
    /// happened all the same.
    pub(crate) async fn ask<T: FromRedisValue>(
        &self,
        call: impl AsyncFnOnce(&mut ConnectionManager) -> RedisResult<T>,
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
    pub(crate) async fn tell(&self, call: impl AsyncFnOnce(&mut ConnectionManager) -> RedisResult<()>) {
        if self.is_reachable() {
            self.call(call).await;
        }
    }

    /// Whether a request that is under way may have begun while Redis was away.
    pub(crate) fn has_failed_lately(&self) -> bool {
        self.0.breaker.has_failed_lately()
    }

    /// What `call` comes to over a connection of its own, with time enough to hear why it fails.
    pub(crate) async fn examine<T>(
        &self,
        call: impl AsyncFnOnce(&mut MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T, RedisFailure> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(LONG_PATIENCE))
            .set_response_timeout(Some(LONG_PATIENCE));
        let mut connection = self.0.client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(call(&mut connection).await?)
    }

    async fn call<T>(&self, call: impl AsyncFnOnce(&mut ConnectionManager) -> RedisResult<T>) -> Option<T> {
        let (mut connection, number) = {
            let current = self.current();
            (current.connection.clone(), current.number)
        };
        // The connection's own limits are for one answer each: connecting and loading a script are answers too.
        let answer = tokio::time::timeout(self.0.patience, call(&mut connection)).await;
        match answer.unwrap_or_else(|_| Err(late())) {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.replace(number);
                self.0.breaker.failed(&error);
                None
            }
        }
    }

    /// The next call connects anew. The library does so only where the socket broke: not after a wrong password, by a host that
    /// is gone without a word, or by a server that has become another's replica.
    fn replace(&self, number: u64) {
        let mut current = self.current();
        if current.number == number
            && let Ok(connection) = connection(&self.0.client, self.0.patience)
        {
            *current = Current { connection, number: number.wrapping_add(1) };
        }
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        // It is replaced as a whole.
        self.0.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One that connects with its first call. Trying again is the breaker's, which knows whether anybody waits.
fn connection(client: &Client, patience: Duration) -> RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_number_of_retries(0)
        .set_connection_timeout(Some(patience))
        .set_response_timeout(Some(patience));
    ConnectionManager::new_lazy_with_config(client.clone(), config)
}

fn late() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}

/// Doesn't print the password.
impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("prefix", &self.0.prefix).finish_non_exhaustive()
    }
}

/// TLS goes by the provider of the process. Where the application has chosen none, it is ours, and no guess of rustls's, which
/// panics where two are compiled in.
#[cfg(feature = "tls")]
fn one_provider() {
    use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};

    if CryptoProvider::get_default().is_none() {
        // Somebody may be faster.
        let _ = aws_lc_rs::default_provider().install_default();
    }
}

/// Where a server is: `redis://USER:PASSWORD@HOST:PORT/DATABASE`; with feature `tls` also `rediss://…`, whose certificate is held
/// to this machine's authorities. Doesn't print.
#[derive(Clone)]
pub struct RedisUrl(ConnectionInfo);

impl RedisUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// [`InvalidUrl`]. What the address is answered with never repeats it: a password may be in it.
    pub fn parse(url: &str) -> Result<Self, InvalidUrl> {
        let is_by_tls = url.starts_with("rediss://");
        if is_by_tls && cfg!(not(feature = "tls")) {
            return Err(InvalidUrl("this build speaks no TLS to Redis"));
        }
        // Behind a question mark can stand the protocol, and one of them says the password in errors; behind a hash, that no
        // certificate is looked at.
        if !(is_by_tls || url.starts_with("redis://")) || url.contains(['?', '#']) {
            return Err(InvalidUrl(
                "it is redis:// and host, and no more than user, password, port and database beside",
            ));
        }
        let info = url.into_connection_info().map_err(|_| InvalidUrl("host, port or database can't be read"))?;
        // Calls are small and many: none waits for another's packet to be acknowledged.
        let settings = info.tcp_settings().clone().set_nodelay(true);
        Ok(Self(info.set_tcp_settings(settings)))
    }
}

impl RedisUrl {
    /// Whether it leads off this machine without TLS: for all to read who sit between, the password included.
    pub fn is_exposed(&self) -> bool {
        match self.0.addr() {
            ConnectionAddr::Tcp(host, _) => {
                host != "localhost" && !host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            }
            _ => false,
        }
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisUrl(…)")
    }
}

/// It is no address of a Redis server, or of one that this build can't speak to.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an address such as redis://127.0.0.1:6379: {0}")]
pub struct InvalidUrl(&'static str);

/// Redis can't be reached, or refuses.
#[derive(Debug, thiserror::Error)]
#[error("Redis doesn't do as asked")]
pub struct RedisFailure(#[from] RedisError);

#[cfg(test)]
mod tests {
    use super::*;

    /// SC1: an address is read, and kept to oneself.
    #[test]
    fn sc1_addresses_do_not_print() {
        let url = RedisUrl::parse("redis://ann:s3cret@cache.example:6380/2").unwrap();
        assert_eq!(format!("{url:?}"), "RedisUrl(…)");
        for (url, is_exposed) in [
            ("redis://cache.example", true),
            ("redis://10.0.0.5:6380/1", true),
            ("redis://localhost", false),
            ("redis://127.0.0.1:6380", false),
            #[cfg(feature = "tls")]
            ("rediss://cache.example", false),
        ] {
            assert_eq!(RedisUrl::parse(url).unwrap().is_exposed(), is_exposed, "{url}");
        }
        for refused in [
            "",
            "cache.example",
            "http://cache.example",
            "unix:///run/redis.sock",
            "redis://ann:s3cret@cache.example/x",
            "redis://ann:s3cret@cache.example:x/",
            "redis://ann:s3cret@cache.example?protocol=resp3",
            #[cfg(not(feature = "tls"))]
            "rediss://ann:s3cret@cache.example",
            "rediss://ann:s3cret@cache.example/#insecure",
        ] {
            let error = RedisUrl::parse(refused).unwrap_err().to_string();
            assert!(error.starts_with("not an address such as redis://127.0.0.1:6379: "), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
