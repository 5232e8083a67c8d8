//! How far an article has come: how many hosts took it, and how many took its Delete.

use crate::base::ids::ArticleId;
use crate::db::{Columns, Conn, query};

/// Hosts by what became of what they were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Spread {
    /// They took it.
    pub taken: i64,
    /// It waits for them.
    pub waiting: i64,
    /// It was given up for them.
    pub given_up: i64,
}

/// What became of an article, or of its Delete, of which a host confirms all; `most` deliveries are looked at.
pub async fn spread(conn: &mut Conn, article: ArticleId, ended: bool, most: i64) -> sqlx::Result<Spread> {
    query(
        "SELECT COUNT(CASE WHEN taken = 1 THEN 1 END) AS taken, COUNT(CASE WHEN taken = 0 AND waits = 1 THEN 1 END) AS waiting,
         COUNT(CASE WHEN taken = 0 AND waits = 0 THEN 1 END) AS given_up FROM
         (SELECT host_id, CASE WHEN $2 = 1 THEN MIN(CASE WHEN outcome = 'delivered' THEN 1 ELSE 0 END)
                 ELSE MAX(CASE WHEN outcome = 'delivered' THEN 1 ELSE 0 END) END AS taken,
             MAX(CASE WHEN outcome IS NULL THEN 1 ELSE 0 END) AS waits FROM
             (SELECT d.host_id, d.outcome FROM activities a JOIN deliveries d ON d.activity_id = a.id
              WHERE a.article_id = $1 AND a.interaction_id IS NULL
              AND ($2 = 1 AND a.kind = 'Delete' OR $2 = 0 AND a.kind IN ('Create', 'Announce')) LIMIT $3) sent
          GROUP BY host_id) hosts",
        (article, ended, most),
    )
    .fetch_one(conn, |row| {
        Ok(Spread { taken: row.int("taken")?, waiting: row.int("waiting")?, given_up: row.int("given_up")? })
    })
    .await
}
