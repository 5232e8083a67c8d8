//! Simulated servers that speak to a bridge over HTTP alone and share none of its protocol code.
//!
//! They sign, verify and read documents by themselves, so that a mistake of the bridge cannot cancel itself out.
//! Each check cites its rule of docs/interop.md (C5, B8 …).

mod actor;
mod article;
mod calls;
mod fault;
mod found;
mod inbox;
mod json;
mod key;
mod memory;
mod note;
mod peer;
mod records;
mod routes;
mod search;
mod shape;
mod signing;
mod statuses;
mod timeline;
mod verify;
mod wire;

pub use calls::{Answer, Sent};
pub use fault::{Fault, Spoilt};
pub use found::Found;
pub use key::PeerKey;
pub use memory::{MemoryError, MemoryNet};
pub use peer::{Peer, PeerSettings, PeerShape};
pub use records::{FollowState, Received};
pub use routes::by_host;
pub use signing::SignOptions;
pub use timeline::Entry;
pub use wire::{SocketWire, Wire, serve};

/// The audience everybody belongs to (interop B8).
pub(crate) const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

/// The one context every document must name (interop A7).
pub(crate) const ACTIVITYSTREAMS: &str = "https://www.w3.org/ns/activitystreams";

/// Media type of the documents these servers send.
pub(crate) const ACTIVITY_JSON: &str = "application/activity+json";

/// Holds a peer to a rule; the error names it.
pub(crate) fn require(holds: bool, rule: impl Into<String>) -> Result<(), String> {
    if holds { Ok(()) } else { Err(rule.into()) }
}

/// Scheme, host and port of an address: what "same origin" compares (interop E3).
pub(crate) fn origin(address: &str) -> Option<String> {
    let url = url::Url::parse(address).ok()?;
    url.has_host().then(|| url.origin().ascii_serialization())
}

/// Whether both addresses have one origin; false where either is no address.
pub(crate) fn same_origin(one: &str, other: &str) -> bool {
    matches!((origin(one), origin(other)), (Some(a), Some(b)) if a == b)
}

#[cfg(test)]
mod tests;
