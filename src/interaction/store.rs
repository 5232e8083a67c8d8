//! The only SQL for interactions.

use sqlx::any::AnyRow;
use sqlx::{query, query_scalar};

use super::{Answers, Kind, Reply, Shown, Words};
use crate::clock::Timestamp;
use crate::db::{Columns, Conn, json};
use crate::ids::{ArticleId, InteractionId, RemoteActorId};

/// A reply about to be kept.
#[derive(Clone, Debug)]
pub struct NewReply<'a> {
    /// Row.
    pub id: InteractionId,
    /// Of which conversation.
    pub article: ArticleId,
    /// Who wrote it.
    pub author: RemoteActorId,
    /// The activity that brought it.
    pub activity_id: &'a str,
    /// Its own id.
    pub object_id: &'a str,
    /// The reply it answers; `None` where it answers the article.
    pub parent: Option<InteractionId>,
    /// What it says.
    pub words: &'a Words,
    /// When it was written.
    pub published: Timestamp,
    /// When it was last edited.
    pub updated: Option<Timestamp>,
}

/// Keeps a reply.
///
/// # Errors
/// The database's.
pub async fn insert_reply(conn: &mut Conn, reply: &NewReply<'_>, now: Timestamp) -> sqlx::Result<()> {
    query(
        "INSERT INTO interactions (id, article_id, remote_actor_id, kind, activity_id, object_id, parent_id, document, published_at,
         updated_at, received_at) VALUES ($1, $2, $3, 'reply', $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(reply.id.0)
    .bind(reply.article.0)
    .bind(reply.author.0)
    .bind(reply.activity_id)
    .bind(reply.object_id)
    .bind(reply.parent.map(|id| id.0))
    .bind(json(reply.words)?)
    .bind(reply.published.millis())
    .bind(reply.updated.map(Timestamp::millis))
    .bind(now.millis())
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives a reply the words of an edit.
///
/// # Errors
/// The database's.
pub async fn edit_reply(conn: &mut Conn, id: InteractionId, words: &Words, updated: Timestamp) -> sqlx::Result<()> {
    query("UPDATE interactions SET document = $2, updated_at = $3 WHERE id = $1")
        .bind(id.0)
        .bind(json(words)?)
        .bind(updated.millis())
        .execute(conn)
        .await?;
    Ok(())
}

/// A reply by its own id, also one that was deleted.
///
/// # Errors
/// The database's.
pub async fn reply(conn: &mut Conn, object_id: &str) -> sqlx::Result<Option<Reply>> {
    let row = query(
        "SELECT id, article_id, remote_actor_id, COALESCE(updated_at, published_at) AS as_of, ended_at FROM interactions
         WHERE object_id = $1",
    )
    .bind(object_id)
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(read_reply).transpose()
}

fn read_reply(row: &AnyRow) -> sqlx::Result<Reply> {
    Ok(Reply {
        id: InteractionId(row.int("id")?),
        article: ArticleId(row.int("article_id")?),
        author: RemoteActorId(row.int("remote_actor_id")?),
        as_of: row.time("as_of")?,
        ended_at: row.maybe_time("ended_at")?,
    })
}

/// A like, dislike or boost about to be kept.
#[derive(Clone, Copy, Debug)]
pub struct NewSign<'a> {
    /// Row.
    pub id: InteractionId,
    /// Of what.
    pub article: ArticleId,
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
pub async fn put_sign(conn: &mut Conn, sign: &NewSign<'_>, now: Timestamp) -> sqlx::Result<()> {
    let opposite = match sign.kind {
        Kind::Like => Some(Kind::Dislike),
        Kind::Dislike => Some(Kind::Like),
        _ => None,
    };
    if let Some(opposite) = opposite {
        end_sign(conn, sign.article, sign.author, opposite, now).await?;
    }
    query(
        "INSERT INTO interactions (id, article_id, remote_actor_id, kind, activity_id, reaction, published_at, received_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT DO NOTHING",
    )
    .bind(sign.id.0)
    .bind(sign.article.0)
    .bind(sign.author.0)
    .bind(sign.kind.as_str())
    .bind(sign.activity_id)
    .bind(sign.reaction)
    .bind(now.millis())
    .execute(conn)
    .await?;
    Ok(())
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
    query_scalar(
        "UPDATE interactions SET ended_at = $3 WHERE remote_actor_id = $1 AND activity_id = $2 AND kind <> 'reply'
         AND ended_at IS NULL RETURNING kind",
    )
    .bind(author.0)
    .bind(activity_id)
    .bind(now.millis())
    .fetch_optional(conn)
    .await
}

/// Ends somebody's like, dislike or boost of an article; says whether there was one.
///
/// # Errors
/// The database's.
pub async fn end_sign(
    conn: &mut Conn,
    article: ArticleId,
    author: RemoteActorId,
    kind: Kind,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = query(
        "UPDATE interactions SET ended_at = $4 WHERE article_id = $1 AND remote_actor_id = $2 AND kind = $3 AND ended_at IS NULL",
    )
    .bind(article.0)
    .bind(author.0)
    .bind(kind.as_str())
    .bind(now.millis())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Ends a reply and forgets its words (interop G11).
///
/// # Errors
/// The database's.
pub async fn end_reply(conn: &mut Conn, id: InteractionId, now: Timestamp) -> sqlx::Result<()> {
    query("UPDATE interactions SET document = NULL, ended_at = $2 WHERE id = $1 AND ended_at IS NULL")
        .bind(id.0)
        .bind(now.millis())
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends everything somebody said, who is gone; says how much.
///
/// # Errors
/// The database's.
pub async fn end_all(conn: &mut Conn, author: RemoteActorId, now: Timestamp) -> sqlx::Result<u64> {
    let done =
        query("UPDATE interactions SET document = NULL, ended_at = $2 WHERE remote_actor_id = $1 AND ended_at IS NULL")
            .bind(author.0)
            .bind(now.millis())
            .execute(conn)
            .await?;
    Ok(done.rows_affected())
}

/// The ids of an article's standing replies, the oldest first: those to the article itself, or all of the conversation.
///
/// # Errors
/// The database's.
pub async fn reply_ids(
    conn: &mut Conn,
    article: ArticleId,
    direct: bool,
    from: i64,
    limit: i64,
) -> sqlx::Result<Vec<String>> {
    query_scalar(
        "SELECT object_id FROM interactions WHERE article_id = $1 AND kind = 'reply' AND ended_at IS NULL
         AND ($2 = 0 OR parent_id IS NULL) ORDER BY published_at, id LIMIT $4 OFFSET $3",
    )
    .bind(article.0)
    .bind(i64::from(direct))
    .bind(from)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// How many replies [`reply_ids`] would give in all.
///
/// # Errors
/// The database's.
pub async fn count_replies(conn: &mut Conn, article: ArticleId, direct: bool) -> sqlx::Result<i64> {
    query_scalar(
        "SELECT COUNT(*) FROM interactions WHERE article_id = $1 AND kind = 'reply' AND ended_at IS NULL
         AND ($2 = 0 OR parent_id IS NULL)",
    )
    .bind(article.0)
    .bind(i64::from(direct))
    .fetch_one(conn)
    .await
}

/// How an article was answered: replies, and people who like or boosted it, each counted once.
///
/// # Errors
/// The database's.
pub async fn answers(conn: &mut Conn, article: ArticleId) -> sqlx::Result<Answers> {
    let rows = query(
        "SELECT kind, COUNT(*) AS n, COUNT(DISTINCT remote_actor_id) AS people FROM interactions
         WHERE article_id = $1 AND ended_at IS NULL GROUP BY kind",
    )
    .bind(article.0)
    .fetch_all(conn)
    .await?;
    let mut answers = Answers::default();
    for row in &rows {
        let count = |column: &str| Ok::<_, sqlx::Error>(u64::try_from(row.int(column)?).unwrap_or(0));
        match row.text("kind")?.as_str() {
            "reply" => answers.replies = count("n")?,
            "like" => answers.likes = count("people")?,
            "boost" => answers.boosts = count("people")?,
            _ => {}
        }
    }
    Ok(answers)
}

/// The standing replies, the newest first; of one article, if one is named.
///
/// # Errors
/// The database's.
pub async fn shown(conn: &mut Conn, article: Option<ArticleId>, limit: i64) -> sqlx::Result<Vec<Shown>> {
    let rows = query(
        "SELECT i.object_id, p.object_id AS parent, i.document, i.published_at, r.url, r.name, r.username, r.profile_url
         FROM interactions i JOIN remote_actors r ON r.id = i.remote_actor_id LEFT JOIN interactions p ON p.id = i.parent_id
         WHERE i.kind = 'reply' AND i.ended_at IS NULL AND ($1 = 0 OR i.article_id = $1)
         ORDER BY i.published_at DESC, i.id DESC LIMIT $2",
    )
    .bind(article.map_or(0, |id| id.0))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            let words: Words = row.json("document")?;
            Ok(Shown {
                id: row.text("object_id")?,
                parent: row.maybe_text("parent")?,
                author: row.text("url")?,
                name: row.text("name")?,
                username: row.text("username")?,
                profile: row.text("profile_url")?,
                words,
                published: row.time("published_at")?,
            })
        })
        .collect()
}
