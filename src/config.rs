//! veerpont.toml.

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;

/// `[network]`: what the one outgoing client may do beyond the public https internet; all closed by default.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// Permits `http:` remotes, and ports in remote addresses.
    pub allow_http: bool,
    /// Address ranges that may be reached although they are not public.
    pub allow_addresses: Vec<IpNet>,
    /// A PEM file of root certificates trusted beside the system's.
    pub extra_ca_file: Option<PathBuf>,
    /// Where names really are, instead of asking the resolver; these targets skip the address check.
    pub connect_to: Vec<ConnectTo>,
}

/// One entry of `connect_to`: `host:port=address:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectTo {
    /// The name in the address, lower case.
    pub host: String,
    /// The port in the address, or the scheme's own.
    pub port: u16,
    /// Where to connect instead.
    pub target: SocketAddr,
}
