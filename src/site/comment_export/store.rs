//! The only SQL for comment exports.

use clock::Timestamp;
use sqlx::any::AnyRow;

use crate::db::{Columns, Conn, query};

/// The state of a comment export as its node left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    pub(crate) node: String,
    pub(crate) source: String,
    /// The site's root folder.
    pub(crate) folder: String,
    /// A hash of all that the files depended on; empty after a failure.
    pub(crate) seen: String,
    /// When it last ran.
    pub(crate) at: Timestamp,
    /// The error of that run.
    pub error: Option<String>,
}

/// Those of other nodes too.
pub async fn all(conn: &mut Conn) -> sqlx::Result<Vec<Passed>> {
    let read = |row: &AnyRow| {
        Ok(Passed {
            node: row.text("node")?,
            source: row.text("source")?,
            folder: row.text("folder")?,
            seen: row.text("seen")?,
            at: row.time("exported_at")?,
            error: row.maybe_text("error")?,
        })
    };
    let passed = query("SELECT node, source, folder, seen, exported_at, error FROM comment_exports", ());
    let mut all = passed.fetch_all(conn, read).await?;
    all.sort_by(|a, b| (&a.source, &a.folder, &a.node).cmp(&(&b.source, &b.folder, &b.node)));
    Ok(all)
}

pub(crate) async fn save(conn: &mut Conn, passed: &Passed) -> sqlx::Result<()> {
    query(
        "INSERT INTO comment_exports (node, source, folder, seen, exported_at, error) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (node, source, folder) DO UPDATE SET seen = $4, exported_at = $5, error = $6",
        (&passed.node, &passed.source, &passed.folder, &passed.seen, passed.at, passed.error.as_deref()),
    )
    .execute(conn)
    .await
}
