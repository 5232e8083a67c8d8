//! The only SQL for what loops began without a lease, for leases, and for how often loops failed.

pub(crate) mod leases;

use clock::Timestamp;
use serde::Serialize;

use super::retry;
use crate::db::{Columns, Conn, query};

/// Longest reason kept, in characters.
const WHY_MAX: usize = 1000;

/// Notes that a piece of work begins, and how long it rests should it not end; says how often it was begun by now.
pub(crate) async fn begin(conn: &mut Conn, worker: &str, item: &str, now: Timestamp) -> sqlx::Result<i64> {
    let times: i64 = query(
        "INSERT INTO unfinished_work (worker, item, times, not_before) VALUES ($1, $2, 1, 0)
         ON CONFLICT (worker, item) DO UPDATE SET times = unfinished_work.times + 1 RETURNING times",
        (worker, item),
    )
    .scalar(conn)
    .await?;
    query(
        "UPDATE unfinished_work SET not_before = $3 WHERE worker = $1 AND item = $2",
        (worker, item, now + retry::rest(times)),
    )
    .execute(conn)
    .await?;
    Ok(times)
}

/// Notes that a piece of work ended in order.
pub(crate) async fn end(conn: &mut Conn, worker: &str, item: &str) -> sqlx::Result<()> {
    query("DELETE FROM unfinished_work WHERE worker = $1 AND item = $2", (worker, item)).execute(conn).await
}

/// Notes why a piece of work failed. It rests at least a minute, and longer the more often it was begun without end.
pub(crate) async fn fail(conn: &mut Conn, worker: &str, item: &str, why: &str, now: Timestamp) -> sqlx::Result<()> {
    let times: Option<i64> = query("SELECT times FROM unfinished_work WHERE worker = $1 AND item = $2", (worker, item))
        .maybe_scalar(conn)
        .await?;
    query(
        "INSERT INTO unfinished_work (worker, item, times, not_before, why) VALUES ($1, $2, 1, $3, $4)
         ON CONFLICT (worker, item) DO UPDATE SET not_before = excluded.not_before, why = excluded.why",
        (worker, item, now + retry::rest(times.unwrap_or(1).max(1) + 2), why.chars().take(WHY_MAX).collect::<String>()),
    )
    .execute(conn)
    .await
}

/// The pieces that rest at `now`.
pub(crate) async fn resting(conn: &mut Conn, worker: &str, now: Timestamp) -> sqlx::Result<Vec<String>> {
    query("SELECT item FROM unfinished_work WHERE worker = $1 AND not_before > $2 ORDER BY item", (worker, now))
        .scalars(conn)
        .await
}

/// Counts a failure of a loop.
pub(crate) async fn note_failure(
    conn: &mut Conn,
    node: &str,
    worker: &str,
    why: &str,
    panicked: bool,
    now: Timestamp,
) -> sqlx::Result<()> {
    query(
        "INSERT INTO worker_failures (node, worker, times, panics, last_at, why) VALUES ($1, $2, 1, $3, $4, $5)
         ON CONFLICT (node, worker) DO UPDATE SET times = worker_failures.times + 1,
         panics = worker_failures.panics + excluded.panics, last_at = excluded.last_at, why = excluded.why",
        (node, worker, panicked, now, why.chars().take(WHY_MAX).collect::<String>()),
    )
    .execute(conn)
    .await
}

/// How often a loop of a node failed, for people.
#[derive(Clone, Debug, Serialize)]
pub struct Failures {
    pub(crate) node: String,
    /// Which loop.
    pub worker: String,
    /// How often.
    pub times: i64,
    /// How many of them were panics: bugs of ours.
    pub panics: i64,
    #[serde(serialize_with = "clock::as_rfc3339")]
    pub(crate) last: Timestamp,
    /// The last error.
    pub why: String,
}

/// The loops that failed since a moment.
pub async fn failures(conn: &mut Conn, since: Timestamp) -> sqlx::Result<Vec<Failures>> {
    query(
        "SELECT node, worker, times, panics, last_at, why FROM worker_failures WHERE last_at >= $1 ORDER BY node, worker",
        since,
    )
    .fetch_all(conn, |row| {
            Ok(Failures {
                node: row.text("node")?,
                worker: row.text("worker")?,
                times: row.int("times")?,
                panics: row.int("panics")?,
                last: row.time("last_at")?,
                why: row.text("why")?,
            })
        })
    .await
}
