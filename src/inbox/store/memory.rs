//! What somebody said before, as far as it bears on what comes now: undone, deleted, followed (interop D7).

use sqlx::{query, query_scalar};

use super::Arrival;
use crate::clock::Timestamp;
use crate::db::Conn;
use crate::ids::InboundId;

/// The Undos by which an actor has already taken back the activity with this id (interop D7, T9).
///
/// # Errors
/// The database's.
pub async fn undone_by(conn: &mut Conn, actor: &str, activity_id: &str) -> sqlx::Result<Vec<InboundId>> {
    query_scalar("SELECT id FROM inbound WHERE object_id = $1 AND actor = $2 AND signer = $2 AND kind = 'Undo'")
        .bind(activity_id)
        .bind(actor)
        .fetch_all(conn)
        .await
        .map(|ids: Vec<i64>| ids.into_iter().map(InboundId).collect())
}

/// Whether an activity of an actor's is known by its id.
///
/// # Errors
/// The database's.
pub async fn knows(conn: &mut Conn, actor: &str, activity_id: &str) -> sqlx::Result<bool> {
    let id: Option<i64> = query_scalar("SELECT id FROM inbound WHERE activity_id = $1 AND signer = $2 AND actor = $2")
        .bind(activity_id)
        .bind(actor)
        .fetch_optional(conn)
        .await?;
    Ok(id.is_some())
}

/// Ends the Follows that somebody was let in by, whatever their ids: by an Undo that names none of them, or by our own word.
///
/// # Errors
/// The database's.
pub async fn end_follows(conn: &mut Conn, actor: &str, object_id: &str, by: Option<InboundId>) -> sqlx::Result<()> {
    query(
        "UPDATE inbound SET ended_by = $3 WHERE object_id = $2 AND actor = $1 AND signer = $1 AND kind = 'Follow'
         AND verdict IN ('accepted', 'ignored') AND ended_by IS NULL",
    )
    .bind(actor)
    .bind(object_id)
    .bind(by.map_or(0, |undo| undo.0))
    .execute(conn)
    .await?;
    Ok(())
}

/// What an Undo named has come late, so that it did not mean the Follows that it ended by their shape (interop D7).
///
/// # Errors
/// The database's.
pub async fn restore_follows(conn: &mut Conn, undo: InboundId) -> sqlx::Result<()> {
    query("UPDATE inbound SET ended_by = NULL WHERE ended_by = $1 AND ended_by > 0").bind(undo.0).execute(conn).await?;
    Ok(())
}

/// The last Follow of an actor's that was let in and stands; one that came again after its end is only ignored then.
///
/// # Errors
/// The database's.
pub async fn standing_follow(conn: &mut Conn, actor: &str, object_id: &str) -> sqlx::Result<Option<String>> {
    query_scalar(
        "SELECT f.activity_id FROM inbound f WHERE f.object_id = $2 AND f.actor = $1 AND f.signer = $1 AND f.kind = 'Follow'
         AND f.verdict IN ('accepted', 'ignored') AND f.ended_by IS NULL AND NOT EXISTS (SELECT 1 FROM inbound u WHERE u.object_id = f.activity_id AND u.actor = $1
             AND u.signer = $1 AND u.kind = 'Undo') ORDER BY f.id DESC LIMIT 1",
    )
    .bind(actor)
    .bind(object_id)
    .fetch_optional(conn)
    .await
}

/// What an actor deleted with the Delete that has this id.
///
/// # Errors
/// The database's.
pub async fn deleted_with(conn: &mut Conn, actor: &str, activity_id: &str) -> sqlx::Result<Option<String>> {
    query_scalar(
        "SELECT object_id FROM inbound WHERE activity_id = $1 AND actor = $2 AND signer = $2 AND kind = 'Delete' AND object_id IS NOT NULL",
    )
    .bind(activity_id)
    .bind(actor)
    .fetch_optional(conn)
    .await
}

/// A Create or an Update that had its verdict, and comes again under its own id after a Delete of what it brings, is read
/// again: its author may have restored that (interop U11).
///
/// # Errors
/// The database's.
pub(super) async fn read_restored(conn: &mut Conn, arrival: &Arrival, now: Timestamp) -> sqlx::Result<()> {
    let Some(object) = arrival.object_id.as_ref().filter(|_| matches!(arrival.kind.as_str(), "Create" | "Update"))
    else {
        return Ok(());
    };
    query(
        "UPDATE inbound SET verdict = NULL, reason = NULL, steps = NULL, settled_at = NULL, waits_for = NULL, attempts = 0, raw = $4,
         received_at = $5, next_attempt_at = $5 WHERE activity_id = $1 AND signer = $2 AND actor = $2 AND verdict IS NOT NULL
         AND EXISTS (SELECT 1 FROM inbound d WHERE d.object_id = $3 AND d.actor = $2 AND d.signer = $2 AND d.kind = 'Delete')",
    )
    .bind(&arrival.activity_id)
    .bind(&arrival.signer)
    .bind(object)
    .bind(&arrival.raw)
    .bind(now.millis())
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether an actor has already deleted what has this id (interop D7, T8).
///
/// # Errors
/// The database's.
pub async fn is_deleted(conn: &mut Conn, actor: &str, object_id: &str) -> sqlx::Result<bool> {
    let id: Option<i64> = query_scalar(
        "SELECT d.id FROM inbound d WHERE d.object_id = $1 AND d.actor = $2 AND d.signer = $2 AND d.kind = 'Delete'
         AND NOT EXISTS (SELECT 1 FROM inbound u WHERE u.object_id = d.activity_id AND u.actor = $2 AND u.signer = $2 AND u.kind = 'Undo')
         LIMIT 1",
    )
    .bind(object_id)
    .bind(actor)
    .fetch_optional(conn)
    .await?;
    Ok(id.is_some())
}
