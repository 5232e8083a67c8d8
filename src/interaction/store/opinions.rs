//! Likes, dislikes and boosts: given and taken back.

use sqlx::query;

use super::stamps::changed;
use crate::clock::Timestamp;
use crate::db::{Columns, Conn};
use crate::ids::{ArticleId, InboundId, InteractionId, RemoteActorId};
use crate::interaction::{Kind, Target};

/// A like, dislike or boost about to be kept.
#[derive(Clone, Copy, Debug)]
pub struct NewOpinion<'a> {
    /// Row.
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

/// Keeps a like, dislike or boost; a second activity of the same kind counts as one (interop E13). An opinion ends the
/// opposite one, since Lemmy changes a vote without an Undo.
///
/// # Errors
/// The database's.
pub async fn put_opinion(conn: &mut Conn, opinion: &NewOpinion<'_>, now: Timestamp) -> sqlx::Result<()> {
    let opposite = match opinion.kind {
        Kind::Like => Some(Kind::Dislike),
        Kind::Dislike => Some(Kind::Like),
        _ => None,
    };
    if let Some(opposite) = opposite {
        end_opinion(conn, opinion.target, opinion.author, opposite, None, now).await?;
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

/// Ends what one of somebody's activities brought; says what it was.
///
/// # Errors
/// The database's.
pub async fn end_by_activity(
    conn: &mut Conn,
    author: RemoteActorId,
    activity_id: &str,
    now: Timestamp,
) -> sqlx::Result<Option<String>> {
    let row = query(
        "UPDATE interactions SET ended_at = $3, ended_by = NULL WHERE remote_actor_id = $1 AND activity_id = $2 AND object_id IS NULL
         AND (ended_at IS NULL OR ended_by IS NOT NULL) RETURNING kind, article_id",
    )
    .bind(author.0)
    .bind(activity_id)
    .bind(now.millis())
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    changed(conn, ArticleId(row.int("article_id")?)).await?;
    row.text("kind").map(Some)
}

/// Ends somebody's like, dislike or boost; says whether there was one. `by` is the Undo, where it named an activity that
/// is not known.
///
/// # Errors
/// The database's.
pub async fn end_opinion(
    conn: &mut Conn,
    target: Target,
    author: RemoteActorId,
    kind: Kind,
    by: Option<InboundId>,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = query(
        "UPDATE interactions SET ended_at = $5, ended_by = $6 WHERE article_id = $1 AND COALESCE(parent_id, 0) = $2 AND remote_actor_id = $3
         AND kind = $4 AND ended_at IS NULL",
    )
    .bind(target.article.0)
    .bind(target.said.map_or(0, |id| id.0))
    .bind(author.0)
    .bind(kind.as_str())
    .bind(now.millis())
    .bind(by.map(|id| id.0))
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() > 0 {
        changed(conn, target.article).await?;
    }
    Ok(done.rows_affected() > 0)
}

/// The activity that an Undo named has come late, so that it did not mean those that it ended by their shape: they stand
/// again (interop D7).
///
/// # Errors
/// The database's.
pub async fn restore_opinions(conn: &mut Conn, by: InboundId) -> sqlx::Result<()> {
    let rows =
        query("UPDATE interactions SET ended_at = NULL, ended_by = NULL WHERE ended_by = $1 RETURNING article_id")
            .bind(by.0)
            .fetch_all(&mut *conn)
            .await?;
    for row in &rows {
        changed(conn, ArticleId(row.int("article_id")?)).await?;
    }
    Ok(())
}
