//! Where Redis is.

use std::fmt;
use std::net::IpAddr;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion};

/// Where Redis is: `redis://USER:PASSWORD@HOST:PORT/DATABASE`; with feature `tls` also `rediss://…`, whose certificate is held to
/// this machine's authorities. Several, separated by commas, are servers of a Cluster (feature `cluster`): some that are up
/// mostly, they tell of the others. Doesn't print.
#[derive(Clone)]
pub struct RedisUrl(Vec<ConnectionInfo>);

impl RedisUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// [`InvalidUrl`]. What the address is answered with never repeats it: a password may be in it.
    pub fn parse(text: &str) -> Result<Self, InvalidUrl> {
        let servers: Vec<ConnectionInfo> = text.split(',').map(|url| server(url.trim())).collect::<Result<_, _>>()?;
        if servers.len() > 1 {
            let first = &servers[0];
            if cfg!(not(feature = "cluster")) {
                return Err(InvalidUrl("this build knows no Cluster, and takes one address"));
            }
            if servers.iter().any(|server| server.redis_settings().db() != 0) {
                return Err(InvalidUrl("a Cluster has no databases"));
            }
            let credentials = |server: &ConnectionInfo| {
                let settings = server.redis_settings();
                (settings.username().map(str::to_owned), settings.password().map(str::to_owned))
            };
            let is_alike = |server: &ConnectionInfo| {
                credentials(server) == credentials(first) && is_by_tls(server) == is_by_tls(first)
            };
            if !servers.iter().all(is_alike) {
                return Err(InvalidUrl(
                    "the servers of a Cluster are reached alike: one user, one password, TLS or not",
                ));
            }
        }
        Ok(Self(servers))
    }

    /// Whether it leads off this machine without TLS: for all to read who sit between, the password included.
    pub fn is_exposed(&self) -> bool {
        self.0.iter().any(|server| match server.addr() {
            ConnectionAddr::Tcp(host, _) => {
                host != "localhost" && !host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            }
            _ => false,
        })
    }

    /// Each server that it names: one at least.
    pub(crate) fn servers(&self) -> &[ConnectionInfo] {
        &self.0
    }
}

fn server(url: &str) -> Result<ConnectionInfo, InvalidUrl> {
    let is_by_tls = url.starts_with("rediss://");
    if is_by_tls && cfg!(not(feature = "tls")) {
        return Err(InvalidUrl("this build speaks no TLS to Redis"));
    }
    // Behind a question mark can stand the protocol, and one of them says the password in errors; behind a hash, that no
    // certificate is looked at.
    if !(is_by_tls || url.starts_with("redis://")) || url.contains(['?', '#']) {
        return Err(InvalidUrl("it is redis:// and host, and no more than user, password, port and database beside"));
    }
    let info = url.into_connection_info().map_err(|_| InvalidUrl("host, port or database can't be read"))?;
    let redis = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    // Calls are small and many: none waits for another's packet to be acknowledged.
    let tcp = info.tcp_settings().clone().set_nodelay(true);
    Ok(info.set_redis_settings(redis).set_tcp_settings(tcp))
}

fn is_by_tls(server: &ConnectionInfo) -> bool {
    matches!(server.addr(), ConnectionAddr::TcpTls { .. })
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisUrl(…)")
    }
}

/// It is no address of Redis, or of one that this build can't speak to.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an address such as redis://127.0.0.1:6379: {0}")]
pub struct InvalidUrl(&'static str);

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
            #[cfg(feature = "cluster")]
            ("redis://127.0.0.1:7000, redis://cache.example:7001", true),
            #[cfg(feature = "cluster")]
            ("redis://:x@127.0.0.1:7000,redis://:x@127.0.0.1:7001", false),
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
            "redis://ann:s3cret@cache.example,",
            #[cfg(not(feature = "cluster"))]
            "redis://ann:s3cret@one.example,redis://ann:s3cret@two.example",
            "redis://ann:s3cret@one.example,redis://ann:s3cret@two.example/1",
            "redis://ann:s3cret@one.example,redis://two.example",
            #[cfg(feature = "tls")]
            "redis://ann:s3cret@one.example,rediss://ann:s3cret@two.example",
        ] {
            let error = RedisUrl::parse(refused).unwrap_err().to_string();
            assert!(error.starts_with("not an address such as redis://127.0.0.1:6379: "), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
