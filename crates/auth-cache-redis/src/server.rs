//! What is connected to: one server, or the servers of a Cluster.

use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection, PubSub};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, RedisResult, ServerErrorKind,
    Value,
};
#[cfg(feature = "cluster")]
use redis::{cluster::ClusterClient, cluster_async::ClusterConnection};

use crate::RedisUrl;

/// How long a server may take to let us in.
pub(crate) const CONNECTING: Duration = Duration::from_secs(2);

/// One server, or a Cluster.
pub(crate) struct Server {
    /// One; or several of a Cluster, which tell of the others.
    seeds: Vec<Client>,
}

impl Server {
    pub(crate) fn at(url: &RedisUrl) -> RedisResult<Self> {
        #[cfg(feature = "tls")]
        one_provider();
        Ok(Self { seeds: url.servers().iter().cloned().map(Client::open).collect::<RedisResult<_>>()? })
    }

    /// A connection on which each answer is waited for that long. Making it may take longer: by TLS, to another place, or where a
    /// server of a Cluster is silent, which the others make up for.
    pub(crate) async fn connect(&self, patience: Duration) -> RedisResult<Connection> {
        #[cfg(feature = "cluster")]
        if self.seeds.len() > 1 {
            let seeds = self.seeds.iter().map(|seed| seed.get_connection_info().clone());
            let client = ClusterClient::builder(seeds)
                // All calls wait for a server that is silent when the others are asked who has what.
                .connection_timeout(CONNECTING / 2)
                .response_timeout(patience)
                .overall_response_timeout(Some(patience))
                // Enough to be sent on by a server that hands a slot over.
                .retries(3)
                .min_retry_wait(20)
                .max_retry_wait(100)
                .tcp_settings(self.first()?.get_connection_info().tcp_settings().clone())
                .build()?;
            return Ok(Connection::Cluster(client.get_async_connection().await?));
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECTING.max(patience)))
            .set_response_timeout(Some(patience));
        Ok(Connection::Single(self.first()?.get_multiplexed_async_connection_with_config(&config).await?))
    }

    /// A connection that hears what is published. In a Cluster any server does: what one of them hears goes to all.
    pub(crate) async fn subscribe(&self, channel: &str) -> RedisResult<PubSub> {
        let mut failure = late();
        for seed in &self.seeds {
            let subscribing = async {
                let mut connection = seed.get_async_pubsub().await?;
                connection.subscribe(channel).await?;
                Ok(connection)
            };
            match tokio::time::timeout(CONNECTING, subscribing).await.unwrap_or_else(|_| Err(late())) {
                Ok(connection) => return Ok(connection),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn first(&self) -> RedisResult<&Client> {
        // `RedisUrl` has one at least.
        self.seeds.first().ok_or_else(late)
    }
}

/// A connection that is in use: all calls are sent over it at once.
#[derive(Clone)]
pub(crate) enum Connection {
    Single(MultiplexedConnection),
    #[cfg(feature = "cluster")]
    Cluster(ClusterConnection),
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Single(connection) => connection.req_packed_command(command),
            #[cfg(feature = "cluster")]
            Self::Cluster(connection) => connection.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Single(connection) => connection.req_packed_commands(pipeline, offset, count),
            #[cfg(feature = "cluster")]
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Single(connection) => connection.get_db(),
            #[cfg(feature = "cluster")]
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}

impl Connection {
    /// What has gone wrong, in words for whoever has to mend it.
    pub(crate) fn explained(&self, error: RedisError) -> RedisError {
        match self {
            Self::Single(_) if error.kind() == ErrorKind::Server(ServerErrorKind::Moved) => (
                ErrorKind::InvalidClientConfig,
                "it is one of a Cluster's: give two of their addresses, or the one twice",
            )
                .into(),
            _ => error,
        }
    }
}

/// Whether another connection may do better. A server that answers with an error goes on answering so, unless it has become
/// another's replica and its name leads elsewhere by now.
pub(crate) fn is_lost(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(kind) => kind == ServerErrorKind::ReadOnly,
        ErrorKind::Extension | ErrorKind::InvalidClientConfig => false,
        _ => true,
    }
}

/// Redis let somebody wait for too long.
pub(crate) fn late() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
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
