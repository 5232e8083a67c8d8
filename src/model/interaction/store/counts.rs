//! How many answers there are, and how many interactions in each state.

use sqlx::any::AnyRow;

use super::standing;
use crate::base::ids::{ArticleId, InteractionId};
use crate::db::{Columns, Conn, query};
use crate::model::interaction::Answers;

/// How many replies [`reply_ids`] would return in all.
pub(crate) async fn count_replies(conn: &mut Conn, article: ArticleId, direct: bool) -> sqlx::Result<i64> {
    query(
        concat!(
            "SELECT COUNT(*) FROM interactions i WHERE i.article_id = $1 AND i.kind = 'reply' AND ",
            standing!(),
            " AND ($2 = 0 OR i.parent_id IS NULL)"
        ),
        (article, direct),
    )
    .scalar(conn)
    .await
}

/// The counts of an article: replies, and people who like or boosted it, each counted once.
pub async fn answers(conn: &mut Conn, article: ArticleId) -> sqlx::Result<Answers> {
    query(
        concat!(
            "SELECT i.kind, COUNT(*) AS n, COUNT(DISTINCT i.remote_actor_id) AS people FROM interactions i
         WHERE i.article_id = $1 AND (i.kind = 'reply' OR i.parent_id IS NULL) AND ",
            standing!(),
            " GROUP BY i.kind"
        ),
        article,
    )
    .fetch_all(conn, read_count)
    .await
    .map(count_up)
}

/// The counts of one post of a conversation, as [`answers`] counts; replies to it alone, not those further down.
pub(crate) async fn answers_below(conn: &mut Conn, said: InteractionId) -> sqlx::Result<Answers> {
    query(
        concat!(
            "SELECT i.kind, COUNT(*) AS n, COUNT(DISTINCT i.remote_actor_id) AS people FROM interactions i
         WHERE i.parent_id = $1 AND ",
            standing!(),
            " GROUP BY i.kind"
        ),
        said,
    )
    .fetch_all(conn, read_count)
    .await
    .map(count_up)
}

/// What was done, how often, and by how many people.
fn read_count(row: &AnyRow) -> sqlx::Result<(String, i64, i64)> {
    Ok((row.text("kind")?, row.int("n")?, row.int("people")?))
}

fn count_up(rows: Vec<(String, i64, i64)>) -> Answers {
    let mut answers = Answers::default();
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    for (kind, times, people) in rows {
        match kind.as_str() {
            "reply" => answers.replies = count(times),
            "quote" => answers.quotes = count(times),
            "like" => answers.likes = count(people),
            "boost" => answers.boosts = count(people),
            _ => {}
        }
    }
    answers
}

/// How many posts of others wait for a moderator, `most` at most.
pub(crate) async fn count_held(conn: &mut Conn, most: i64) -> sqlx::Result<i64> {
    query(
        "SELECT COUNT(*) FROM (SELECT id FROM interactions WHERE object_id IS NOT NULL AND ended_at IS NULL AND held_at IS NOT NULL
         AND block_id IS NULL AND hidden_at IS NULL LIMIT $1) held",
        most,
    )
    .scalar(conn)
    .await
}

/// The states of others' posts among the latest interactions, `most` at most; held ones are not counted here.
pub(crate) async fn count_states(conn: &mut Conn, most: i64) -> sqlx::Result<Vec<(String, i64)>> {
    let mut counts = query(
        "SELECT CASE WHEN ended_at IS NOT NULL THEN 'deleted' WHEN block_id IS NOT NULL THEN 'blocked' WHEN hidden_at IS NOT NULL THEN 'hidden'
         WHEN held_at IS NOT NULL THEN 'held' WHEN kind = 'notice' THEN 'private' ELSE 'shown' END AS state, COUNT(*) FROM (
         SELECT object_id, remote_actor_id, kind, ended_at, block_id, hidden_at, held_at FROM interactions ORDER BY id DESC LIMIT $1) latest
         WHERE object_id IS NOT NULL AND remote_actor_id IS NOT NULL GROUP BY 1",
        most,
    )
    .counts(conn)
    .await?;
    counts.retain(|(state, _)| state != "held");
    Ok(counts)
}
