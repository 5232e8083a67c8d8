//! Hosts: claimed under a lease, put off while they fail, released.

use std::time::Duration;

use clock::Timestamp;

use crate::app::worker::store::leases::{
    self, claim_sql, claiming, free_resting_sql, held_sql, put_off_sql, renew_sql, rested_sql, taken_sql,
};
use crate::base::ids::{HostId, InboxId};
use crate::db::{Columns, Conn, Db, Topic, changed, query};
use crate::federation::delivery::Lease;

/// How long a lease lasts: longer than the slowest attempt, renewed by every settle.
pub(super) const LEASE: Duration = Duration::from_secs(90);

/// Makes hosts due at a time, unless they are backing off, and counts the addition, so that whoever serves one of them and is
/// just letting go of it notices.
macro_rules! woken {
    ($now:literal) => {
        concat!(
            "UPDATE hosts SET generation = generation + 1, next_attempt_at = CASE WHEN lease_owner IS NOT NULL THEN next_attempt_at
             WHEN backoff_until IS NOT NULL AND backoff_until > ", $now, " THEN backoff_until
             WHEN next_attempt_at IS NULL OR next_attempt_at > ", $now, " THEN ", $now, " ELSE next_attempt_at END WHERE id "
        )
    };
}
pub(super) use woken;

/// Whether any host is due: a cheap look before a claim.
pub(crate) async fn any_due(conn: &mut Conn, now: Timestamp) -> sqlx::Result<bool> {
    query("SELECT id FROM hosts WHERE next_attempt_at <= $1 LIMIT 1", now).exists(conn).await
}

/// Claims up to `limit` due hosts, the longest due first.
pub(crate) async fn claim(
    conn: &mut Conn,
    db: &Db,
    node: &str,
    limit: i64,
    now: Timestamp,
) -> sqlx::Result<Vec<Lease>> {
    let statement = claim_sql!(
        db,
        "hosts",
        "",
        "id",
        "SELECT id FROM hosts WHERE next_attempt_at <= $1 ORDER BY next_attempt_at, id",
        "id, name, failures, failing_since, generation"
    );
    leases::claim(statement, node, LEASE, limit, now)
        .fetch_all(conn, |row| {
            Ok(Lease {
                host: HostId(row.int("id")?),
                name: row.text("name")?,
                token: row.int("lease_token")?,
                failures: row.int("failures")?,
                failing_since: row.maybe_time("failing_since")?,
                begun: row.int("begun")?,
                generation: row.int("generation")?,
            })
        })
        .await
}

/// For [`leases::free`].
pub(crate) const FREE_HOSTS: &str = free_resting_sql!(
    "hosts",
    concat!(", backoff_until = ", rested_sql!("backoff_until")),
    "next_attempt_at IS NOT NULL"
);

/// Releases a host after an error of ours, which is not counted against the host.
pub(crate) async fn put_off(conn: &mut Conn, lease: &Lease, until: Timestamp, why: &str) -> sqlx::Result<()> {
    query(
        put_off_sql!("hosts", ", backoff_until = $3, error = $4", "id"),
        (lease.host, lease.token, until, why.chars().take(1000).collect::<String>()),
    )
    .execute(conn)
    .await
}

/// Proves that the lease still holds and renews it: the first statement of every settle. What was settled did not end the
/// process; a host that answered, whatever it said, lives.
pub(crate) async fn fence(conn: &mut Conn, lease: &Lease, answered: bool, now: Timestamp) -> sqlx::Result<bool> {
    let statement = if answered {
        renew_sql!(
            "hosts",
            ", begun = 0, failures = 0, failing_since = NULL, gone_at = NULL, backoff_until = NULL, error = NULL"
        )
    } else {
        renew_sql!("hosts", ", begun = 0")
    };
    leases::renew(conn, statement, lease.host.0, lease.token, now + LEASE).await
}

/// How many hosts are known, fail just now, and are gone, `most` of each at most.
pub async fn count_hosts(conn: &mut Conn, most: i64) -> sqlx::Result<[i64; 3]> {
    let known = query("SELECT COUNT(*) FROM (SELECT id FROM hosts LIMIT $1) known", most).scalar(conn).await?;
    query(
        "SELECT COUNT(failing_since) AS failing, COUNT(gone_at) AS gone FROM (SELECT failing_since, gone_at FROM hosts
         WHERE failing_since IS NOT NULL OR gone_at IS NOT NULL LIMIT $1) failing",
        most,
    )
    .fetch_one(conn, |row| Ok([known, row.int("failing")?, row.int("gone")?]))
    .await
}

/// The server of an inbox.
pub(crate) async fn host_of(conn: &mut Conn, inbox: InboxId) -> sqlx::Result<(HostId, String)> {
    query("SELECT h.id, h.name FROM inboxes i JOIN hosts h ON h.id = i.host_id WHERE i.id = $1", inbox)
        .fetch_one(conn, |row| Ok((HostId(row.int("id")?), row.text("name")?)))
        .await
}

/// How many hosts at a domain or below it have rows no older than `since`.
pub(crate) async fn count_new_below(conn: &mut Conn, domain: &str, since: i64) -> sqlx::Result<i64> {
    let below = format!("%.{}", domain.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
    query(
        "SELECT COUNT(*) FROM hosts WHERE id >= $1 AND (name = $2 OR name LIKE $3 ESCAPE '\\')",
        (since, domain, below),
    )
    .scalar(conn)
    .await
}

/// Hosts in the order of the rows, from after one of them on, and whether each is blocked.
pub(crate) async fn hosts_after(conn: &mut Conn, after: i64, limit: i64) -> sqlx::Result<Vec<(HostId, String, bool)>> {
    query(
        "SELECT id, name, CASE WHEN blocked_at IS NULL THEN 0 ELSE 1 END AS blocked FROM hosts WHERE id > $1 ORDER BY id LIMIT $2",
        (after, limit),
    )
    .fetch_all(conn, |row| Ok((HostId(row.int("id")?), row.text("name")?, row.flag("blocked")?)))
    .await
}

/// Blocks a host, or no longer: what waits for it is withdrawn, but for Deletes and Rejects.
pub(crate) async fn set_blocked(conn: &mut Conn, host: HostId, blocked: bool, now: Timestamp) -> sqlx::Result<()> {
    changed(Topic::Deliveries);
    query("UPDATE hosts SET blocked_at = $2 WHERE id = $1", (host, blocked.then_some(now.millis())))
        .execute(conn)
        .await?;
    if blocked {
        query(
            "UPDATE deliveries SET outcome = 'withdrawn', error = 'the server is blocked', settled_at = $2
             WHERE host_id = $1 AND settled_at IS NULL
             AND NOT EXISTS (SELECT 1 FROM activities a WHERE a.id = deliveries.activity_id AND a.kind IN ('Delete', 'Reject'))",
            (host, now),
        )
        .execute(conn)
        .await?;
    }
    Ok(())
}
