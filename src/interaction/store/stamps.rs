//! What changes when a conversation does, without reading it.

use sqlx::query;

use super::standing;
use crate::db::{Columns, Conn};
use crate::ids::{ArticleId, SourceId};

/// How a conversation looks from far away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Whose conversation.
    pub article: ArticleId,
    /// Replies, likes and boosts that everyone sees.
    pub shown: i64,
    /// Another text whenever something was said, edited, hidden, shown again or taken back; nearly always.
    pub sum: String,
}

/// The conversations of a source's standing articles, of those of which something was said.
///
/// # Errors
/// The database's.
pub async fn stamps(conn: &mut Conn, source: SourceId) -> sqlx::Result<Vec<Stamp>> {
    // The remainders keep the sums within their type, however many rows there are.
    let rows = query(concat!(
        "SELECT i.article_id, COUNT(*) AS n, CAST(SUM(CASE WHEN ",
        standing!(),
        " THEN 1 ELSE 0 END) AS BIGINT) AS shown, CAST(SUM(CASE WHEN ",
        standing!(),
        " THEN i.id % 1000000007 ELSE 0 END) AS BIGINT) AS which,
         CAST(SUM(COALESCE(i.updated_at, 0) % 1000000007) AS BIGINT) AS edited
         FROM interactions i JOIN articles t ON t.id = i.article_id JOIN posts p ON p.id = t.post_id
         WHERE p.source_id = $1 AND t.deleted_at IS NULL AND (i.kind = 'reply' OR i.kind IN ('like', 'boost') AND i.parent_id IS NULL)
         GROUP BY i.article_id"
    ))
    .bind(source.0)
    .fetch_all(conn)
    .await?;
    let read = |row| {
        let number = |column: &str| -> sqlx::Result<i64> { Columns::int(row, column) };
        Ok(Stamp {
            article: ArticleId(number("article_id")?),
            shown: number("shown")?,
            sum: format!("{}-{}-{}-{}", number("n")?, number("shown")?, number("which")?, number("edited")?),
        })
    };
    rows.iter().map(read).collect()
}
