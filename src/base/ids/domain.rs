//! A domain as a moderator means it: in one spelling, and with all that is below it (interop E25).

use std::fmt;

use serde::Serialize;
use url::Url;

use super::Host;

/// A name or an IP address without a port: lower case, punycode, without a trailing dot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub(crate) struct Domain(String);

/// Why a text is no domain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no domain: write a name alone, as example.org; what is below it is meant too")]
pub(crate) struct InvalidDomain(String);

impl Domain {
    /// Takes a domain as people write it: `Bücher.Example.` is `xn--bcher-kva.example`.
    ///
    /// # Errors
    /// When it is more or less than a name, or has a `*` in it.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidDomain> {
        let invalid = || InvalidDomain(text.chars().take(300).collect());
        let name = text.trim().trim_end_matches('.');
        if name.is_empty() || name.contains(['*', '/', '@', '?', '#']) {
            return Err(invalid());
        }
        Self::normal(name).ok_or_else(invalid)
    }

    fn normal(name: &str) -> Option<Self> {
        let host = url::Host::parse(name).ok()?.to_string();
        let host = host.trim_end_matches('.');
        let is_whole = !host.is_empty() && !host.split('.').any(str::is_empty);
        is_whole.then(|| Self(host.to_owned()))
    }

    /// Where an address leads; `None` where it has no host.
    pub(crate) fn of(address: &str) -> Option<Self> {
        Self::normal(Url::parse(address).ok()?.host_str()?.trim_end_matches('.'))
    }

    /// What stands after the `@` of a handle, without a port.
    pub(crate) fn of_handle(handle: &str) -> Option<Self> {
        Self::of(&format!("https://{}/", handle.rsplit_once('@')?.1))
    }

    /// Itself, and every domain that it is below: `a.b.example`, `b.example`, `example`.
    pub(crate) fn with_those_above(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self.0.as_str()), |name| name.split_once('.').map(|(_, above)| above))
    }

    /// Whether another is this one, or below it.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        other.with_those_above().any(|name| name == self.0)
    }

    /// As text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As [`registrable`], of the host that an address leads to; `None` when it leads to none.
pub(crate) fn registrable_of(address: &str) -> Option<String> {
    Host::named_in(address).map(|host| registrable(host.as_str()))
}

/// What of a host's name somebody registered, by the public suffix list.
#[must_use]
pub fn registrable(host: &str) -> String {
    let name = host.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map_or(host, |(name, _)| name);
    if name.starts_with('[') || name.parse::<std::net::IpAddr>().is_ok() {
        return name.to_owned();
    }
    psl::domain_str(name).unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_domain_has_one_spelling() {
        for text in
            ["bücher.example", "Bücher.Example.", " xn--bcher-kva.example ", "BÜCHER.example", "bücher。example"]
        {
            assert_eq!(
                Domain::parse(text).map(|domain| domain.to_string()),
                Ok("xn--bcher-kva.example".to_owned()),
                "{text}"
            );
        }
        for address in ["https://Peer.Test./users/ann", "http://peer.test:8443/", "https://ann@PEER.test#x"] {
            assert_eq!(Domain::of(address), Domain::parse("peer.test").ok(), "{address}");
        }
        for handle in ["ann@peer.test", "@ann@Peer.Test.", "@ann@peer.test:8443"] {
            assert_eq!(Domain::of_handle(handle), Domain::parse("peer.test").ok(), "{handle}");
        }
        assert_eq!(Domain::of("https://[::1]:80/"), Domain::parse("[::1]").ok());
        assert_eq!((Domain::of("mailto:ann@peer.test"), Domain::of_handle("ann")), (None, None));
    }

    #[test]
    fn what_is_no_domain_is_refused() {
        for text in [
            "",
            ".",
            "*.peer.test",
            "p***.test",
            "https://peer.test",
            "ann@peer.test",
            "peer.test/x",
            "peer test",
            "a..b",
        ] {
            assert!(Domain::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_below_is_covered_and_nothing_else() {
        let domain = |text: &str| Domain::parse(text).expect("a domain");
        let peer = domain("peer.test");
        for below in ["peer.test", "a.peer.test", "b.a.peer.test."] {
            assert!(peer.covers(&domain(below)), "{below}");
        }
        for other in ["test", "notpeer.test", "peer.test.example", "peer.tests"] {
            assert!(!peer.covers(&domain(other)), "{other}");
        }
    }

    #[test]
    fn a_registrable_domain_is_by_the_public_suffix_list() {
        for (host, expected) in [
            ("a.b.example.co.uk", "example.co.uk"),
            ("one.spam.example:8443", "spam.example"),
            ("x.github.io", "x.github.io"),
            ("127.0.0.1:80", "127.0.0.1"),
            ("[::1]", "[::1]"),
            ("[::1]:80", "[::1]"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(registrable(host), expected, "{host}");
        }
    }
}
