//! What a verified activity of somebody else's means for deliveries, of many at once.

use clock::Timestamp;

use crate::base::ids::{ArticleId, Host, InboxId};
use crate::db::{Conn, Queue, added, json, query};
use crate::over_rows;

/// Hosts that counted as gone sent us verified requests: they are due again at once (interop D3).
pub(crate) async fn heal_all(conn: &mut Conn, hosts: &[Host], now: Timestamp) -> sqlx::Result<()> {
    if hosts.is_empty() {
        return Ok(());
    }
    let rows: Vec<[&str; 1]> = hosts.iter().map(|host| [host.as_str()]).collect();
    let statement = over_rows!(
        conn,
        "UPDATE hosts SET gone_at = NULL, failures = 0, failing_since = NULL, backoff_until = NULL, generation = generation + 1,
         next_attempt_at = CASE WHEN next_attempt_at IS NULL OR lease_owner IS NOT NULL THEN next_attempt_at ELSE $2 END
         WHERE gone_at IS NOT NULL AND name IN (SELECT r.value ->> 0 FROM ",
        ")"
    );
    if query(statement, (json(&rows)?, now)).changed(conn).await? {
        added(Queue::Hosts);
    }
    Ok(())
}

/// Counts inboxes among those that know an article, so that its Update and Delete are sent there too (interop D6).
pub(crate) async fn reach_all(conn: &mut Conn, reached: &[(ArticleId, InboxId)]) -> sqlx::Result<()> {
    if reached.is_empty() {
        return Ok(());
    }
    let rows: Vec<(i64, i64)> = reached.iter().map(|(article, inbox)| (article.0, inbox.0)).collect();
    let statement = over_rows!(
        conn,
        "INSERT INTO article_delivered (article_id, inbox_id) SELECT CAST(r.value ->> 0 AS BIGINT), CAST(r.value ->> 1 AS BIGINT) FROM ",
        " WHERE 1 = 1 ON CONFLICT DO NOTHING"
    );
    query(statement, json(&rows)?).execute(conn).await
}
