//! The address of a client behind load balancers: the last hop that nobody whom we trust has reported about itself.

use std::net::IpAddr;

use http::HeaderMap;
use ipnet::IpNet;

/// The header in which each proxy appends whom it was called by.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Who sent a request that came from `peer`. Going from the right, hops are believed as long as a trusted proxy has written
/// them; what stands further left anybody may have made up.
pub(crate) fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    let lines = headers.get_all(FORWARDED_FOR).into_iter().rev();
    let hops = lines.flat_map(|line| line.to_str().unwrap_or("?").rsplit(',').map(str::trim));
    for hop in hops {
        if !is_trusted(&client) {
            break;
        }
        // A trusted proxy that writes something unreadable tells of somebody unknown, who may nothing.
        client = address(hop)?.to_canonical();
    }
    Some(client)
}

/// Whether a request came through a proxy that is not trusted: whom it speaks for nobody knows, and its own address, which
/// may well be that of the machine itself, says nothing of them.
pub(crate) fn is_relayed_by_a_stranger(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> bool {
    headers.contains_key(FORWARDED_FOR) && !trusted.iter().any(|network| network.contains(&peer.to_canonical()))
}

/// An address as proxies write it: bare, with a port, or in brackets.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = hop.parse().ok();
    let with_port = || hop.parse::<std::net::SocketAddr>().ok().map(|address| address.ip());
    let in_brackets = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    bare.or_else(with_port).or_else(in_brackets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let trusted = ["10.0.0.0/16".parse().unwrap(), "fd00::/8".parse().unwrap()];
        client_address(peer.parse().unwrap(), &headers, &trusted).map(|address| address.to_string())
    }

    #[test]
    fn the_last_hop_that_a_trusted_proxy_reports_is_the_client() {
        for (peer, forwarded, expected) in [
            ("192.0.2.1", &[][..], Some("192.0.2.1")),
            // Whoever comes without the load balancer speaks for nobody else.
            ("192.0.2.1", &["127.0.0.1"], Some("192.0.2.1")),
            ("10.0.1.5", &["192.0.2.7"], Some("192.0.2.7")),
            // What the client itself has sent stands to the left.
            ("10.0.1.5", &["127.0.0.1, 192.0.2.7"], Some("192.0.2.7")),
            ("10.0.1.5", &["127.0.0.1", "192.0.2.7"], Some("192.0.2.7")),
            ("10.0.1.5", &["127.0.0.1, 192.0.2.7, 10.0.1.6"], Some("192.0.2.7")),
            ("10.0.1.5", &["192.0.2.7:4711"], Some("192.0.2.7")),
            ("fd00::1", &["[2001:db8::1]:443"], Some("2001:db8::1")),
            ("fd00::1", &["[2001:db8::1]"], Some("2001:db8::1")),
            ("::ffff:10.0.1.5", &["::ffff:192.0.2.7"], Some("192.0.2.7")),
            ("10.0.1.5", &["127.0.0.1, unknown"], None),
            ("10.0.1.5", &["127.0.0.1,"], None),
            ("10.0.1.5", &[], Some("10.0.1.5")),
        ] {
            assert_eq!(seen(peer, forwarded).as_deref(), expected, "{peer} {forwarded:?}");
        }
    }
}
