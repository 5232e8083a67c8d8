//! Posts elsewhere by the page for people that each says is its own.

use sqlx::{query, query_scalar};

use super::posts::page_of;
use crate::db::{Columns, Conn};
use crate::model::interaction::Words;

/// Most replies that say of one page that it is theirs and are looked at.
const ON_A_PAGE: i64 = 100;

/// The replies and quotes that say that one of these pages, at most nine, is theirs: page and id, the oldest first; of very many,
/// some.
pub(crate) async fn said_on_pages(conn: &mut Conn, pages: &[String]) -> sqlx::Result<Vec<(String, String)>> {
    let mut found = query(
        "SELECT f.page, f.object_id FROM (SELECT id, page, object_id FROM interactions WHERE page IN ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         AND kind IN ('reply', 'quote') LIMIT $10) f ORDER BY f.id",
    );
    let Some(first) = pages.first() else { return Ok(Vec::new()) };
    for place in 0..crate::model::post::store::PAGES {
        found = found.bind(pages.get(place).unwrap_or(first));
    }
    let rows = found.bind(ON_A_PAGE).fetch_all(conn).await?;
    rows.iter().map(|row| Ok((row.text("page")?, row.text("object_id")?))).collect()
}

/// Fills in the pages of up to `limit` posts that were kept before pages were; false when there is none left.
pub(crate) async fn fill_pages(conn: &mut Conn, limit: i64) -> sqlx::Result<bool> {
    let after: i64 = query_scalar("SELECT value FROM counters WHERE name = 'pages'").fetch_one(&mut *conn).await?;
    let rows = query(
        "SELECT id, object_id, document FROM interactions WHERE id > $1 AND remote_actor_id IS NOT NULL AND object_id IS NOT NULL
         ORDER BY id LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(&mut *conn)
    .await?;
    for row in &rows {
        let words: Option<Words> = row.maybe_json("document")?;
        if let Some(page) = words.as_ref().and_then(|words| page_of_row(row, words).transpose()).transpose()? {
            query("UPDATE interactions SET page = $2 WHERE id = $1")
                .bind(row.int("id")?)
                .bind(page)
                .execute(&mut *conn)
                .await?;
        }
    }
    let last = rows.last().map(|row| row.int("id")).transpose()?;
    query("UPDATE counters SET value = $1 WHERE name = 'pages'").bind(last.unwrap_or(i64::MAX)).execute(conn).await?;
    Ok(last.is_some())
}

fn page_of_row(row: &sqlx::any::AnyRow, words: &Words) -> sqlx::Result<Option<String>> {
    Ok(page_of(&row.text("object_id")?, words).map(str::to_owned))
}
