//! Who fetched an article with a signature and was never sent it.

use clock::Timestamp;

use crate::base::ids::{ArticleId, InboxId};
use crate::db::{Conn, query};

/// Most readers remembered of one article, so that strangers cannot make its Delete endless.
const READERS: i64 = 5000;

/// Most of them on one host; a server with a shared inbox needs one.
const READERS_OF_HOST: i64 = 20;

/// Whether an inbox was sent an article, or somebody behind it fetched it.
pub(crate) async fn has_copy(conn: &mut Conn, article: ArticleId, inbox: InboxId) -> sqlx::Result<bool> {
    query(
        "SELECT inbox_id FROM article_delivered WHERE article_id = $1 AND inbox_id = $2
         UNION ALL SELECT inbox_id FROM article_fetched WHERE article_id = $1 AND inbox_id = $2 LIMIT 1",
        (article, inbox),
    )
    .exists(conn)
    .await
}

/// Notes that somebody behind an inbox fetched an article, as long as there are not too many.
pub(crate) async fn note_copy(conn: &mut Conn, article: ArticleId, inbox: InboxId, now: Timestamp) -> sqlx::Result<()> {
    query(
        "INSERT INTO article_fetched (article_id, inbox_id, host_id, fetched_at) SELECT $1, i.id, i.host_id, $3 FROM inboxes i
         WHERE i.id = $2 AND (SELECT COUNT(*) FROM article_fetched f WHERE f.article_id = $1) < $4
         AND (SELECT COUNT(*) FROM article_fetched f WHERE f.article_id = $1 AND f.host_id = i.host_id) < $5
         ON CONFLICT (article_id, inbox_id) DO NOTHING",
        (article, inbox, now, READERS, READERS_OF_HOST),
    )
    .execute(conn)
    .await
}
