//! The only SQL for relations.

use std::collections::HashMap;

use clock::Timestamp;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::{Cell, Event, Kind, Relations};
use crate::base::ids::{Ids, RemoteActorId};
use crate::db::{Columns, Conn, Engine, json, query};
use crate::over_rows;

/// A remote actor, and a thing of ours by its UUID.
pub(crate) type Pair = (RemoteActorId, Uuid);

/// All relations of remote actors to things of ours; the actors are locked until the transaction ends.
pub(crate) async fn of_all(conn: &mut Conn, pairs: &[Pair]) -> sqlx::Result<HashMap<Pair, Relations>> {
    let rows: Vec<(i64, String)> = pairs.iter().map(|(who, object)| (who.0, object.to_string())).collect();
    let rows = json(&rows)?;
    if Engine::of(conn) == Engine::Postgres {
        query(
            "SELECT id FROM remote_actors WHERE id IN (SELECT CAST(r.value ->> 0 AS BIGINT) FROM json_array_elements(CAST($1 AS JSON)) r)
             ORDER BY id FOR NO KEY UPDATE",
            &rows,
        )
        .execute(conn)
        .await?;
    }
    let statement = over_rows!(
        conn,
        "SELECT k.remote_actor_id, k.object, k.kind, k.sign, k.stands, k.begun_by, k.begun_first, k.made_at, k.heard FROM ",
        " JOIN relations k ON k.remote_actor_id = CAST(r.value ->> 0 AS BIGINT) AND k.object = r.value ->> 1"
    );
    let cells = query(statement, rows).fetch_all(conn, read_cell).await?;
    let mut all: HashMap<Pair, Relations> = pairs.iter().map(|pair| (*pair, Relations::default())).collect();
    for (pair, slot, cell) in cells {
        all.entry(pair).or_default().cells.insert(slot, cell);
    }
    Ok(all)
}

fn read_cell(row: &AnyRow) -> sqlx::Result<(Pair, (Kind, String), Cell)> {
    let cell = Cell {
        stands: row.flag("stands")?,
        begun_by: row.maybe_text("begun_by")?,
        begun_first: row.int("begun_first")?,
        made: row.maybe_time("made_at")?,
        heard: row.int("heard")?,
    };
    let pair = (RemoteActorId(row.int("remote_actor_id")?), row.uuid("object")?);
    Ok((pair, (row.word("kind")?, row.text("sign")?), cell))
}

/// As [`of_all`], of one.
pub(crate) async fn of(conn: &mut Conn, who: RemoteActorId, object: Uuid) -> sqlx::Result<Relations> {
    Ok(of_all(conn, &[(who, object)]).await?.remove(&(who, object)).unwrap_or_default())
}

/// What became of relations, each as it was before and after.
pub(crate) type Changed<'a> = (Pair, &'a Relations, &'a Relations);

/// Writes the relations that [`of_all`] has read.
pub(crate) async fn keep_all(conn: &mut Conn, changed: &[Changed<'_>]) -> sqlx::Result<()> {
    let mut rows = Vec::new();
    for ((who, object), before, after) in changed {
        for (kind, sign) in before.cells.keys().filter(|slot| !after.cells.contains_key(slot)) {
            query(
                "DELETE FROM relations WHERE remote_actor_id = $1 AND object = $2 AND kind = $3 AND sign = $4",
                (*who, *object, *kind, sign),
            )
            .execute(conn)
            .await?;
        }
        for ((kind, sign), cell) in after.cells.iter().filter(|(slot, cell)| before.cells.get(slot) != Some(cell)) {
            let made = cell.made.map(Timestamp::millis);
            let (object, stands) = (object.to_string(), i64::from(cell.stands));
            rows.push((who.0, object, kind.as_str(), sign, stands, &cell.begun_by, cell.begun_first, made, cell.heard));
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let statement = over_rows!(
        conn,
        "INSERT INTO relations (remote_actor_id, object, kind, sign, stands, begun_by, begun_first, made_at, heard)
         SELECT CAST(r.value ->> 0 AS BIGINT), r.value ->> 1, r.value ->> 2, r.value ->> 3, CAST(r.value ->> 4 AS BIGINT), r.value ->> 5,
         CAST(r.value ->> 6 AS BIGINT), CAST(r.value ->> 7 AS BIGINT), CAST(r.value ->> 8 AS BIGINT) FROM ",
        " WHERE 1 = 1 ON CONFLICT (remote_actor_id, object, kind, sign) DO UPDATE SET stands = excluded.stands,
         begun_by = excluded.begun_by, begun_first = excluded.begun_first, made_at = excluded.made_at, heard = excluded.heard"
    );
    query(statement, json(&rows)?).execute(conn).await
}

/// As [`keep_all`], of one.
pub(crate) async fn keep(
    conn: &mut Conn,
    who: RemoteActorId,
    object: Uuid,
    before: &Relations,
    after: &Relations,
) -> sqlx::Result<()> {
    keep_all(conn, &[((who, object), before, after)]).await
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
