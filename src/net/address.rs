//! Which addresses the outgoing client may reach: the public internet, and what the operator opened (interop G5).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use url::{Host, Url};

use crate::config;

/// Whether an address belongs to the public internet, so that a stranger may make us connect to it.
///
/// Everything of the IANA special-purpose registries that is not globally reachable is left out, and so are the IPv6
/// forms that carry an IPv4 address inside (interop G5, H16).
pub(crate) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

#[expect(clippy::unnested_or_patterns, reason = "one line for each range")]
fn is_public_v4(ip: Ipv4Addr) -> bool {
    !matches!(
        ip.octets(),
        [0 | 10 | 127, ..] // this network, private, loopback
            | [100, 64..=127, ..] // carrier-grade NAT
            | [169, 254, ..] // link-local, with the metadata services of clouds
            | [172, 16..=31, ..] // private
            | [192, 0, 0 | 2, _] // protocol assignments, documentation
            | [192, 88, 99, _] // 6to4 relays
            | [192, 168, ..] // private
            | [198, 18 | 19, ..] // benchmarks
            | [198, 51, 100, _] // documentation
            | [203, 0, 113, _] // documentation
            | [224..=255, ..] // multicast, reserved, broadcast
    )
}

#[expect(clippy::match_same_arms, reason = "one line for each range")]
fn is_public_v6(ip: Ipv6Addr) -> bool {
    // Global unicast is 2000::/3. What lies outside is loopback, IPv4-mapped and IPv4-compatible, NAT64, discard,
    // ULA, link-local, site-local, multicast, or unassigned.
    match ip.segments() {
        [0x2001, 0..=0x01ff, ..] => false, // Teredo, benchmarks, ORCHID and other protocol assignments
        [0x2001, 0x0db8, ..] => false,     // documentation
        [0x2002, ..] => false,             // 6to4
        [0x3fff, 0..=0x0fff, ..] => false, // documentation
        [_, _, _, _, 0 | 0x0200, 0x5efe, ..] => false, // ISATAP, with an IPv4 address at its end
        [first, ..] => matches!(first, 0x2000..=0x3fff),
    }
}

/// Why an address must not be reached: our own policy, so that trying again never helps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refused(String);

/// What the outgoing client may reach, by `[network]` of the configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct AddressPolicy {
    allow_http: bool,
    allow_addresses: Vec<IpNet>,
}

impl AddressPolicy {
    pub(crate) fn new(network: &config::Network) -> Self {
        Self { allow_http: network.allow_http, allow_addresses: network.allow_addresses.clone() }
    }

    /// Checks the form of an address: `https` with its own port, a host, no user or password; `http` and other ports
    /// only with `allow_http`. An IP address in place of a name is checked like a resolved one.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub(crate) fn check_url(&self, url: &Url) -> Result<(), Refused> {
        let refused = |why: &str| Err(Refused(format!("{} is refused: {why}", shown(url))));
        match url.scheme() {
            "https" => {}
            "http" if self.allow_http => {}
            "http" => return refused("only https is allowed; [network] allow_http opens http for tests"),
            _ => return refused("only https is allowed"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused("an address must not carry a user name or password");
        }
        if url.port().is_some() && !self.allow_http {
            return refused("a port is not allowed; [network] allow_http opens ports for tests");
        }
        match url.host() {
            None | Some(Host::Domain("")) => refused("it has no host"),
            // Else a name of ours with a dot would not be known as ours.
            Some(Host::Domain(name)) if name.ends_with('.') => refused("its host ends with a dot"),
            Some(Host::Domain(_)) => Ok(()),
            Some(Host::Ipv4(ip)) => self.check_ip(ip.into()),
            Some(Host::Ipv6(ip)) => self.check_ip(ip.into()),
        }
    }

    /// Checks an address about to be connected to.
    ///
    /// # Errors
    /// When it is neither public nor in `allow_addresses`.
    pub(crate) fn check_ip(&self, ip: IpAddr) -> Result<(), Refused> {
        let plain = ip.to_canonical();
        if is_public(ip) || self.allow_addresses.iter().any(|range| range.contains(&plain)) {
            return Ok(());
        }
        Err(Refused(format!(
            "{ip} is not a public address; [network] allow_addresses opens private ranges, for tests and private networks"
        )))
    }
}

