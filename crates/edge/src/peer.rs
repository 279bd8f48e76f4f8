//! Where on the network a request comes from.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use ipnet::IpNet;

use crate::Problem;

/// Put on a router as `axum::Extension(TrustedProxies(…))`, it names the proxies in front of the servers
/// whose `Forwarded` or `X-Forwarded-For` is believed; without it none is.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(pub Arc<[IpNet]>);

/// The address that a request comes from, as far as it can be known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    address: IpAddr,
    forwarded: bool,
}

/// Every network of IPv6 has 64 bits of its own, and whoever has the network has all of its addresses:
/// RFC 4291, section 2.5.4.
const IPV6_NETWORK_BYTES: usize = 8;

impl Peer {
    /// What tells one customer's place on the network from another: an IPv4 address, or an IPv6 /64.
    pub fn place(&self) -> Vec<u8> {
        match self.address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets()[..IPV6_NETWORK_BYTES].to_vec(),
        }
    }

    /// Says it on, to a server behind this one, as the value of `X-Forwarded-For`.
    pub fn forwarded_for(&self) -> HeaderValue {
        // An address has no character that a header may not have.
        HeaderValue::try_from(self.address.to_string())
            .unwrap_or_else(|_| HeaderValue::from_static("unknown"))
    }

    /// Whether it comes from this very machine; what a proxy on it passes on does not.
    pub fn is_local(&self) -> bool {
        self.address.is_loopback() && !self.forwarded
    }
}

impl fmt::Debug for Peer {
    // An address stands for a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Peer(…)")
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(ConnectInfo(peer)) = parts.extensions.get::<ConnectInfo<SocketAddr>>() else {
            return Err(Problem::internal("nobody told where this request comes from"));
        };
        let trusted = parts.extensions.get::<TrustedProxies>().cloned().unwrap_or_default();
        Ok(find(peer.ip(), &parts.headers, &trusted.0))
    }
}

/// Goes from the connection's other end back along the hops that the proxies name, as long as each is
/// trusted. What names no address is not followed: the proxy itself then counts.
fn find(connected: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Peer {
    let is_trusted = |address: IpAddr| trusted.iter().any(|net| net.contains(&address));
    let follow = |hops: &[Option<IpAddr>]| {
        let mut address = connected.to_canonical();
        for hop in hops.iter().rev() {
            match hop {
                Some(next) if is_trusted(address) => address = *next,
                _ => break,
            }
        }
        address
    };
    let standard = hops(headers, "forwarded", forwarded_for);
    let common = hops(headers, "x-forwarded-for", |item| address(item.trim()));
    let forwarded = standard.is_some() || common.is_some();
    let address = match (standard, common) {
        // A proxy sets one of the two; the other may be the sender's own, unless they say the same.
        (Some(one), Some(other)) if follow(&one) != follow(&other) => connected.to_canonical(),
        (Some(hops), _) | (None, Some(hops)) => follow(&hops),
        (None, None) => connected.to_canonical(),
    };
    Peer { address, forwarded }
}

/// The hops of all headers of a name, nearest last; `None` when there is no such header.
fn hops(
    headers: &HeaderMap,
    name: &str,
    read: impl Fn(&str) -> Option<IpAddr>,
) -> Option<Vec<Option<IpAddr>>> {
    let mut hops = None;
    for value in headers.get_all(name) {
        let items = value.to_str().unwrap_or_default().split(',');
        hops.get_or_insert_with(Vec::new).extend(items.map(&read));
    }
    hops
}

/// The `for` of one element, RFC 7239, section 4. Neither an address nor a port holds a comma.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        let value = value.trim().trim_matches('"');
        name.trim().eq_ignore_ascii_case("for").then(|| address(value)).flatten()
    })
}

