//! Likes, dislikes and boosts: one row for each that somebody ever gave, however many activities told of it.

use std::collections::BTreeSet;

use clock::Timestamp;

use super::versions::changed;
use crate::base::ids::{InteractionId, RemoteActorId};
use crate::db::{Conn, json, query};
use crate::model::interaction::{Kind, Target};
use crate::over_rows;

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

/// As [`put_opinions`], of one.
pub async fn put_opinion(conn: &mut Conn, opinion: &NewReaction<'_>, now: Timestamp) -> sqlx::Result<()> {
    put_opinions(conn, &[*opinion], now).await
}

/// Keeps likes, dislikes and boosts; an existing one stays as it is, one that was undone stands again. None is there twice.
pub(crate) async fn put_opinions(conn: &mut Conn, opinions: &[NewReaction<'_>], now: Timestamp) -> sqlx::Result<()> {
    if opinions.is_empty() {
        return Ok(());
    }
    let row = |opinion: &NewReaction<'_>| {
        let (article, said) = (opinion.target.article.0, opinion.target.said.map(|id| id.0));
        let (kind, activity) = (opinion.kind.as_str(), opinion.activity_id.to_owned());
        (opinion.id.0, article, said, opinion.author.0, kind, activity, opinion.reaction.map(str::to_owned))
    };
    let statement = over_rows!(
        conn,
        "INSERT INTO interactions (id, article_id, parent_id, remote_actor_id, kind, activity_id, reaction, published_at, received_at)
         SELECT CAST(r.value ->> 0 AS BIGINT), CAST(r.value ->> 1 AS BIGINT), CAST(r.value ->> 2 AS BIGINT), CAST(r.value ->> 3 AS BIGINT),
         r.value ->> 4, r.value ->> 5, r.value ->> 6, $2, $2 FROM ",
        " WHERE 1 = 1 ON CONFLICT (remote_actor_id, article_id, kind, COALESCE(parent_id, 0), COALESCE(reaction, '')) WHERE object_id IS NULL
         DO UPDATE SET activity_id = excluded.activity_id, published_at = excluded.published_at, received_at = excluded.received_at,
         ended_at = NULL, block_id = NULL WHERE interactions.ended_at IS NOT NULL"
    );
    query(statement, (json(&opinions.iter().map(row).collect::<Vec<_>>())?, now)).execute(conn).await?;
    // In one order, so that writers of several do not wait for each other.
    for article in opinions.iter().map(|opinion| opinion.target.article).collect::<BTreeSet<_>>() {
        changed(conn, article).await?;
    }
    Ok(())
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
