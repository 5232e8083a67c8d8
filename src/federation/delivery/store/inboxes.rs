//! Inboxes: put off, revived, gone, and what waits for them then.

use clock::Timestamp;

use crate::base::ids::InboxId;
use crate::db::{Conn, Queue, Topic, added, changed, query};

/// An inbox answered: it need not wait any longer.
pub(crate) async fn clear_inbox(conn: &mut Conn, inbox: i64) -> sqlx::Result<()> {
    query(
        "UPDATE inboxes SET failures = 0, next_attempt_at = NULL WHERE id = $1 AND (failures > 0 OR next_attempt_at IS NOT NULL)",
        inbox,
    )
    .execute(conn)
    .await
}

/// Puts an inbox off.
pub(crate) async fn back_off_inbox(conn: &mut Conn, inbox: InboxId, until: Timestamp) -> sqlx::Result<()> {
    query("UPDATE inboxes SET failures = failures + 1, next_attempt_at = $2 WHERE id = $1", (inbox, until))
        .execute(conn)
        .await
}

/// Somebody whose inbox was gone sent us a verified request, so the inbox is there.
pub(crate) async fn revive_inbox(conn: &mut Conn, inbox: InboxId) -> sqlx::Result<()> {
    query("UPDATE inboxes SET gone_at = NULL WHERE id = $1 AND gone_at IS NOT NULL", inbox).execute(conn).await
}

/// A shared inbox is gone, but those behind it are there: what waits for it, and what it was sent, is theirs from now
/// on. A fan-out under way goes back to the first of them, since it skipped them because of the shared one.
pub async fn reroute(conn: &mut Conn, shared: InboxId, now: Timestamp) -> sqlx::Result<()> {
    changed(Topic::Deliveries);
    query(
        "UPDATE activities SET fanout_cursor = (SELECT MIN(r.inbox_id) - 1 FROM remote_actors r WHERE r.shared_inbox_id = $1)
         WHERE fanned_out_at IS NULL AND fanout_cursor > (SELECT MIN(r.inbox_id) - 1 FROM remote_actors r
             WHERE r.shared_inbox_id = $1)",
        shared,
    )
    .execute(conn)
    .await?;
    query(
        "INSERT INTO deliveries (inbox_id, activity_id, host_id, created_at, expires_at)
         SELECT DISTINCT p.id, d.activity_id, p.host_id, d.created_at, d.expires_at FROM deliveries d
         JOIN remote_actors r ON r.shared_inbox_id = d.inbox_id JOIN inboxes p ON p.id = r.inbox_id
         WHERE d.inbox_id = $1 AND d.settled_at IS NULL AND p.id <> $1 AND p.gone_at IS NULL
         AND (EXISTS (SELECT 1 FROM followers f WHERE f.remote_actor_id = r.id)
             OR EXISTS (SELECT 1 FROM interactions n WHERE n.remote_actor_id = r.id))
         ON CONFLICT (inbox_id, activity_id) DO NOTHING",
        shared,
    )
    .execute(conn)
    .await?;
    query(
        "INSERT INTO article_delivered (article_id, inbox_id) SELECT DISTINCT a.article_id, r.inbox_id FROM article_delivered a
         JOIN remote_actors r ON r.shared_inbox_id = a.inbox_id WHERE a.inbox_id = $1 AND r.inbox_id <> $1
         AND EXISTS (SELECT 1 FROM followers f WHERE f.remote_actor_id = r.id)
         ON CONFLICT (article_id, inbox_id) DO NOTHING",
        shared,
    )
    .execute(conn)
    .await?;
    query(
        "UPDATE hosts SET generation = generation + 1, next_attempt_at = COALESCE(next_attempt_at, $2)
         WHERE id IN (SELECT p.host_id FROM remote_actors r JOIN inboxes p ON p.id = r.inbox_id WHERE r.shared_inbox_id = $1)",
        (shared, now),
    )
    .execute(conn)
    .await?;
    added(Queue::Hosts);
    added(Queue::Outbox);
    Ok(())
}

/// Keeps fan-outs and the end of shared inboxes apart until the end of the transaction, so that a step of a fan-out
/// sees the inbox of a follower as it was before or after, never between. It is taken first, before any host.
pub async fn no_fan_out(conn: &mut Conn) -> sqlx::Result<()> {
    query("UPDATE counters SET value = value + 1 WHERE name = 'fanout'", ()).execute(conn).await
}

/// An inbox is gone: what waits for it is settled, and nothing is queued for it again.
pub async fn drop_inbox(conn: &mut Conn, inbox: InboxId, now: Timestamp) -> sqlx::Result<()> {
    changed(Topic::Deliveries);
    // Whoever has it again does not wait for what was.
    query(
        "UPDATE inboxes SET gone_at = $2, failures = 0, next_attempt_at = NULL WHERE id = $1 AND gone_at IS NULL",
        (inbox, now),
    )
    .execute(conn)
    .await?;
    query(
        "UPDATE deliveries SET outcome = 'gone', settled_at = $2 WHERE inbox_id = $1 AND settled_at IS NULL",
        (inbox, now),
    )
    .execute(conn)
    .await
}
