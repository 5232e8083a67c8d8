//! How often something was answered, and how much stands in each state.

use sqlx::any::AnyRow;
use sqlx::{query, query_scalar};

use super::standing;
use crate::base::ids::{ArticleId, InteractionId};
use crate::db::{Columns, Conn, count_by};
use crate::model::interaction::Answers;

/// How many replies [`reply_ids`] would give in all.
pub(crate) async fn count_replies(conn: &mut Conn, article: ArticleId, direct: bool) -> sqlx::Result<i64> {
    query_scalar(concat!(
        "SELECT COUNT(*) FROM interactions i WHERE i.article_id = $1 AND i.kind = 'reply' AND ",
        standing!(),
        " AND ($2 = 0 OR i.parent_id IS NULL)"
    ))
    .bind(article.0)
    .bind(i64::from(direct))
    .fetch_one(conn)
    .await
}

/// How an article was answered: replies, and people who like or boosted it, each counted once.
pub async fn answers(conn: &mut Conn, article: ArticleId) -> sqlx::Result<Answers> {
    let rows = query(concat!(
        "SELECT i.kind, COUNT(*) AS n, COUNT(DISTINCT i.remote_actor_id) AS people FROM interactions i
         WHERE i.article_id = $1 AND (i.kind = 'reply' OR i.parent_id IS NULL) AND ",
        standing!(),
        " GROUP BY i.kind"
    ))
    .bind(article.0)
    .fetch_all(conn)
    .await?;
    count_up(&rows)
}

/// How one post of a conversation was answered, as [`answers`] counts; replies to it alone, not those further down.
pub(crate) async fn answers_below(conn: &mut Conn, said: InteractionId) -> sqlx::Result<Answers> {
    let rows = query(concat!(
        "SELECT i.kind, COUNT(*) AS n, COUNT(DISTINCT i.remote_actor_id) AS people FROM interactions i
         WHERE i.parent_id = $1 AND ",
        standing!(),
        " GROUP BY i.kind"
    ))
    .bind(said.0)
    .fetch_all(conn)
    .await?;
    count_up(&rows)
}

fn count_up(rows: &[AnyRow]) -> sqlx::Result<Answers> {
    let mut answers = Answers::default();
    for row in rows {
        let count = |column: &str| Ok::<_, sqlx::Error>(u64::try_from(row.int(column)?).unwrap_or(0));
        match row.text("kind")?.as_str() {
            "reply" => answers.replies = count("n")?,
            "quote" => answers.quotes = count("n")?,
            "like" => answers.likes = count("people")?,
            "boost" => answers.boosts = count("people")?,
            _ => {}
        }
    }
    Ok(answers)
}

/// How many posts of others wait for a moderator, `most` at most.
pub(crate) async fn count_held(conn: &mut Conn, most: i64) -> sqlx::Result<i64> {
    query_scalar(
        "SELECT COUNT(*) FROM (SELECT id FROM interactions WHERE object_id IS NOT NULL AND ended_at IS NULL AND held_at IS NOT NULL
         AND block_id IS NULL AND hidden_at IS NULL LIMIT $1) held",
    )
    .bind(most)
    .fetch_one(conn)
    .await
}

/// In which states the posts of others are among the latest interactions, `most` at most; those that wait are not counted here.
pub(crate) async fn count_states(conn: &mut Conn, most: i64) -> sqlx::Result<Vec<(String, i64)>> {
    let rows = query(
        "SELECT CASE WHEN ended_at IS NOT NULL THEN 'deleted' WHEN block_id IS NOT NULL THEN 'blocked' WHEN hidden_at IS NOT NULL THEN 'hidden'
         WHEN held_at IS NOT NULL THEN 'held' WHEN kind = 'notice' THEN 'private' ELSE 'shown' END AS state, COUNT(*) AS n FROM (
         SELECT object_id, remote_actor_id, kind, ended_at, block_id, hidden_at, held_at FROM interactions ORDER BY id DESC LIMIT $1) latest
         WHERE object_id IS NOT NULL AND remote_actor_id IS NOT NULL GROUP BY 1",
    )
    .bind(most)
    .fetch_all(conn)
    .await?;
    let mut counts = count_by(&rows, "state")?;
    counts.retain(|(state, _)| state != "held");
    Ok(counts)
}
