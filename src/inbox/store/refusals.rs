//! Requests that were turned away leave no row of their own, only a bounded count.

use sqlx::query;

use crate::db::{Columns, Conn};

/// Most hosts a day whose refusals are counted one by one; strangers can invent more, which are counted together.
const HOSTS_A_DAY: i64 = 1000;

/// Counts so many refusals.
///
/// # Errors
/// The database's.
pub async fn count_refusal(conn: &mut Conn, day: &str, host: &str, reason: &str, times: i64) -> sqlx::Result<()> {
    query(
        "INSERT INTO refusals (day, host, reason, times)
         SELECT $1, CASE WHEN (SELECT COUNT(*) FROM refusals WHERE day = $1) < $4 THEN $2 ELSE '(others)' END, $3, $5
         WHERE 1 = 1
         ON CONFLICT (day, host, reason) DO UPDATE SET times = refusals.times + excluded.times",
    )
    .bind(day)
    .bind(host)
    .bind(reason)
    .bind(HOSTS_A_DAY)
    .bind(times)
    .execute(conn)
    .await?;
    Ok(())
}

/// What was turned away since a day, most often first: day, host, reason, times.
///
/// # Errors
/// The database's.
pub async fn refusals(conn: &mut Conn, since: &str, limit: i64) -> sqlx::Result<Vec<(String, String, String, i64)>> {
    let rows = query(
        "SELECT day, host, reason, times FROM refusals WHERE day >= $1 ORDER BY times DESC, host, reason LIMIT $2",
    )
    .bind(since)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok((row.text("day")?, row.text("host")?, row.text("reason")?, row.int("times")?))).collect()
}