/// An address with or without a port; IPv6 with a port, and in `Forwarded` always, stands in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(address, _)| address);
    let address = match bare {
        Some(bare) => bare.parse().ok(),
        None => text.parse().or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip())).ok(),
    };
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(connected: &str, headers: &[(&'static str, &str)], trusted: &[&str]) -> Peer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        find(connected.parse().unwrap(), &map, &trusted)
    }

    fn seen(connected: &str, headers: &[(&'static str, &str)], trusted: &[&str]) -> String {
        peer(connected, headers, trusted).address.to_string()
    }

    #[test]
    fn nobody_is_believed_who_is_not_trusted() {
        for header in [("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=203.0.113.9")] {
            assert_eq!(seen("198.51.100.1", &[header], &[]), "198.51.100.1");
            assert_eq!(seen("198.51.100.1", &[header], &["10.0.0.0/8"]), "198.51.100.1");
            assert_eq!(seen("10.1.2.3", &[header], &["10.0.0.0/8"]), "203.0.113.9");
        }
    }

    #[test]
    fn the_nearest_hop_that_is_not_trusted_counts_whatever_stands_before_it() {
        let forged = [("x-forwarded-for", "192.0.2.1, 203.0.113.9"), ("x-forwarded-for", "10.0.0.2")];
        assert_eq!(seen("10.0.0.1", &forged, &["10.0.0.0/8"]), "203.0.113.9");
        let forged = [("forwarded", "for=192.0.2.1, For=\"203.0.113.9:4711\";proto=https , for=10.0.0.2")];
        assert_eq!(seen("10.0.0.1", &forged, &["10.0.0.0/8"]), "203.0.113.9");
    }

    #[test]
    fn a_header_that_the_sender_adds_to_the_proxys_own_gains_nothing() {
        let both = [("forwarded", "for=192.0.2.1"), ("x-forwarded-for", "203.0.113.9")];
        assert_eq!(seen("10.0.0.1", &both, &["10.0.0.0/8"]), "10.0.0.1");
        let both = [("forwarded", "for=203.0.113.9"), ("x-forwarded-for", "203.0.113.9")];
        assert_eq!(seen("10.0.0.1", &both, &["10.0.0.0/8"]), "203.0.113.9");
    }

    #[test]
    fn what_names_no_address_leaves_the_proxy_itself() {
        for text in ["unknown", "_hidden", "", "203.0.113.9, nobody", "[::1", "1.2.3.4.5"] {
            assert_eq!(
                seen("10.0.0.1", &[("x-forwarded-for", text)], &["10.0.0.1/32"]),
                "10.0.0.1",
                "{text}"
            );
            let standard = format!("for={text}");
            assert_eq!(seen("10.0.0.1", &[("forwarded", &standard)], &["10.0.0.1/32"]), "10.0.0.1", "{text}");
        }
    }

    #[test]
    fn a_network_of_ipv6_is_one_place_and_a_mapped_address_is_the_one_inside() {
        let place = |address: &str| peer(address, &[], &[]).place();
        assert_eq!(place("2001:db8:1:2::1"), place("2001:db8:1:2:ffff::2"));
        assert_ne!(place("2001:db8:1:2::1"), place("2001:db8:1:3::1"));
        assert_eq!(place("::ffff:203.0.113.9"), place("203.0.113.9"));
        assert_ne!(place("203.0.113.9"), place("203.0.113.8"));
        let through = |hop: &str| seen("10.0.0.1", &[("forwarded", hop)], &["10.0.0.0/8"]);
        assert_eq!(through("for=\"[2001:db8::9]:80\""), "2001:db8::9");
        assert_eq!(seen("10.0.0.1", &[("x-forwarded-for", "2001:db8::9")], &["10.0.0.0/8"]), "2001:db8::9");
    }

    #[test]
    fn this_machine_is_local_and_what_a_proxy_on_it_passes_on_is_not() {
        assert!(peer("127.0.0.1", &[], &[]).is_local());
        assert!(peer("::1", &[], &[]).is_local() && peer("::ffff:127.0.0.1", &[], &[]).is_local());
        assert!(!peer("127.0.0.1", &[("x-forwarded-for", "203.0.113.9")], &[]).is_local());
        assert!(!peer("127.0.0.1", &[("x-forwarded-for", "127.0.0.1")], &["127.0.0.0/8"]).is_local());
        assert!(!peer("203.0.113.9", &[], &[]).is_local());
    }
}
