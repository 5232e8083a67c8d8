//! Activities that wait for a document are interpreted again when it comes, and declined when it cannot be fetched.

use clock::Timestamp;

use crate::db::{Columns, Conn, Queue, added, each_at_a_time, json, one_at_a_time, query};
use crate::inbox::{FETCHED, Purpose};
use crate::over_rows;

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
    one_at_a_time(conn, &turn_of(&waiting_key(url, purpose))).await
}

fn turn_of(key: &str) -> String {
    format!("waiting {key}")
}

/// Makes everything due again that waits for a document, or was declined because it could not be fetched.
pub(crate) async fn wake_waiting(conn: &mut Conn, url: &str, purpose: Purpose, now: Timestamp) -> sqlx::Result<()> {
    wake_all(conn, &[waiting_key(url, purpose)], now).await
}

/// As [`wake_waiting`], of several by their keys, which are the addresses of posts.
pub(super) async fn wake_all(conn: &mut Conn, keys: &[String], now: Timestamp) -> sqlx::Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = keys.iter().map(|key| turn_of(key)).collect();
    each_at_a_time(conn, &names).await?;
    let rows: Vec<[&String; 1]> = keys.iter().map(|key| [key]).collect();
    let statement = over_rows!(
        conn,
        "UPDATE inbound SET verdict = NULL, reason = NULL, steps = NULL, settled_at = NULL, waits_for = NULL, begun = 0, next_attempt_at = $2
         WHERE raw <> '' AND waits_for IN (SELECT r.value ->> 0 FROM ",
        ")"
    );
    if query(statement, (json(&rows)?, now)).changed(conn).await? {
        added(Queue::Inbound);
    }
    Ok(())
}

/// What waits for a post by its page waits for it by its id from now on.
pub(crate) async fn wait_instead(conn: &mut Conn, page: &str, id: &str) -> sqlx::Result<()> {
    query("UPDATE inbound SET waits_for = $2 WHERE waits_for = $1", (page, id)).execute(conn).await
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
            (key, reason.chars().take(REASON_MAX).collect::<String>(), now),
        )
        .fetch_all(conn, |row| Ok((row.text("activity_id")?, row.text("path")?)))
        .await?;
        keys.extend(rows.into_iter().filter(|(_, path)| path == FETCHED).map(|(id, _)| id));
    }
    Ok(())
}

/// Longest reason, in characters.
const REASON_MAX: usize = 1000;

/// The version of what this program understands: raise it when it understands a new kind of activity.
const READER: i64 = 2;

/// Has everything interpreted again, once, that an older program deferred; returns how many.
pub(crate) async fn reread_deferred(conn: &mut Conn, now: Timestamp) -> sqlx::Result<u64> {
    let newer =
        query("UPDATE counters SET value = $1 WHERE name = 'reader' AND value < $1", READER).changed(conn).await?;
    if !newer {
        return Ok(0);
    }
    let done = query(
        "UPDATE inbound SET verdict = NULL, reason = NULL, steps = NULL, settled_at = NULL, begun = 0, next_attempt_at = $1
         WHERE verdict = 'deferred' AND raw <> ''",
        now,
    )
    .affected(conn)
    .await?;
    added(Queue::Inbound);
    Ok(done)
}
