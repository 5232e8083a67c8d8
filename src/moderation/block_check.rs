//! Whose requests are rejected before anything of theirs is looked at: servers and people blocked for everyone (interop
//! E25).

use super::rules::Rules;
use super::{Block, Severity, store};
use crate::base::ids::Domain;
use crate::db::Conn;

/// The block of any of these domains.
pub(crate) async fn blocked_domain(conn: &mut Conn, domains: &[Domain]) -> sqlx::Result<Option<Block>> {
    let names: Vec<&str> = domains.iter().flat_map(Domain::with_those_above).collect();
    let rules = Rules::of(store::blocks_of(conn, &names, "").await?);
    let found = domains.iter().filter_map(|domain| rules.of_domain(domain));
    Ok(found.filter(|block| block.severity == Severity::Block).min_by_key(|block| block.id).cloned())
}

/// The block of an address's host.
pub(crate) async fn blocked_address(conn: &mut Conn, address: &str) -> sqlx::Result<Option<Block>> {
    let domains: Vec<Domain> = Domain::of(address).into_iter().collect();
    blocked_domain(conn, &domains).await
}

/// The block of an actor by their id.
pub(crate) async fn blocked_actor(conn: &mut Conn, url: &str) -> sqlx::Result<Option<Block>> {
    let blocks = store::blocks_of(conn, &[], url).await?;
    Ok(blocks.into_iter().find(|block| block.actor.is_none() && block.severity == Severity::Block))
}
