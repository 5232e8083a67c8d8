//! The only SQL for what was handed back.

use clock::Timestamp;
use sqlx::query;

use crate::db::{Columns, Conn};

/// One comment export as its node left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Whose node.
    pub(crate) node: String,
    /// The source's name.
    pub(crate) source: String,
    /// The site's root folder.
    pub(crate) folder: String,
    /// A hash of all that decided what was written; empty after a failure.
    pub(crate) seen: String,
    /// When it was last gone through.
    pub(crate) at: Timestamp,
    /// What went wrong then.
    pub error: Option<String>,
}

/// All of them, those of other nodes too.
pub async fn all(conn: &mut Conn) -> sqlx::Result<Vec<Passed>> {
    let rows =
        query("SELECT node, source, folder, seen, exported_at, error FROM comment_exports").fetch_all(conn).await?;
    let read = |row| {
        Ok(Passed {
            node: Columns::text(row, "node")?,
            source: Columns::text(row, "source")?,
            folder: Columns::text(row, "folder")?,
            seen: Columns::text(row, "seen")?,
            at: Columns::time(row, "exported_at")?,
            error: Columns::maybe_text(row, "error")?,
        })
    };
    let mut all: Vec<Passed> = rows.iter().map(read).collect::<sqlx::Result<_>>()?;
    all.sort_by(|a, b| (&a.source, &a.folder, &a.node).cmp(&(&b.source, &b.folder, &b.node)));
    Ok(all)
}

/// Notes that one was gone through.
pub(crate) async fn save(conn: &mut Conn, passed: &Passed) -> sqlx::Result<()> {
    query(
        "INSERT INTO comment_exports (node, source, folder, seen, exported_at, error) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (node, source, folder) DO UPDATE SET seen = $4, exported_at = $5, error = $6",
    )
    .bind(&passed.node)
    .bind(&passed.source)
    .bind(&passed.folder)
    .bind(&passed.seen)
    .bind(passed.at.millis())
    .bind(passed.error.as_deref())
    .execute(conn)
    .await?;
    Ok(())
}
