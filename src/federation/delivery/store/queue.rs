//! Queues an activity for one recipient; finds or makes inboxes.

use std::time::Duration;

use clock::Timestamp;

use super::hosts::woken;
use crate::base::ids::{ActivityId, ArticleId, Host, Ids, InboxId};
use crate::db::{Conn, Queue, added, query};
use crate::federation::delivery::policy::time_to_live;

/// How long a shared inbox that is gone stays so, although its server's actors still name it.
const GONE_FOR: Duration = Duration::from_hours(24);

/// How far apart the ids of a host's inboxes are at most, so that two writers seldom choose the same.
const APART: i64 = 1 << 16;

/// Finds or makes an inbox and its host. One that was gone is there again, since an actor names it. The ids of a host's
/// inboxes are neighbours, so that a fan-out in their order serves one host after the other (ADR 15).
pub(crate) async fn inbox(
    conn: &mut Conn,
    ids: &Ids,
    host: &Host,
    url: &str,
    shared: bool,
    now: Timestamp,
) -> sqlx::Result<InboxId> {
    query("INSERT INTO hosts (id, name) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", (ids.row(), host.as_str()))
        .execute(conn)
        .await?;
    let id = ids.row();
    query(
        "INSERT INTO inboxes (id, host_id, url, shared)
         SELECT CASE WHEN EXISTS (SELECT 1 FROM inboxes t WHERE t.id = n.next) THEN $1 ELSE n.next END, n.id, $2, $3
         FROM (SELECT h.id, COALESCE((SELECT MAX(i.id) FROM inboxes i WHERE i.host_id = h.id), h.id) + $6 AS next
             FROM hosts h WHERE h.name = $4) n WHERE n.id > 0
         ON CONFLICT (url) DO UPDATE SET gone_at = CASE WHEN inboxes.shared = 1 AND inboxes.gone_at > $5 THEN inboxes.gone_at
             ELSE NULL END",
        (id, url, shared, host.as_str(), now - GONE_FOR, 1 + id % APART),
    )
    .execute(conn)
    .await?;
    query("SELECT id FROM inboxes WHERE url = $1", url).scalar(conn).await.map(InboxId)
}

/// Counts an inbox among those that know an article, so that its Update and Delete are sent there too (interop D6).
pub(crate) async fn reach(conn: &mut Conn, article: ArticleId, inbox: InboxId) -> sqlx::Result<()> {
    query(
        "INSERT INTO article_delivered (article_id, inbox_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        (article, inbox),
    )
    .execute(conn)
    .await
}

/// Whether an activity is a Delete or Reject: all that a blocked host still gets.
pub(super) fn is_end(kind: &str) -> bool {
    matches!(kind, "Delete" | "Reject")
}

/// Queues one activity that is about no article for one inbox; `holds` is the shared inbox that has to wait for it.
pub(crate) async fn enqueue(
    conn: &mut Conn,
    activity: ActivityId,
    kind: &str,
    inbox: InboxId,
    holds: Option<InboxId>,
    now: Timestamp,
) -> sqlx::Result<()> {
    query(
        "INSERT INTO deliveries (inbox_id, activity_id, host_id, holds_inbox_id, created_at, expires_at)
         SELECT i.id, $2, i.host_id, $3, $4, $5 FROM inboxes i JOIN hosts h ON h.id = i.host_id
         WHERE i.id = $1 AND (h.blocked_at IS NULL OR $6 = 1) ON CONFLICT (inbox_id, activity_id) DO NOTHING",
        (inbox, activity, holds, now, now + time_to_live(kind, None), is_end(kind)),
    )
    .execute(conn)
    .await?;
    query(
        concat!(
            woken!("$3"),
            "IN (SELECT host_id FROM deliveries WHERE activity_id = $1 AND inbox_id = $2 AND settled_at IS NULL)"
        ),
        (activity, inbox, now),
    )
    .execute(conn)
    .await?;
    added(Queue::Hosts);
    Ok(())
}
