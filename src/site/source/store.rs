//! The only SQL for sources.

use std::time::Duration;

use clock::Timestamp;

use super::Known;
use crate::app::worker::store::leases::{
    self, ended_sql, free_resting_sql, held_sql, renew_sql, rested_sql, taken_sql,
};
use crate::base::ids::{CommunityId, Ids, SourceId};
use crate::db::{Columns, Conn, Queue, added, query};

/// How long after its last heartbeat a scan keeps its source.
const LEASE: Duration = Duration::from_mins(1);

/// How often a scan sends a heartbeat.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(20);

/// The right to scan a source.
#[derive(Clone, Debug)]
pub struct Lease {
    pub(crate) source: SourceId,
    /// The fence.
    pub(crate) token: i64,
}

/// All sources the database knows.
pub async fn known(conn: &mut Conn) -> sqlx::Result<Vec<Known>> {
    query("SELECT id, name, community_id, imported_at, scanned_at, error, failures FROM sources ORDER BY name", ())
        .fetch_all(conn, |row| {
            Ok(Known {
                id: SourceId(row.int("id")?),
                name: row.text("name")?,
                community: CommunityId(row.int("community_id")?),
                imported_at: row.maybe_time("imported_at")?,
                scanned_at: row.maybe_time("scanned_at")?,
                error: row.maybe_text("error")?,
                failures: u32::try_from(row.int("failures")?).unwrap_or(u32::MAX),
            })
        })
        .await
}

/// Makes a source known; an existing one stays as it is.
pub(crate) async fn insert(
    conn: &mut Conn,
    ids: &Ids,
    name: &str,
    community: CommunityId,
    now: Timestamp,
) -> sqlx::Result<()> {
    query(
        "INSERT INTO sources (id, name, community_id, next_attempt_at) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING",
        (ids.row(), name, community, now),
    )
    .execute(conn)
    .await
}

/// The sources that are due.
pub(crate) async fn due(conn: &mut Conn, now: Timestamp) -> sqlx::Result<Vec<SourceId>> {
    query("SELECT id FROM sources WHERE next_attempt_at <= $1 ORDER BY next_attempt_at", now)
        .fetch_all(conn, |row| Ok(SourceId(row.int("id")?)))
        .await
}

/// Claims a source, if nobody scans it just now.
pub(crate) async fn claim(
    conn: &mut Conn,
    source: SourceId,
    owner: &str,
    now: Timestamp,
) -> sqlx::Result<Option<Lease>> {
    let statement = concat!(
        "UPDATE sources SET requested_at = NULL, ",
        taken_sql!(),
        " WHERE id = $4 AND (lease_owner IS NULL OR next_attempt_at <= $1) RETURNING lease_token"
    );
    let token = leases::claim(statement, owner, LEASE, source.0, now).maybe_scalar(conn).await?;
    Ok(token.map(|token| Lease { source, token }))
}

/// The heartbeat of a scan.
pub(crate) async fn renew(conn: &mut Conn, lease: &Lease, now: Timestamp) -> sqlx::Result<()> {
    leases::renew(conn, renew_sql!("sources", ""), lease.source.0, lease.token, now + LEASE).await.map(|_| ())
}

/// For [`leases::free`]; `status` says of what rests.
pub(crate) const FREE: &str = free_resting_sql!(
    "sources",
    ", error = CASE WHEN begun <= 2 THEN error ELSE 'each of the last ' || CAST(begun AS TEXT) ||
     ' scans ended with the process: the log may say why; the next one waits' END",
    "begun > 0"
);

/// Makes every source due whose last scan failed, without the pause that follows a failure: the cause may be fixed. One
/// during whose scan the process ended again and again rests all the same ([`FREE`]).
pub(crate) async fn retry_failed(conn: &mut Conn, now: Timestamp) -> sqlx::Result<()> {
    query(
        "UPDATE sources SET next_attempt_at = $1 WHERE error IS NOT NULL AND next_attempt_at > $1 AND begun <= 2 AND lease_owner IS NULL",
        now,
    )
    .execute(conn)
    .await
}

/// How a scan ended.
#[derive(Clone, Debug)]
pub(crate) struct Scanned {
    /// The first complete scan ends the import.
    pub(crate) complete: bool,
    pub(crate) error: Option<String>,
    /// When to look again, unless somebody asked for it meanwhile.
    pub next_attempt_at: Timestamp,
    /// What the tree looked like, and what was seen in it, if that may be relied on.
    pub(crate) seen: Option<(String, String)>,
}

/// Ends a scan; false when another process claimed the source, and then nothing of it may be kept.
pub(crate) async fn finish(conn: &mut Conn, lease: &Lease, scanned: &Scanned, now: Timestamp) -> sqlx::Result<bool> {
    query(
        concat!(
        "UPDATE sources SET scanned_at = $3, error = $4, stamp = $7, seen = $8, next_attempt_at = COALESCE(requested_at, $5),
         failures = CASE WHEN $4 IS NULL THEN 0 ELSE failures + 1 END,
         complete_scans = complete_scans + $6,
         imported_at = CASE WHEN $6 = 1 THEN COALESCE(imported_at, $3) ELSE imported_at END, ",
        ended_sql!(),
        " WHERE id = $1 AND ",
        held_sql!()
    ),
        (
            lease.source,
            lease.token,
            now,
            scanned.error.clone(),
            scanned.next_attempt_at,
            scanned.complete,
            scanned.seen.as_ref().map(|(stamp, _)| stamp.clone()),
            scanned.seen.as_ref().map(|(_, seen)| seen.clone()),
        ),
    )
    .changed(conn)
    .await
}

/// What the last scan saw, as JSON, if its tree had this stamp.
pub(crate) async fn seen(conn: &mut Conn, source: SourceId, stamp: &str) -> sqlx::Result<Option<String>> {
    query("SELECT seen FROM sources WHERE id = $1 AND stamp = $2", (source, stamp))
        .maybe_scalar(conn)
        .await
        .map(Option::flatten)
}

/// Has the next scan read the tree, whatever its stamp.
pub(crate) async fn forget_seen(conn: &mut Conn, source: SourceId) -> sqlx::Result<()> {
    query("UPDATE sources SET stamp = NULL, seen = NULL WHERE id = $1", source).execute(conn).await
}

/// Makes a source due: its files changed. A scan under way may have missed the change, so another follows it.
pub(crate) async fn request_scan(conn: &mut Conn, name: &str, now: Timestamp) -> sqlx::Result<()> {
    query(
        "UPDATE sources SET requested_at = $2, next_attempt_at = CASE WHEN lease_owner IS NULL AND next_attempt_at > $2 THEN $2
         ELSE next_attempt_at END
         WHERE name = $1",
        (name, now),
    )
    .execute(conn)
    .await?;
    added(Queue::Sources);
    Ok(())
}
