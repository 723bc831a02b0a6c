//! Where a request comes from.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Once;

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address: the peer's, or, where the peer is one of our proxies, the one it vouches for.
///
/// `X-Forwarded-For` is read from the right, since only the entries that our own proxies appended are true; the first
/// address that isn't a proxy's is the client's. Everything left of it is the client's own invention. `Forwarded` and
/// `X-Real-IP` are not read at all.
///
/// An IPv4 client is its IPv4 address, also where it comes as `::ffff:a.b.c.d` or through NAT64. Without a peer all
/// clients are one: throttles must not fail open.
pub(crate) fn address(peer: Option<IpAddr>, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    // Last, and not before proxies are recognised: nobody is believed for the sake of an address within an address.
    without_nat64(forwarded(peer.unwrap_or_else(unknown), headers, proxies))
}

/// A network among `proxies` that everybody is in.
pub(crate) fn everybody(proxies: &[IpNet]) -> Option<IpNet> {
    proxies.iter().copied().find(|network| network.prefix_len() == 0)
}

fn unknown() -> IpAddr {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        tracing::error!(
            "the peers' addresses are unknown, so that all clients share one throttle: see the web adapter's documentation"
        );
    });
    Ipv4Addr::UNSPECIFIED.into()
}

fn forwarded(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
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

/// The IPv4 address that NAT64 wrapped into `64:ff9b::/96` (RFC 6052 §2.1). By /64, all of IPv4 would be one client.
fn without_nat64(address: IpAddr) -> IpAddr {
    const PREFIX: [u8; 12] = [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];
    match address {
        IpAddr::V6(wrapped) => match wrapped.octets().split_last_chunk::<4>() {
            Some((prefix, wrapped)) if *prefix == PREFIX => Ipv4Addr::from(*wrapped).into(),
            _ => address,
        },
        IpAddr::V4(_) => address,
    }
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
        address(peer.parse().ok(), &headers, &proxies).to_string()
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

    // RL2: behind NAT64 all of IPv4 has one /64; it is not one client.
    #[test]
    fn rl2_nat64_addresses_are_ipv4() {
        assert_eq!(client("64:ff9b::203.0.113.7", &[]), "203.0.113.7");
        assert_eq!(client("10.0.0.1", &["64:ff9b::203.0.113.7"]), "203.0.113.7");
        assert_eq!(client("64:ff9b:1::203.0.113.7", &[]), "64:ff9b:1::cb00:7107");
        assert_eq!(client("64:ff9b::1:203.0.113.7", &[]), "64:ff9b::1:cb00:7107");
        // RL1: who comes through it is believed as little as any stranger.
        assert_eq!(client("64:ff9b::10.0.0.1", &["203.0.113.7"]), "10.0.0.1");
    }

    // RL1: a network that holds everybody would make every client a proxy of ours.
    #[test]
    fn rl1_everybody_is_no_proxy() {
        for network in ["0.0.0.0/0", "::/0"] {
            let proxies = ["10.0.0.0/8".parse().unwrap(), network.parse().unwrap()];
            assert_eq!(everybody(&proxies), network.parse().ok());
        }
        assert_eq!(everybody(&["0.0.0.0/1".parse().unwrap(), "fd00::/8".parse().unwrap()]), None);
    }

    // RL1: without peers all clients are one, not nobody; and that one is believed nothing.
    #[test]
    fn rl1_unknown_peers_are_one() {
        assert_eq!(client("unknown", &[]), "0.0.0.0");
        assert_eq!(client("unknown", &["203.0.113.7"]), "0.0.0.0");
    }
}
