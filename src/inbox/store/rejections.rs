//! Rejected requests leave no row of their own, only a bounded count.

use clock::Timestamp;

use crate::db::{Columns, Conn, query};

/// Most hosts a day whose rejections are counted by host; strangers can invent more, which are counted together.
const HOSTS_A_DAY: i64 = 1000;

/// Adds to the count of a rejection.
pub(crate) async fn count_refusal(
    conn: &mut Conn,
    day: &str,
    host: &str,
    reason: &str,
    times: i64,
) -> sqlx::Result<()> {
    query(
        "INSERT INTO rejections (day, host, reason, times)
         SELECT $1, CASE WHEN (SELECT COUNT(*) FROM rejections WHERE day = $1) < $4 THEN $2 ELSE '(others)' END, $3, $5
         WHERE 1 = 1
         ON CONFLICT (day, host, reason) DO UPDATE SET times = rejections.times + excluded.times",
        (day, host, reason, HOSTS_A_DAY, times),
    )
    .execute(conn)
    .await
}

/// The rejections since a day, most often first: day, host, reason, times.
pub async fn rejections(conn: &mut Conn, since: &str, limit: i64) -> sqlx::Result<Vec<(String, String, String, i64)>> {
    query(
        "SELECT day, host, reason, times FROM rejections WHERE day >= $1 ORDER BY times DESC, host, reason LIMIT $2",
        (since, limit),
    )
    .fetch_all(conn, |row| Ok((row.text("day")?, row.text("host")?, row.text("reason")?, row.int("times")?)))
    .await
}

/// Most values of Host that are remembered: the latest.
const FOREIGN_HOSTS: i64 = 20;

/// Counts requests with a Host header for which they were not signed.
pub(crate) async fn count_foreign_host(conn: &mut Conn, host: &str, times: i64, now: Timestamp) -> sqlx::Result<()> {
    query(
        "INSERT INTO foreign_hosts (host, times, last_at) VALUES ($1, $2, $3)
         ON CONFLICT (host) DO UPDATE SET times = foreign_hosts.times + excluded.times, last_at = excluded.last_at",
        (host, times, now),
    )
    .execute(conn)
    .await
}

/// Forgets all but the latest of them.
pub(crate) async fn forget_foreign_hosts(conn: &mut Conn) -> sqlx::Result<()> {
    query(
        "DELETE FROM foreign_hosts WHERE host NOT IN
         (SELECT f.host FROM foreign_hosts f ORDER BY f.last_at DESC, f.times DESC, f.host LIMIT $1)",
        FOREIGN_HOSTS,
    )
    .execute(conn)
    .await
}

/// Those since a given time, most often first: the Host, how often, and when last.
pub async fn foreign_hosts(conn: &mut Conn, since: Timestamp) -> sqlx::Result<Vec<(String, i64, Timestamp)>> {
    query(
        "SELECT host, times, last_at FROM foreign_hosts WHERE last_at >= $1 ORDER BY times DESC, host LIMIT $2",
        (since, FOREIGN_HOSTS),
    )
    .fetch_all(conn, |row| Ok((row.text("host")?, row.int("times")?, row.time("last_at")?)))
    .await
}
