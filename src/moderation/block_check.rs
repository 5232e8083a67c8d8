//! Whose requests are rejected before anything of theirs is looked at: servers and people blocked for everyone (interop
//! E25).

use super::rules::Rules;
use super::{Block, Severity};
use crate::base::ids::Domain;

/// The block of any of these domains.
pub(crate) fn blocked_domain<'a>(rules: &'a Rules, domains: &[Domain]) -> Option<&'a Block> {
    let found = domains.iter().filter_map(|domain| rules.of_domain(domain));
    found.filter(|block| block.severity == Severity::Block).min_by_key(|block| block.id)
}

/// The block of an address's host.
pub(crate) fn blocked_address<'a>(rules: &'a Rules, address: &str) -> Option<&'a Block> {
    let domains: Vec<Domain> = Domain::of(address).into_iter().collect();
    blocked_domain(rules, &domains)
}

/// The block of an actor by their id.
pub(crate) fn blocked_actor<'a>(rules: &'a Rules, url: &str) -> Option<&'a Block> {
    rules.of_actor(url).filter(|block| block.severity == Severity::Block)
}
