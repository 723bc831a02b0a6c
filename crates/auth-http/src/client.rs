//! Where a request comes from.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address: the peer's, or, where the peer is one of our proxies, the one it vouches for.
///
/// `X-Forwarded-For` is read from the right, since only the entries that our own proxies appended are true; the first
/// address that isn't a proxy's is the client's. Everything left of it is the client's own invention. `Forwarded` and
/// `X-Real-IP` are not read at all. IPv4-mapped addresses are IPv4 addresses.
pub(crate) fn address(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let is_proxy = |address: IpAddr| proxies.iter().any(|network| network.contains(&address));
    let mut client = peer.to_canonical();
    let mut values = headers.get_all(X_FORWARDED_FOR).iter().collect::<Vec<_>>();
    // Several headers are one list (RFC 9110 §5.3), so the last header's last entry comes first.
    while is_proxy(client)
        && let Some(value) = values.pop()
    {
        for entry in value.as_bytes().rsplit(|&byte| byte == b',') {
            // An entry that can't be read ends the search: what stands left of it was not vouched for by anybody.
            let Some(address) = parse(entry) else { return client };
            client = address;
            if !is_proxy(client) {
                return client;
            }
        }
    }
    client
}

/// The network that `address` stands for: an IPv4 address itself, the /64 of an IPv6 address, which is what one customer
/// gets.
pub(crate) fn network(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets()[..8].to_vec(),
    }
}

/// An address, with or without a port.
fn parse(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let proxies = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let headers = forwarded.iter().map(|value| (X_FORWARDED_FOR, HeaderValue::from_str(value).unwrap())).collect();
        address(peer.parse().unwrap(), &headers, &proxies).to_string()
    }

    // RL1: a stranger's word about addresses is worth nothing.
    #[test]
    fn rl1_strangers_are_not_believed() {
        assert_eq!(client("203.0.113.7", &["198.51.100.1"]), "203.0.113.7");
    }

    // RL1: a proxy's word counts for the entry it appended, and no further.
    #[test]
    fn rl1_proxies_are_believed_from_right_to_left() {
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["203.0.113.7"]), "203.0.113.7");
        assert_eq!(client("10.0.0.1", &["1.1.1.1, 203.0.113.7, 10.0.0.2"]), "203.0.113.7");
        assert_eq!(client("10.0.0.1", &["1.1.1.1", "203.0.113.7,10.0.0.2"]), "203.0.113.7");
        assert_eq!(client("10.0.0.1", &["203.0.113.7", "10.0.0.2"]), "203.0.113.7");
        assert_eq!(client("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
        assert_eq!(client("10.0.0.1", &["203.0.113.7, unknown, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(client("10.0.0.1", &["203.0.113.7:4711"]), "203.0.113.7");
        assert_eq!(client("fd00::1", &["[2001:db8::1]:443"]), "2001:db8::1");
        assert_eq!(client("fd00::1", &["[2001:db8::1]"]), "2001:db8::1");
    }

    // RL2: `::ffff:a.b.c.d` is `a.b.c.d`, as peer, as proxy and as client.
    #[test]
    fn rl2_mapped_addresses_are_ipv4() {
        assert_eq!(client("::ffff:203.0.113.7", &[]), "203.0.113.7");
        assert_eq!(client("::ffff:10.0.0.1", &["::ffff:203.0.113.7"]), "203.0.113.7");
    }
}
