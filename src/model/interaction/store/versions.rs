//! Changes of a conversation, told without reading it.

use super::standing;
use crate::base::ids::{ArticleId, InteractionId, RemoteActorId, SourceId};
use crate::db::{self, Columns, Conn, Topic, query};

/// The version of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConversationVersion {
    pub(crate) article: ArticleId,
    /// Raised whenever something was said, edited, hidden, shown again or deleted.
    pub(crate) changes: i64,
}

/// The versions of the conversations of a source's public articles, of those in which something is shown. The cost
/// grows with the number of conversations alone.
pub(crate) async fn versions(conn: &mut Conn, source: SourceId) -> sqlx::Result<Vec<ConversationVersion>> {
    query(
        concat!(
            "SELECT k.article_id, k.changes FROM posts p JOIN articles t ON t.post_id = p.id JOIN conversations k ON k.article_id = t.id
         WHERE p.source_id = $1 AND t.deleted_at IS NULL AND EXISTS (SELECT 1 FROM interactions i WHERE i.article_id = t.id
             AND (i.kind = 'reply' OR i.kind IN ('like', 'boost') AND i.parent_id IS NULL) AND ",
            standing!(),
            ")"
        ),
        source,
    )
    .fetch_all(conn, |row| {
        Ok(ConversationVersion { article: ArticleId(row.int("article_id")?), changes: row.int("changes")? })
    })
    .await
}

/// How often an article's conversation changed.
pub(crate) async fn changes(conn: &mut Conn, article: ArticleId) -> sqlx::Result<i64> {
    let changes: Option<i64> =
        query("SELECT changes FROM conversations WHERE article_id = $1", article).maybe_scalar(conn).await?;
    Ok(changes.unwrap_or_default())
}

/// Counts a change of an article's conversation: to be called in every transaction that writes `interactions`.
pub(super) async fn changed(conn: &mut Conn, article: ArticleId) -> sqlx::Result<()> {
    db::changed(Topic::Conversation(article));
    query(
        "INSERT INTO conversations (article_id, changes) VALUES ($1, 1) ON CONFLICT (article_id) DO UPDATE SET changes = conversations.changes + 1",
        article,
    )
    .execute(conn)
    .await
}

/// As [`changed`], for the conversation of an interaction.
pub(super) async fn changed_by(conn: &mut Conn, said: InteractionId) -> sqlx::Result<()> {
    db::changed(Topic::Interaction(said));
    let found = query("SELECT article_id, actor_id FROM interactions WHERE id = $1", said)
        .fetch_optional(conn, |row| Ok((ArticleId(row.int("article_id")?), row.maybe_int("actor_id")?)))
        .await?;
    let Some((article, ours)) = found else { return Ok(()) };
    if ours.is_some() {
        // It stands in its author's outbox.
        db::changed(Topic::Articles);
    }
    changed(conn, article).await
}

/// As [`changed`], for all conversations in which a remote actor takes part: their name and picture are shown there.
pub(crate) async fn changed_with(conn: &mut Conn, author: RemoteActorId) -> sqlx::Result<()> {
    let articles: Vec<ArticleId> = query(
        "UPDATE conversations SET changes = changes + 1
         WHERE article_id IN (SELECT i.article_id FROM interactions i WHERE i.remote_actor_id = $1) RETURNING article_id",
        author,
    )
    .scalars(conn)
    .await?;
    for article in articles {
        db::changed(Topic::Conversation(article));
    }
    Ok(())
}
