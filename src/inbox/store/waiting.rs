//! Activities that wait for a document are interpreted again when it comes, and declined when it cannot be fetched.

use clock::Timestamp;
use sqlx::query;

use crate::db::{Columns, Conn, Queue, added, one_at_a_time};
use crate::inbox::{FETCHED, Purpose};

/// The key under which an activity waits: the address alone for a post, so that the post itself wakes it however it
/// comes.
pub(super) fn waiting_key(url: &str, purpose: Purpose) -> String {
    match purpose {
        Purpose::Post => url.to_owned(),
        other => format!("{}:{url}", other.as_str()),
    }
}

/// Locks out, for a document, whoever else begins to wait for it or ends the waiting: two transactions at the same time
/// would not see each other. Whoever is about to wait looks again after this, if it returns that others may be under
/// way.
pub(crate) async fn turn(conn: &mut Conn, url: &str, purpose: Purpose) -> sqlx::Result<bool> {
    one_at_a_time(conn, &format!("waiting {}", waiting_key(url, purpose))).await
}

/// Makes everything due again that waits for a document, or was declined because it could not be fetched.
pub(crate) async fn wake_waiting(conn: &mut Conn, url: &str, purpose: Purpose, now: Timestamp) -> sqlx::Result<()> {
    turn(conn, url, purpose).await?;
    let woken = query(
        "UPDATE inbound SET verdict = NULL, reason = NULL, steps = NULL, settled_at = NULL, waits_for = NULL, begun = 0, next_attempt_at = $2
         WHERE waits_for = $1 AND raw <> ''",
    )
    .bind(waiting_key(url, purpose))
    .bind(now.millis())
    .execute(conn)
    .await?;
    if woken.rows_affected() > 0 {
        added(Queue::Inbound);
    }
    Ok(())
}

/// What waits for a post by its page waits for it by its id from now on.
pub(crate) async fn wait_instead(conn: &mut Conn, page: &str, id: &str) -> sqlx::Result<()> {
    query("UPDATE inbound SET waits_for = $2 WHERE waits_for = $1").bind(page).bind(id).execute(conn).await?;
    Ok(())
}

/// Declines what waits for a document, since that cannot be fetched or means nothing here; and so what waits for those.
/// It is interpreted again all the same if the document comes.
pub async fn fail_waiting(conn: &mut Conn, url: &str, purpose: Purpose, why: &str, now: Timestamp) -> sqlx::Result<()> {
    let reason = format!("it hangs on {url}: {why}");
    turn(conn, url, purpose).await?;
    let mut keys = vec![waiting_key(url, purpose)];
    // Each row is declined once, so this ends.
    while let Some(key) = keys.pop() {
        let rows = query(
            "UPDATE inbound SET verdict = 'declined', reason = $2, settled_at = $3 WHERE waits_for = $1 AND verdict = 'deferred'
             RETURNING activity_id, path",
        )
        .bind(key)
        .bind(reason.chars().take(REASON_MAX).collect::<String>())
        .bind(now.millis())
        .fetch_all(&mut *conn)
        .await?;
        for row in rows {
            if row.text("path")? == FETCHED {
                keys.push(row.text("activity_id")?);
            }
        }
    }
    Ok(())
}

/// Longest reason, in characters.
const REASON_MAX: usize = 1000;

/// The version of what this program understands: raise it when it understands a new kind of activity.
const READER: i64 = 2;

/// Has everything interpreted again, once, that an older program deferred; returns how many.
pub(crate) async fn reread_deferred(conn: &mut Conn, now: Timestamp) -> sqlx::Result<u64> {
    let newer = query("UPDATE counters SET value = $1 WHERE name = 'reader' AND value < $1")
        .bind(READER)
        .execute(&mut *conn)
        .await?;
    if newer.rows_affected() == 0 {
        return Ok(0);
    }
    let done = query(
        "UPDATE inbound SET verdict = NULL, reason = NULL, steps = NULL, settled_at = NULL, begun = 0, next_attempt_at = $1
         WHERE verdict = 'deferred' AND raw <> ''",
    )
    .bind(now.millis())
    .execute(conn)
    .await?;
    added(Queue::Inbound);
    Ok(done.rows_affected())
}
