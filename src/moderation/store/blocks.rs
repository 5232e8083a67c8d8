//! Blocks and block lists.

use clock::Timestamp;
use sqlx::any::AnyRow;

use crate::base::ids::{ActorId, BlockId, Ids, ListId};
use crate::db::{Columns, Conn, Cursor, Page, Topic, changed, query};
use crate::moderation::{Block, BlockKind, Severity};

/// A block about to be made.
#[derive(Clone, Debug)]
pub struct NewBlock<'a> {
    /// Row.
    pub id: BlockId,
    /// What it is of.
    pub kind: BlockKind,
    /// In its one spelling.
    pub value: &'a str,
    /// How much it keeps out.
    pub severity: Severity,
    /// The one actor of ours that it is for; everyone when `None`.
    pub actor: Option<ActorId>,
    /// The list that it comes with.
    pub list: Option<ListId>,
    /// Why, for people.
    pub reason: Option<&'a str>,
}

/// Makes a block; an existing one gets the new severity, and the new reason if there is one or it comes with a list.
pub async fn put_block(conn: &mut Conn, block: &NewBlock<'_>, now: Timestamp) -> sqlx::Result<()> {
    query(
        "INSERT INTO blocks (id, kind, value, severity, actor_id, list_id, reason, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (kind, value, COALESCE(actor_id, 0), COALESCE(list_id, 0)) DO UPDATE SET severity = excluded.severity,
         reason = CASE WHEN excluded.list_id IS NULL THEN COALESCE(excluded.reason, blocks.reason) ELSE excluded.reason END",
        (
            block.id,
            block.kind,
            block.value,
            block.severity,
            block.actor,
            block.list,
            block.reason,
            now,
        ),
    )
    .execute(conn)
    .await
}

/// Removes a block by hand; returns whether there was one.
pub(crate) async fn remove_block(
    conn: &mut Conn,
    kind: BlockKind,
    value: &str,
    actor: Option<ActorId>,
) -> sqlx::Result<bool> {
    query(
        "DELETE FROM blocks WHERE kind = $1 AND value = $2 AND COALESCE(actor_id, 0) = $3 AND list_id IS NULL",
        (kind, value, actor.map_or(0, |id| id.0)),
    )
    .changed(conn)
    .await
}

/// Removes one entry of a list.
pub(crate) async fn remove_row(conn: &mut Conn, id: BlockId) -> sqlx::Result<()> {
    query("DELETE FROM blocks WHERE id = $1", id).execute(conn).await
}

macro_rules! select_block {
    ($rest:literal) => {
        concat!(
            "SELECT b.id, b.kind, b.value, b.severity, b.actor_id, b.reason, b.created_at, l.name AS list FROM blocks b
             LEFT JOIN block_lists l ON l.id = b.list_id ",
            $rest
        )
    };
}

/// A page of the blocks, in the order in which they were made.
pub async fn blocks(conn: &mut Conn, after: Option<Cursor<1>>, limit: i64) -> sqlx::Result<Page<Block>> {
    let Cursor([after]) = after.unwrap_or(Cursor([0]));
    let blocks = query(select_block!("WHERE b.id > $1 ORDER BY b.id LIMIT $2"), (after, limit + 1))
        .fetch_all(conn, read_block)
        .await?;
    Ok(Page::of(blocks, limit, |last: &Block| Cursor([last.id.0]).to_string()))
}

/// All blocks with severity `block`, to be matched with everybody.
pub(crate) async fn blocks_that_keep_out(conn: &mut Conn) -> sqlx::Result<Vec<Block>> {
    query(select_block!("WHERE b.severity = 'block' ORDER BY b.id"), ()).fetch_all(conn, read_block).await
}

/// All blocks.
pub(crate) async fn all_blocks(conn: &mut Conn) -> sqlx::Result<Vec<Block>> {
    query(select_block!("ORDER BY b.id"), ()).fetch_all(conn, read_block).await
}

/// How often the blocks changed.
pub(crate) async fn version(conn: &mut Conn) -> sqlx::Result<i64> {
    let version: Option<i64> = query("SELECT value FROM counters WHERE name = 'blocks'", ()).maybe_scalar(conn).await?;
    Ok(version.unwrap_or_default())
}

pub(crate) async fn block(conn: &mut Conn, id: BlockId) -> sqlx::Result<Option<Block>> {
    query(select_block!("WHERE b.id = $1"), id).fetch_optional(conn, read_block).await
}

