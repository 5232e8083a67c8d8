//! The only SQL for how hosts read and make signatures.

use clock::Timestamp;
use sqlx::query;

use super::{Manner, Scheme};
use crate::db::{Columns, Conn};
use crate::ids::Host;

/// What is known of a host.
pub async fn manner(conn: &mut Conn, host: &Host) -> sqlx::Result<Manner> {
    let row = query("SELECT took, took_at, signed_ed25519_at FROM host_manners WHERE host = $1")
        .bind(host.as_str())
        .fetch_optional(conn)
        .await?;
    let Some(row) = row else { return Ok(Manner::default()) };
    let took = row.maybe_text("took")?.as_deref().and_then(Scheme::parse);
    Ok(Manner {
        took: took.zip(row.maybe_time("took_at")?),
        signs_ed25519: row.maybe_time("signed_ed25519_at")?.is_some(),
    })
}

/// A host took this scheme, having refused another.
pub async fn note_taken(conn: &mut Conn, host: &Host, scheme: Scheme, now: Timestamp) -> sqlx::Result<()> {
    query(
        "INSERT INTO host_manners (host, took, took_at) VALUES ($1, $2, $3)
         ON CONFLICT (host) DO UPDATE SET took = excluded.took, took_at = excluded.took_at",
    )
    .bind(host.as_str())
    .bind(scheme.as_str())
    .bind(now.millis())
    .execute(conn)
    .await?;
    Ok(())
}

/// A host signed to us with Ed25519, verified.
pub async fn note_ed25519(conn: &mut Conn, host: &Host, now: Timestamp) -> sqlx::Result<()> {
    query(
        "INSERT INTO host_manners (host, signed_ed25519_at) VALUES ($1, $2)
         ON CONFLICT (host) DO UPDATE SET signed_ed25519_at = excluded.signed_ed25519_at
         WHERE host_manners.signed_ed25519_at IS NULL",
    )
    .bind(host.as_str())
    .bind(now.millis())
    .execute(conn)
    .await?;
    Ok(())
}
