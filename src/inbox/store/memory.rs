//! What an actor undid or deleted before its object came (interop D7).

use std::collections::HashSet;

use clock::Timestamp;

use super::Arrival;
use crate::db::{Columns, Conn, json, query};
use crate::model::relation::Event;
use crate::over_rows;

/// Most Undos of one activity that are looked at, the latest.
const UNDOS_MAX: i64 = 16;

/// The activities by which an actor has already undone the one with this id: by an Undo, or by a Delete of it (interop
/// D7, T9).
pub(crate) async fn undone_by(conn: &mut Conn, actor: &str, activity_id: &str) -> sqlx::Result<Vec<Event>> {
    query(
        "SELECT id, activity_id, made_at, heard FROM inbound WHERE object_id = $1 AND actor = $2 AND signer = $2
         AND kind IN ('Undo', 'Delete') ORDER BY heard DESC LIMIT $3",
        (activity_id, actor, UNDOS_MAX),
    )
    .fetch_all(conn, |row| {
        let (first, last) = (row.int("id")?, row.int("heard")?);
        Ok(Event { id: row.text("activity_id")?, made: row.maybe_time("made_at")?, first, last })
    })
    .await
}

/// Which of these activities, each by its actor and id, their actor has already undone.
pub(crate) async fn undone(conn: &mut Conn, activities: &[(&str, &str)]) -> sqlx::Result<HashSet<String>> {
    let statement = over_rows!(
        conn,
        "SELECT r.value ->> 1 FROM ",
        " WHERE (SELECT u.id FROM inbound u WHERE u.object_id = r.value ->> 1 AND u.actor = r.value ->> 0
         AND u.signer = r.value ->> 0 AND u.kind IN ('Undo', 'Delete') LIMIT 1) IS NOT NULL"
    );
    let undone: Vec<String> = query(statement, json(&activities)?).scalars(conn).await?;
    Ok(undone.into_iter().collect())
}

/// An activity that another one names by its id.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) kind: String,
    pub(crate) object: Option<String>,
    /// The emoji of a like, empty where it has none; `None` where that was not kept.
    pub(crate) sign: Option<String>,
}

/// An actor's own activity by its id.
pub(crate) async fn named(conn: &mut Conn, actor: &str, activity_id: &str) -> sqlx::Result<Option<Named>> {
    query(
        "SELECT kind, object_id, sign FROM inbound WHERE activity_id = $1 AND signer = $2 AND actor = $2",
        (activity_id, actor),
    )
    .fetch_optional(conn, |row| {
        Ok(Named { kind: row.text("kind")?, object: row.maybe_text("object_id")?, sign: row.maybe_text("sign")? })
    })
    .await
}

/// A Create or an Update that has its verdict, and comes again under its own id after a Delete of its object, is
/// interpreted again: its author may have restored the object (interop U11).
pub(super) async fn read_restored(conn: &mut Conn, arrival: &Arrival, now: Timestamp) -> sqlx::Result<()> {
    let Some(object) = arrival.object_id.as_ref().filter(|_| matches!(arrival.kind.as_str(), "Create" | "Update"))
    else {
        return Ok(());
    };
    query(
        "UPDATE inbound SET verdict = NULL, reason = NULL, steps = NULL, settled_at = NULL, waits_for = NULL, begun = 0, raw = $4,
         received_at = $5, next_attempt_at = $5 WHERE activity_id = $1 AND signer = $2 AND actor = $2 AND verdict IS NOT NULL
         AND EXISTS (SELECT 1 FROM inbound d WHERE d.object_id = $3 AND d.actor = $2 AND d.signer = $2 AND d.kind = 'Delete')",
        (&arrival.activity_id, &arrival.signer, object, &arrival.raw, now),
    )
    .execute(conn)
    .await
}

/// Whether an actor has already deleted the object with this id (interop D7, T8).
pub(crate) async fn is_deleted(conn: &mut Conn, actor: &str, object_id: &str) -> sqlx::Result<bool> {
    query(
        "SELECT d.id FROM inbound d WHERE d.object_id = $1 AND d.actor = $2 AND d.signer = $2 AND d.kind = 'Delete'
         AND NOT EXISTS (SELECT 1 FROM inbound u WHERE u.object_id = d.activity_id AND u.actor = $2 AND u.signer = $2 AND u.kind = 'Undo')
         LIMIT 1",
        (object_id, actor),
    )
    .exists(conn)
    .await
}
