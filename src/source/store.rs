//! The only SQL for sources.

use sqlx::query;

use super::Known;
use crate::clock::Timestamp;
use crate::db::{Columns, Conn};
use crate::ids::{CommunityId, Ids, SourceId};

/// How long a scan may take before another node may take the source over.
const LEASE: std::time::Duration = std::time::Duration::from_mins(15);

/// The right to scan a source.
#[derive(Clone, Debug)]
pub struct Lease {
    /// Which.
    pub source: SourceId,
    /// The fence.
    pub token: i64,
}

/// All sources the database knows.
///
/// # Errors
/// The database's.
pub async fn known(conn: &mut Conn) -> sqlx::Result<Vec<Known>> {
    let rows = query("SELECT id, name, community_id, imported_at, scanned_at, error FROM sources ORDER BY name")
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Known {
                id: SourceId(row.int("id")?),
                name: row.text("name")?,
                community: CommunityId(row.int("community_id")?),
                imported_at: row.maybe_time("imported_at")?,
                scanned_at: row.maybe_time("scanned_at")?,
                error: row.maybe_text("error")?,
            })
        })
        .collect()
}

/// Makes a source known; one that is, stays as it is.
///
/// # Errors
/// The database's.
pub async fn insert(
    conn: &mut Conn,
    ids: &Ids,
    name: &str,
    community: CommunityId,
    now: Timestamp,
) -> sqlx::Result<()> {
    query(
        "INSERT INTO sources (id, name, community_id, next_scan_at) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING",
    )
    .bind(ids.row())
    .bind(name)
    .bind(community.0)
    .bind(now.millis())
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether any source is due.
///
/// # Errors
/// The database's.
pub async fn due(conn: &mut Conn, now: Timestamp) -> sqlx::Result<Vec<SourceId>> {
    let rows = query(
        "SELECT id FROM sources WHERE next_scan_at <= $1 AND (lease_until IS NULL OR lease_until <= $1) ORDER BY next_scan_at",
    )
    .bind(now.millis())
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok(SourceId(row.int("id")?))).collect()
}

/// Takes a source, if nobody scans it just now.
///
/// # Errors
/// The database's.
pub async fn claim(conn: &mut Conn, source: SourceId, owner: &str, now: Timestamp) -> sqlx::Result<Option<Lease>> {
    let row = query(
        "UPDATE sources SET lease_until = $3, lease_owner = $4, lease_token = lease_token + 1
         WHERE id = $1 AND (lease_until IS NULL OR lease_until <= $2) RETURNING lease_token",
    )
    .bind(source.0)
    .bind(now.millis())
    .bind((now + LEASE).millis())
    .bind(owner)
    .fetch_optional(conn)
    .await?;
    row.map(|row| Ok(Lease { source, token: row.int("lease_token")? })).transpose()
}

/// Frees what this node held when it last stopped.
///
/// # Errors
/// The database's.
pub async fn free(conn: &mut Conn, owner: &str) -> sqlx::Result<()> {
    query("UPDATE sources SET lease_until = NULL, lease_owner = NULL, lease_token = lease_token + 1 WHERE lease_owner = $1")
        .bind(owner)
        .execute(conn)
        .await?;
    Ok(())
}

/// How a scan ended.
#[derive(Clone, Debug)]
pub struct Scanned {
    /// Whether nothing was left out: the first such scan ends the import.
    pub complete: bool,
    /// What stopped it.
    pub error: Option<String>,
    /// When to look again.
    pub next_scan_at: Timestamp,
}

/// Ends a scan; false when another took the source over, and then nothing of it may be kept.
///
/// # Errors
/// The database's.
pub async fn finish(conn: &mut Conn, lease: &Lease, scanned: &Scanned, now: Timestamp) -> sqlx::Result<bool> {
    let done = query(
        "UPDATE sources SET scanned_at = $3, error = $4, next_scan_at = $5, lease_until = NULL, lease_owner = NULL,
         complete_scans = complete_scans + $6,
         imported_at = CASE WHEN $6 = 1 THEN COALESCE(imported_at, $3) ELSE imported_at END
         WHERE id = $1 AND lease_token = $2",
    )
    .bind(lease.source.0)
    .bind(lease.token)
    .bind(now.millis())
    .bind(scanned.error.clone())
    .bind(scanned.next_scan_at.millis())
    .bind(i64::from(scanned.complete))
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Lets go of a source without having changed anything.
///
/// # Errors
/// The database's.
pub async fn release(conn: &mut Conn, lease: &Lease) -> sqlx::Result<()> {
    query("UPDATE sources SET lease_until = NULL, lease_owner = NULL WHERE id = $1 AND lease_token = $2")
        .bind(lease.source.0)
        .bind(lease.token)
        .execute(conn)
        .await?;
    Ok(())
}

/// Makes a source due: its files changed.
///
/// # Errors
/// The database's.
pub async fn request_scan(conn: &mut Conn, name: &str, now: Timestamp) -> sqlx::Result<()> {
    query("UPDATE sources SET next_scan_at = $2 WHERE name = $1 AND next_scan_at > $2")
        .bind(name)
        .bind(now.millis())
        .execute(conn)
        .await?;
    Ok(())
}
