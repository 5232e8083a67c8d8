//! The only SQL for how hosts read and make signatures.

use clock::Timestamp;
use sqlx::any::AnyRow;

use super::{PeerCapabilities, Scheme};
use crate::base::ids::Host;
use crate::base::stored::Word;
use crate::db::{Columns, Conn, Topic, changed, query};

/// What is known of a host.
pub(crate) async fn capabilities(conn: &mut Conn, host: &Host) -> sqlx::Result<PeerCapabilities> {
    let known =
        query("SELECT accepted_scheme, accepted_at, signed_ed25519_at FROM peer_capabilities WHERE host = $1", host)
            .fetch_optional(conn, read_capabilities)
            .await?;
    Ok(known.unwrap_or_default())
}

/// From the columns of `peer_capabilities`, or none of them.
pub(crate) fn read_capabilities(row: &AnyRow) -> sqlx::Result<PeerCapabilities> {
    let took = row.maybe_text("accepted_scheme")?.as_deref().and_then(Scheme::parse);
    Ok(PeerCapabilities {
        took: took.zip(row.maybe_time("accepted_at")?),
        signs_ed25519: row.maybe_time("signed_ed25519_at")?.is_some(),
    })
}

pub(crate) async fn note_taken(conn: &mut Conn, host: &Host, scheme: Scheme, now: Timestamp) -> sqlx::Result<()> {
    changed(Topic::Peer(host.as_str()));
    query(
        "INSERT INTO peer_capabilities (host, accepted_scheme, accepted_at) VALUES ($1, $2, $3)
         ON CONFLICT (host) DO UPDATE SET accepted_scheme = excluded.accepted_scheme, accepted_at = excluded.accepted_at",
        (host, scheme, now),
    )
    .execute(conn)
    .await
}

/// Notes that a verified request of a host was signed with Ed25519.
pub(crate) async fn note_ed25519(conn: &mut Conn, host: &Host, now: Timestamp) -> sqlx::Result<()> {
    let is_new = query(
        "INSERT INTO peer_capabilities (host, signed_ed25519_at) VALUES ($1, $2)
         ON CONFLICT (host) DO UPDATE SET signed_ed25519_at = excluded.signed_ed25519_at
         WHERE peer_capabilities.signed_ed25519_at IS NULL",
        (host, now),
    )
    .changed(conn)
    .await?;
    if is_new {
        changed(Topic::Peer(host.as_str()));
    }
    Ok(())
}