/// The address without what may be secret: its user, password, and query.
fn shown(url: &Url) -> String {
    format!("{}://{}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: &[&str] = &[
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.0.3.0",
        "192.88.98.255",
        "192.88.100.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "2000::1",
        "2001:200::1",
        "2001:db7::1",
        "2001:db9::1",
        "2001:4860:4860::8888",
        "2003::1",
        "2606:4700::1111",
        "2a00:1450::1",
        "3ffe::1",
        "3fff:1000::1",
    ];

    const NOT_PUBLIC: &[&str] = &[
        // IPv4: this network, private, CGNAT, loopback, link-local
        "0.0.0.0",
        "0.255.255.255",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.0.0",
        "169.254.169.254",
        "169.254.255.255",
        "172.16.0.0",
        "172.31.255.255",
        "192.168.0.0",
        "192.168.255.255",
        // protocol assignments, documentation, 6to4 relay, benchmarks
        "192.0.0.0",
        "192.0.0.255",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.0",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        // multicast, reserved, broadcast
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        // unspecified, loopback, IPv4-compatible
        "::",
        "::1",
        "::127.0.0.1",
        "::8.8.8.8",
        // IPv4-mapped, IPv4-translated
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:8.8.8.8",
        "::ffff:0:127.0.0.1",
        // NAT64, discard
        "64:ff9b::127.0.0.1",
        "64:ff9b::8.8.8.8",
        "64:ff9b:1::1",
        "100::1",
        "100:0:0:1::1",
        // Teredo, benchmarks, ORCHID, documentation, 6to4
        "2001::1",
        "2001:0:7f00:1::",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:1ff::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:808:808::1",
        "3fff::1",
        "3fff:fff::1",
        "2a00:1450::5efe:10.0.0.1",
        "2a00:1450::200:5efe:127.0.0.1",
        // segment routing, ULA, link-local, site-local, multicast, unassigned
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "feff::1",
        "ff02::1",
        "ff0e::1",
        "4000::1",
        "1fff::1",
    ];

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn url(text: &str) -> Url {
        text.parse().expect("a URL")
    }

    fn loopback_open() -> AddressPolicy {
        AddressPolicy::new(&config::Network {
            allow_http: true,
            allow_addresses: vec!["127.0.0.0/8".parse().expect("a range")],
            ..config::Network::default()
        })
    }

    #[test]
    fn only_the_public_internet_is_public_g5_t20() {
        for text in PUBLIC {
            assert!(is_public(ip(text)), "{text} is public");
        }
        for text in NOT_PUBLIC {
            assert!(!is_public(ip(text)), "{text} is not public");
        }
    }

    #[test]
    fn a_closed_gate_takes_https_with_its_own_port_only() {
        let policy = AddressPolicy::default();
        for good in
            ["https://a.example/x?y", "https://a.example:443/", "https://1.1.1.1/", "https://[2606:4700::1111]/"]
        {
            assert_eq!(policy.check_url(&url(good)), Ok(()), "{good}");
        }
        for bad in [
            "http://a.example/",
            "https://a.example:8443/",
            "https://user@a.example/",
            "https://:secret@a.example/",
            "ftp://a.example/",
            "file:///etc/passwd",
            "data:text/plain,x",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::1]/",
        ] {
            assert!(policy.check_url(&url(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_refusal_tells_no_secret() {
        let refused =
            AddressPolicy::default().check_url(&url("https://ann:secret@a.example/x?token=t")).expect_err("refused");
        assert_eq!(
            refused.to_string(),
            "https://a.example/x is refused: an address must not carry a user name or password"
        );
    }

    #[test]
    fn an_open_gate_takes_http_and_ports_and_the_opened_range() {
        let policy = loopback_open();
        assert_eq!(policy.check_url(&url("http://127.0.0.1:8080/x")), Ok(()));
        assert_eq!(policy.check_url(&url("https://a.example:8443/")), Ok(()));
        assert_eq!(policy.check_ip(ip("::ffff:127.0.0.9")), Ok(()));
        assert!(policy.check_url(&url("http://10.0.0.1/")).is_err());
        assert!(policy.check_url(&url("http://[::1]/")).is_err());
        assert!(policy.check_url(&url("http://user@127.0.0.1/")).is_err());
    }
}
