//! The only SQL for relations.

use sqlx::any::AnyRow;
use uuid::Uuid;

use super::{Cell, Event, Kind, Relations};
use crate::base::ids::{Ids, RemoteActorId};
use crate::db::{Columns, Conn, query};

/// All relations of one remote actor to one thing of ours, named by its UUID; locked until the transaction ends.
pub(crate) async fn of(conn: &mut Conn, who: RemoteActorId, object: Uuid) -> sqlx::Result<Relations> {
    // An update that changes nothing still locks the row where there are several writers.
    query("UPDATE remote_actors SET fetched_at = fetched_at WHERE id = $1", who).execute(conn).await?;
    let read = |row: &AnyRow| {
        let cell = Cell {
            stands: row.flag("stands")?,
            begun_by: row.maybe_text("begun_by")?,
            begun_first: row.int("begun_first")?,
            made: row.maybe_time("made_at")?,
            heard: row.int("heard")?,
        };
        Ok(((row.word("kind")?, row.text("sign")?), cell))
    };
    let cells = query(
        "SELECT kind, sign, stands, begun_by, begun_first, made_at, heard FROM relations
         WHERE remote_actor_id = $1 AND object = $2",
        (who, object),
    )
    .fetch_all(conn, read)
    .await?;
    Ok(Relations { cells: cells.into_iter().collect() })
}

/// Writes the relations that [`of`] has read.
pub(crate) async fn keep(
    conn: &mut Conn,
    who: RemoteActorId,
    object: Uuid,
    before: &Relations,
    after: &Relations,
) -> sqlx::Result<()> {
    for (kind, sign) in before.cells.keys().filter(|slot| !after.cells.contains_key(slot)) {
        query(
            "DELETE FROM relations WHERE remote_actor_id = $1 AND object = $2 AND kind = $3 AND sign = $4",
            (who, object, *kind, sign),
        )
        .execute(conn)
        .await?;
    }
    for ((kind, sign), cell) in after.cells.iter().filter(|(slot, cell)| before.cells.get(slot) != Some(cell)) {
        query(
            "INSERT INTO relations (remote_actor_id, object, kind, sign, stands, begun_by, begun_first, made_at, heard)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (remote_actor_id, object, kind, sign) DO UPDATE SET
             stands = excluded.stands, begun_by = excluded.begun_by, begun_first = excluded.begun_first,
             made_at = excluded.made_at, heard = excluded.heard",
            (who, object, *kind, sign, cell.stands, &cell.begun_by, cell.begun_first, cell.made, cell.heard),
        )
        .execute(conn)
        .await?;
    }
    Ok(())
}

/// We end a relation: a later activity of theirs counts again.
pub(crate) async fn end(conn: &mut Conn, ids: &Ids, who: RemoteActorId, object: Uuid, kind: Kind) -> sqlx::Result<()> {
    let before = of(conn, who, object).await?;
    let (mut after, now) = (before.clone(), ids.row());
    after.end(kind, None, &Event { id: String::new(), made: None, first: now, last: now });
    keep(conn, who, object, &before, &after).await
}

/// Ends every relation of a kind that a remote actor has, as [`end`] does one.
pub(crate) async fn end_all(conn: &mut Conn, ids: &Ids, who: RemoteActorId, kind: Kind) -> sqlx::Result<()> {
    query(
        "UPDATE relations SET stands = 0, made_at = NULL, heard = $3 WHERE remote_actor_id = $1 AND kind = $2 AND stands = 1",
        (who, kind, ids.row()),
    )
    .execute(conn)
    .await
}

/// Forgets the relations of an actor that is gone.
pub(crate) async fn forget(conn: &mut Conn, who: RemoteActorId) -> sqlx::Result<()> {
    query("DELETE FROM relations WHERE remote_actor_id = $1", who).execute(conn).await
}