/// The blocks of a list; none where there is no such list.
pub(crate) async fn blocks_of_list(conn: &mut Conn, list: &str) -> sqlx::Result<Vec<Block>> {
    query(select_block!("WHERE b.list_id = (SELECT n.id FROM block_lists n WHERE n.name = $1) ORDER BY b.id"), list)
        .fetch_all(conn, read_block)
        .await
}

fn read_block(row: &AnyRow) -> sqlx::Result<Block> {
    Ok(Block {
        id: BlockId(row.int("id")?),
        kind: row.word("kind")?,
        value: row.text("value")?,
        severity: row.word("severity")?,
        actor: row.maybe_int("actor_id")?.map(ActorId),
        list: row.maybe_text("list")?,
        reason: row.maybe_text("reason")?,
        created_at: row.time("created_at")?,
    })
}

/// Finds or makes a list, and notes its file.
pub(crate) async fn put_list(
    conn: &mut Conn,
    ids: &Ids,
    name: &str,
    file: &str,
    now: Timestamp,
) -> sqlx::Result<ListId> {
    query(
        "INSERT INTO block_lists (id, name, file, imported_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name) DO UPDATE SET file = excluded.file, imported_at = excluded.imported_at",
        (ids.row(), name, file, now),
    )
    .execute(conn)
    .await?;
    query("SELECT id FROM block_lists WHERE name = $1", name).scalar(conn).await
}

/// Removes a list and its entries; returns how many they were, or `None` where there is no such list.
pub(crate) async fn remove_list(conn: &mut Conn, name: &str) -> sqlx::Result<Option<u64>> {
    let id: Option<i64> = query("SELECT id FROM block_lists WHERE name = $1", name).maybe_scalar(conn).await?;
    let Some(id) = id else { return Ok(None) };
    let done = query("DELETE FROM blocks WHERE list_id = $1", id).affected(conn).await?;
    query("DELETE FROM block_lists WHERE id = $1", id).execute(conn).await?;
    Ok(Some(done))
}

/// The lists with this entry.
pub(crate) async fn lists_with(conn: &mut Conn, kind: BlockKind, value: &str) -> sqlx::Result<Vec<String>> {
    query(
        "SELECT l.name FROM blocks b JOIN block_lists l ON l.id = b.list_id WHERE b.kind = $1 AND b.value = $2 ORDER BY l.name",
        (kind, value),
    )
    .scalars(conn)
    .await
}

/// A list that was imported, for people.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct List {
    /// Its name.
    pub name: String,
    /// The file that it was read from.
    pub file: String,
    #[serde(serialize_with = "clock::as_rfc3339")]
    pub(crate) imported: Timestamp,
    /// How many domains it has.
    pub(crate) entries: i64,
}

pub(crate) async fn lists(conn: &mut Conn) -> sqlx::Result<Vec<List>> {
    query(
        "SELECT l.name, l.file, l.imported_at, (SELECT COUNT(*) FROM blocks b WHERE b.list_id = l.id) AS entries
         FROM block_lists l ORDER BY l.name",
        (),
    )
    .fetch_all(conn, |row| {
        Ok(List {
            name: row.text("name")?,
            file: row.text("file")?,
            imported: row.time("imported_at")?,
            entries: row.int("entries")?,
        })
    })
    .await
}

/// Counts a change of the blocks, so that it is applied to what was there before, by this process or by the running
/// bridge.
pub async fn note_change(conn: &mut Conn) -> sqlx::Result<()> {
    query(
        "INSERT INTO counters (name, value) VALUES ('blocks', 1) ON CONFLICT (name) DO UPDATE SET value = counters.value + 1",
        (),
    )
    .execute(conn)
    .await?;
    changed(Topic::Moderation);
    Ok(())
}

/// The number of the last change, if it was not applied to everything yet.
pub async fn changes(conn: &mut Conn) -> sqlx::Result<Option<i64>> {
    query(
        "SELECT value FROM counters WHERE name = 'blocks'
         AND value > COALESCE((SELECT e.value FROM counters e WHERE e.name = 'blocks_enforced'), 0)",
        (),
    )
    .maybe_scalar(conn)
    .await
}

/// Notes that a change was applied to everything.
pub(crate) async fn note_enforced(conn: &mut Conn, change: i64) -> sqlx::Result<()> {
    query(
        "INSERT INTO counters (name, value) VALUES ('blocks_enforced', $1)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE counters.value < excluded.value",
        change,
    )
    .execute(conn)
    .await
}
