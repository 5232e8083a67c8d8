//! Likes, dislikes and boosts as they stand: a row for each that somebody ever gave, whatever many activities said so.

use clock::Timestamp;
use sqlx::query;

use super::versions::changed;
use crate::base::ids::{InteractionId, RemoteActorId};
use crate::db::Conn;
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
    /// The emoji or `:shortcode:` it came with.
    pub reaction: Option<&'a str>,
}

/// Keeps a like, dislike or boost; one that stands already stays as it is, one that was taken back stands again.
pub async fn put_opinion(conn: &mut Conn, opinion: &NewReaction<'_>, now: Timestamp) -> sqlx::Result<()> {
    let again = query(
        "UPDATE interactions SET activity_id = $6, published_at = $7, received_at = $7, ended_at = NULL, block_id = NULL
         WHERE remote_actor_id = $1 AND article_id = $2 AND kind = $3 AND COALESCE(parent_id, 0) = $4 AND COALESCE(reaction, '') = $5
         AND object_id IS NULL AND ended_at IS NOT NULL",
    )
    .bind(opinion.author.0)
    .bind(opinion.target.article.0)
    .bind(opinion.kind.as_str())
    .bind(opinion.target.said.map_or(0, |id| id.0))
    .bind(opinion.reaction.unwrap_or_default())
    .bind(opinion.activity_id)
    .bind(now.millis())
    .execute(&mut *conn)
    .await?;
    if again.rows_affected() > 0 {
        return changed(conn, opinion.target.article).await;
    }
    query(
        "INSERT INTO interactions (id, article_id, parent_id, remote_actor_id, kind, activity_id, reaction, published_at, received_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT DO NOTHING",
    )
    .bind(opinion.id.0)
    .bind(opinion.target.article.0)
    .bind(opinion.target.said.map(|id| id.0))
    .bind(opinion.author.0)
    .bind(opinion.kind.as_str())
    .bind(opinion.activity_id)
    .bind(opinion.reaction)
    .bind(now.millis())
    .execute(&mut *conn)
    .await?;
    changed(conn, opinion.target.article).await
}

/// Ends somebody's like with this sign (empty where it has none), dislike or boost; says whether there was one.
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
    )
    .bind(author.0)
    .bind(target.article.0)
    .bind(kind.as_str())
    .bind(target.said.map_or(0, |id| id.0))
    .bind(sign)
    .bind(now.millis())
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() > 0 {
        changed(conn, target.article).await?;
    }
    Ok(done.rows_affected() > 0)
}
