//! Rejects whoever is blocked: by their key before anything is fetched, and wherever an activity names them.

use http::StatusCode;
use serde_json::Value;

use super::rejection::{Rejected, rejected};
use crate::activitypub::incoming::Incoming;
use crate::base::ids::Domain;
use crate::moderation::rules::Rules;
use crate::moderation::{Block, BlockKind, block_check};

/// A blocked server is rejected by the host of its keyId, before anything is fetched (interop C10, E25).
pub(super) fn reject_blocked_key(blocks: &Rules, key_id: &str) -> Result<(), Rejected> {
    block_check::blocked_address(blocks, key_id).map_or(Ok(()), |block| Err(blocked(block)))
}

/// Rejects an activity that comes from or was made by somebody blocked, also when another server passes it on.
pub(super) fn reject_blocked(blocks: &Rules, incoming: &Incoming) -> Result<(), Rejected> {
    let mut domains: Vec<Domain> = named(incoming).into_iter().filter_map(Domain::of).collect();
    domains.sort();
    domains.dedup();
    let found =
        block_check::blocked_domain(blocks, &domains).or_else(|| block_check::blocked_actor(blocks, &incoming.actor));
    found.map_or(Ok(()), |block| Err(blocked(block)))
}

/// Every address of an activity whose server answers for it (interop E25).
fn named(incoming: &Incoming) -> Vec<&str> {
    let object = incoming.object.as_ref();
    let embedded = object.and_then(|object| object.embedded.as_ref());
    let attributed = embedded.and_then(|embedded| embedded.get("attributedTo")).map(addresses).unwrap_or_default();
    let of_object = [
        object.and_then(|object| object.id.as_deref()),
        object.and_then(|object| object.actor.as_deref()),
        object.and_then(|object| object.object.as_deref()),
    ];
    let own = [incoming.id.as_str(), incoming.actor.as_str()];
    own.into_iter().chain(of_object.into_iter().flatten()).chain(attributed).collect()
}

/// The ids in an address, an object with an id, or a list of either.
fn addresses(value: &Value) -> Vec<&str> {
    match value {
        Value::String(address) => vec![address],
        Value::Object(thing) => thing.get("id").and_then(Value::as_str).into_iter().collect(),
        Value::Array(several) => several.iter().flat_map(addresses).collect(),
        _ => Vec::new(),
    }
}

fn blocked(block: &Block) -> Rejected {
    let label = if block.kind == BlockKind::Domain { "blocked-domain" } else { "blocked-actor" };
    rejected(StatusCode::FORBIDDEN, label, format!("nothing of {} is taken here", block.value))
}
