//! What moderation needs to know of an interaction: its author, the block that hides it, and why.

use clock::Timestamp;
use serde::Serialize;

use super::versions::changed_by;
use crate::base::ids::{ActorId, BlockId, InteractionId, RemoteActorId};
use crate::db::{Columns, Conn, query};
use crate::model::interaction::Words;

/// An interaction of a remote actor, as blocks are matched with it.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) id: InteractionId,
    /// The block that hides it.
    pub(crate) block: Option<BlockId>,
    /// Whether it would be shown without a block.
    pub(crate) stands: bool,
    /// The author's id.
    pub(crate) url: String,
    /// The handle that the author claims.
    pub(crate) webfinger: Option<String>,
    /// The author's names.
    pub(crate) names: String,
    /// `None` for a reaction, and for what was deleted.
    pub(crate) words: Option<Words>,
    /// The owner and the community of the article.
    pub(crate) keepers: [ActorId; 2],
}

/// Interactions of remote actors, in the order of the rows, from after one of them on.
pub(crate) async fn said_after(conn: &mut Conn, after: i64, limit: i64) -> sqlx::Result<Vec<Said>> {
    query(
        "SELECT i.id, i.block_id, CASE WHEN i.ended_at IS NULL AND i.held_at IS NULL AND i.hidden_at IS NULL AND i.kind <> 'notice' THEN 1 ELSE 0 END AS stands, i.document, r.url, r.webfinger, r.name, r.username, a.owner_actor_id, c.group_actor_id
         FROM interactions i JOIN remote_actors r ON r.id = i.remote_actor_id JOIN articles a ON a.id = i.article_id
         JOIN communities c ON c.id = a.community_id WHERE i.id > $1 ORDER BY i.id LIMIT $2",
        (after, limit),
    )
    .fetch_all(conn, |row| {
        Ok(Said {
            id: InteractionId(row.int("id")?),
            block: row.maybe_int("block_id")?.map(BlockId),
            stands: row.int("stands")? != 0,
            url: row.text("url")?,
            webfinger: row.maybe_text("webfinger")?,
            names: format!("{}\n{}", row.text("name")?, row.text("username")?),
            words: row.maybe_json("document")?,
            keepers: [ActorId(row.int("owner_actor_id")?), ActorId(row.int("group_actor_id")?)],
        })
    })
    .await
}

/// Hides an interaction by a block, or no longer.
pub(crate) async fn set_block(conn: &mut Conn, id: InteractionId, block: Option<BlockId>) -> sqlx::Result<()> {
    query("UPDATE interactions SET block_id = $2 WHERE id = $1", (id, block)).execute(conn).await?;
    changed_by(conn, id).await
}

/// Whether a post of a remote actor is shown, or was until they deleted it.
pub(crate) async fn is_shown_somewhere(conn: &mut Conn, author: RemoteActorId) -> sqlx::Result<bool> {
    query(
        "SELECT id FROM interactions WHERE remote_actor_id = $1 AND kind IN ('reply', 'quote') AND held_at IS NULL
         AND hidden_at IS NULL AND block_id IS NULL LIMIT 1",
        author,
    )
    .exists(conn)
    .await
}

/// Why an interaction has its present state, for a moderator.
#[derive(Clone, Debug, Serialize)]
pub struct Ruling {
    /// Why it is held or hidden, or the reason of its approval.
    pub why: Option<String>,
    /// When that was decided, by a rule or a moderator.
    #[serde(serialize_with = "clock::maybe_as_rfc3339")]
    pub(crate) decided: Option<Timestamp>,
    /// The block that hides it.
    pub(crate) block: Option<BlockId>,
}

/// Why a post stands as it does.
pub async fn ruling(conn: &mut Conn, id: InteractionId) -> sqlx::Result<Ruling> {
    query(
        "SELECT hidden_why, COALESCE(decided_at, hidden_at, held_at) AS decided, block_id FROM interactions WHERE id = $1",
        id,
    )
    .fetch_one(conn, |row| {
        Ok(Ruling {
            why: row.maybe_text("hidden_why")?,
            decided: row.maybe_time("decided")?,
            block: row.maybe_int("block_id")?.map(BlockId),
        })
    })
    .await
}
