//! The only SQL for what loops began without a lease, and for how often they failed.

use std::time::Duration;

use clock::Timestamp;
use serde::Serialize;
use sqlx::{query, query_scalar};

use crate::db::{Columns, Conn};

/// How often a piece of work may be begun in vain before it is given up, where giving it up harms nobody else.
pub const BEGUN_MAX: i64 = 5;

/// Longest reason kept, in characters.
const WHY_MAX: usize = 1000;

/// How long a piece rests that was begun so often in vain: not at all at first, since a process may end for many reasons;
/// then a minute, and longer each time, up to about an hour.
#[must_use]
pub fn rest(begun: i64) -> Duration {
    let steps = u64::try_from(begun - 2).unwrap_or(0).min(8);
    Duration::from_mins(steps * steps)
}

/// Notes that a piece of work begins, and how long it rests should it not end; says how often it was begun by now.
pub async fn begin(conn: &mut Conn, worker: &str, item: &str, now: Timestamp) -> sqlx::Result<i64> {
    let times: i64 = query_scalar(
        "INSERT INTO begun (worker, item, times, not_before) VALUES ($1, $2, 1, 0)
         ON CONFLICT (worker, item) DO UPDATE SET times = begun.times + 1 RETURNING times",
    )
    .bind(worker)
    .bind(item)
    .fetch_one(&mut *conn)
    .await?;
    query("UPDATE begun SET not_before = $3 WHERE worker = $1 AND item = $2")
        .bind(worker)
        .bind(item)
        .bind((now + rest(times)).millis())
        .execute(conn)
        .await?;
    Ok(times)
}

/// Notes that a piece of work ended in order.
pub async fn end(conn: &mut Conn, worker: &str, item: &str) -> sqlx::Result<()> {
    query("DELETE FROM begun WHERE worker = $1 AND item = $2").bind(worker).bind(item).execute(conn).await?;
    Ok(())
}

/// Notes why a piece of work failed. It rests at least a minute, and longer the more often it was begun in vain.
pub async fn fail(conn: &mut Conn, worker: &str, item: &str, why: &str, now: Timestamp) -> sqlx::Result<()> {
    let times: Option<i64> = query_scalar("SELECT times FROM begun WHERE worker = $1 AND item = $2")
        .bind(worker)
        .bind(item)
        .fetch_optional(&mut *conn)
        .await?;
    query(
        "INSERT INTO begun (worker, item, times, not_before, why) VALUES ($1, $2, 1, $3, $4)
         ON CONFLICT (worker, item) DO UPDATE SET not_before = excluded.not_before, why = excluded.why",
    )
    .bind(worker)
    .bind(item)
    .bind((now + rest(times.unwrap_or(1).max(1) + 2)).millis())
    .bind(why.chars().take(WHY_MAX).collect::<String>())
    .execute(conn)
    .await?;
    Ok(())
}

/// What rests at `now`.
pub async fn resting(conn: &mut Conn, worker: &str, now: Timestamp) -> sqlx::Result<Vec<String>> {
    query_scalar("SELECT item FROM begun WHERE worker = $1 AND not_before > $2 ORDER BY item")
        .bind(worker)
        .bind(now.millis())
        .fetch_all(conn)
        .await
}

/// Notes that a loop failed at its work.
pub async fn note_failure(
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
    )
    .bind(node)
    .bind(worker)
    .bind(i64::from(panicked))
    .bind(now.millis())
    .bind(why.chars().take(WHY_MAX).collect::<String>())
    .execute(conn)
    .await?;
    Ok(())
}

/// How often a loop of a node failed, for people.
#[derive(Clone, Debug, Serialize)]
pub struct Failures {
    /// Which node.
    pub node: String,
    /// Which loop.
    pub worker: String,
    /// How often.
    pub times: i64,
    /// How many of them were panics: faults of ours.
    pub panics: i64,
    /// When last.
    #[serde(serialize_with = "clock::as_rfc3339")]
    pub last: Timestamp,
    /// What it said then.
    pub why: String,
}

/// The loops that failed since a moment.
pub async fn failures(conn: &mut Conn, since: Timestamp) -> sqlx::Result<Vec<Failures>> {
    let rows = query(
        "SELECT node, worker, times, panics, last_at, why FROM worker_failures WHERE last_at >= $1 ORDER BY node, worker",
    )
    .bind(since.millis())
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Failures {
                node: row.text("node")?,
                worker: row.text("worker")?,
                times: row.int("times")?,
                panics: row.int("panics")?,
                last: row.time("last_at")?,
                why: row.text("why")?,
            })
        })
        .collect()
}
