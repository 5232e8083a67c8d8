//! Where a request comes from: the client's address, or the one that a trusted proxy names.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use http::header::{FORWARDED, HeaderName};
use http::{Extensions, HeaderMap};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Where a request comes from. `None` when a trusted proxy does not say, or there is no connection: then no rate limit
/// by source applies.
///
/// Of a list, the last address counts that is not itself a trusted proxy: those before it come from the client and may
/// be made up. `X-Forwarded-For` wins over `Forwarded` (RFC 7239), since it is what proxies write by default.
pub(super) fn source(extensions: &Extensions, headers: &HeaderMap, proxies: &[IpNet]) -> Option<IpAddr> {
    let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    let trusted = |address: &IpAddr| proxies.iter().any(|range| range.contains(address));
    let peer = peer.ip().to_canonical();
    if !trusted(&peer) {
        return Some(peer);
    }
    let named: Vec<Option<IpAddr>> = if headers.contains_key(X_FORWARDED_FOR) {
        parts(headers, &X_FORWARDED_FOR).map(address).collect()
    } else {
        parts(headers, &FORWARDED).filter_map(forwarded_for).map(address).collect()
    };
    // One that cannot be read ends the search: those before it may be made up.
    named.into_iter().rev().find(|named| !named.as_ref().is_some_and(trusted)).flatten()
}

fn parts<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','))
}

/// The `for` of one element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<&str> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| value.trim().trim_matches('"'))
    })
}

/// An address, with or without brackets and port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let ip = bare.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    ip.ok().map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(peer: &str, headers: &[(&'static str, &str)]) -> Option<String> {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo::<SocketAddr>(peer.parse().expect("an address")));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a value"));
        }
        let proxies = ["127.0.0.0/8", "::1/128", "10.1.0.0/16"].map(|range| range.parse().expect("a range"));
        source(&extensions, &map, &proxies).map(|ip| ip.to_string())
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        const XFF: &str = "x-forwarded-for";
        for (peer, headers, expected) in [
            ("192.0.2.1:5", vec![], Some("192.0.2.1")),
            ("192.0.2.1:5", vec![(XFF, "198.51.100.7")], Some("192.0.2.1")),
            ("[::ffff:192.0.2.1]:5", vec![("forwarded", "for=198.51.100.7")], Some("192.0.2.1")),
            ("127.0.0.1:5", vec![(XFF, "198.51.100.7")], Some("198.51.100.7")),
            ("[::1]:5", vec![(XFF, "2001:db8::7")], Some("2001:db8::7")),
            // The client's own claim comes before the proxy's.
            ("127.0.0.1:5", vec![(XFF, "203.0.113.9, 198.51.100.7")], Some("198.51.100.7")),
            ("127.0.0.1:5", vec![(XFF, "203.0.113.9"), (XFF, "198.51.100.7")], Some("198.51.100.7")),
            ("127.0.0.1:5", vec![(XFF, "198.51.100.7, 10.1.2.3")], Some("198.51.100.7")),
            ("127.0.0.1:5", vec![(XFF, "203.0.113.9, unknown")], None),
            ("127.0.0.1:5", vec![(XFF, "203.0.113.9, unknown, 10.1.2.3")], None),
            ("127.0.0.1:5", vec![(XFF, "198.51.100.7:4711")], Some("198.51.100.7")),
            ("127.0.0.1:5", vec![("forwarded", "For=\"[2001:db8::7]:4711\";proto=https")], Some("2001:db8::7")),
            ("127.0.0.1:5", vec![("forwarded", "for=203.0.113.9, for=198.51.100.7;by=x")], Some("198.51.100.7")),
            ("127.0.0.1:5", vec![(XFF, "198.51.100.7"), ("forwarded", "for=203.0.113.9")], Some("198.51.100.7")),
            ("127.0.0.1:5", vec![], None),
            ("127.0.0.1:5", vec![(XFF, "10.1.2.3")], None),
        ] {
            assert_eq!(asked(peer, &headers).as_deref(), expected, "{peer} {headers:?}");
        }
    }
}
