//! Remote posts by the page for people that each names as its own.

use super::posts::page_of;
use crate::db::{Columns, Conn, query};
use crate::model::interaction::Words;
use crate::model::post::store::PAGES;

/// Most replies that are looked at of those that name one page as their own.
const ON_A_PAGE: i64 = 100;

/// The replies and quotes that name one of these pages, at most nine, as their own: page and id, the oldest first; of
/// very many, some.
pub(crate) async fn said_on_pages(conn: &mut Conn, pages: &[String]) -> sqlx::Result<Vec<(String, String)>> {
    let Some(first) = pages.first() else { return Ok(Vec::new()) };
    let pages: [&String; PAGES] = std::array::from_fn(|place| pages.get(place).unwrap_or(first));
    query(
        "SELECT f.page, f.object_id FROM (SELECT id, page, object_id FROM interactions WHERE page IN ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         AND kind IN ('reply', 'quote') LIMIT $10) f ORDER BY f.id",
        pages,
    )
    .bind(ON_A_PAGE)
    .fetch_all(conn, |row| Ok((row.text("page")?, row.text("object_id")?)))
    .await
}

/// Fills in the pages of up to `limit` posts that were kept before pages were; false when there is none left.
pub(crate) async fn fill_pages(conn: &mut Conn, limit: i64) -> sqlx::Result<bool> {
    let after: i64 = query("SELECT value FROM counters WHERE name = 'pages'", ()).scalar(conn).await?;
    let posts: Vec<(i64, String, Option<Words>)> = query(
        "SELECT id, object_id, document FROM interactions WHERE id > $1 AND remote_actor_id IS NOT NULL AND object_id IS NOT NULL
         ORDER BY id LIMIT $2",
        (after, limit),
    )
    .fetch_all(conn, |row| Ok((row.int("id")?, row.text("object_id")?, row.maybe_json("document")?)))
    .await?;
    for (id, object_id, words) in &posts {
        if let Some(page) = words.as_ref().and_then(|words| page_of(object_id, words)) {
            query("UPDATE interactions SET page = $2 WHERE id = $1", (*id, page)).execute(conn).await?;
        }
    }
    let last = posts.last().map(|(id, ..)| *id);
    query("UPDATE counters SET value = $1 WHERE name = 'pages'", last.unwrap_or(i64::MAX)).execute(conn).await?;
    Ok(last.is_some())
}
