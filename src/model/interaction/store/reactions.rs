//! Likes, dislikes and boosts: one row for each that somebody ever gave, however many activities told of it.

use clock::Timestamp;

use super::versions::changed;
use crate::base::ids::{InteractionId, RemoteActorId};
use crate::db::{Conn, query};
use crate::model::interaction::{Kind, Target};

/// A like, dislike or boost about to be kept.
#[derive(Clone, Copy, Debug)]
pub struct NewReaction<'a> {
    /// Row, if it is the first of its kind.
    pub id: InteractionId,
    /// Of what.
    pub target: Target,
    /// Whose.
    pub author: RemoteActorId,
    /// Which of the three.
    pub kind: Kind,
    /// The activity that brought it.
    pub activity_id: &'a str,
    /// Its emoji or `:shortcode:`.
    pub reaction: Option<&'a str>,
}

/// Keeps a like, dislike or boost; an existing one stays as it is, one that was undone stands again.
pub async fn put_opinion(conn: &mut Conn, opinion: &NewReaction<'_>, now: Timestamp) -> sqlx::Result<()> {
    let again = query(
        "UPDATE interactions SET activity_id = $6, published_at = $7, received_at = $7, ended_at = NULL, block_id = NULL
         WHERE remote_actor_id = $1 AND article_id = $2 AND kind = $3 AND COALESCE(parent_id, 0) = $4 AND COALESCE(reaction, '') = $5
         AND object_id IS NULL AND ended_at IS NOT NULL",
        (
            opinion.author,
            opinion.target.article,
            opinion.kind,
            opinion.target.said.map_or(0, |id| id.0),
            opinion.reaction.unwrap_or_default(),
            opinion.activity_id,
            now,
        ),
    )
    .affected(conn)
    .await?;
    if again > 0 {
        return changed(conn, opinion.target.article).await;
    }
    query(
        "INSERT INTO interactions (id, article_id, parent_id, remote_actor_id, kind, activity_id, reaction, published_at, received_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT DO NOTHING",
        (
            opinion.id,
            opinion.target.article,
            opinion.target.said,
            opinion.author,
            opinion.kind,
            opinion.activity_id,
            opinion.reaction,
            now,
        ),
    )
    .execute(conn)
    .await?;
    changed(conn, opinion.target.article).await
}

/// Ends a remote actor's like with this emoji (empty where it has none), dislike or boost; returns whether there was
/// one.
pub(crate) async fn end_opinion(
    conn: &mut Conn,
    target: Target,
    author: RemoteActorId,
    kind: Kind,
    sign: &str,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = query(
        "UPDATE interactions SET ended_at = $6 WHERE remote_actor_id = $1 AND article_id = $2 AND kind = $3 AND COALESCE(parent_id, 0) = $4
         AND COALESCE(reaction, '') = $5 AND object_id IS NULL AND ended_at IS NULL",
        (author, target.article, kind, target.said.map_or(0, |id| id.0), sign, now),
    )
    .affected(conn)
    .await?;
    if done > 0 {
        changed(conn, target.article).await?;
    }
    Ok(done > 0)
}
