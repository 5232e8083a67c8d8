//! Inboxes of a host: what waits for each, oldest first, and when it may be sent.

use clock::Timestamp;
use sqlx::any::AnyRow;

use crate::base::ids::{ActivityId, ActorId, ArticleId, HostId, InboxId, InteractionId};
use crate::db::{Columns, Conn, Queue, added, query};
use crate::federation::delivery::Waiting;
use crate::federation::delivery::policy::ACCEPT_HOLDS;

/// The first inbox of a host after `after` for which something waits, and the oldest of it.
pub(crate) async fn next_inbox(
    conn: &mut Conn,
    host: HostId,
    after: InboxId,
    now: Timestamp,
) -> sqlx::Result<Option<Waiting>> {
    let inbox = query(
        "SELECT inbox_id FROM deliveries WHERE host_id = $1 AND settled_at IS NULL AND inbox_id > $2
         ORDER BY inbox_id LIMIT 1",
        (host, after),
    )
    .maybe_scalar(conn)
    .await?;
    match inbox {
        None => Ok(None),
        Some(inbox) => oldest(conn, host, inbox, now).await,
    }
}

/// The oldest activity that waits for an inbox.
pub(crate) async fn oldest(
    conn: &mut Conn,
    host: HostId,
    inbox: InboxId,
    now: Timestamp,
) -> sqlx::Result<Option<Waiting>> {
    query(
        "SELECT d.inbox_id, i.url, i.shared, i.failures, i.next_attempt_at, d.activity_id, a.kind, a.actor_id, a.article_id,
         a.interaction_id, a.body, d.by_reference, d.expires_at,
         (SELECT MIN(h.created_at) FROM deliveries h WHERE h.holds_inbox_id = d.inbox_id AND h.settled_at IS NULL
             AND h.activity_id < d.activity_id AND h.created_at > $3) AS held_since
         FROM deliveries d JOIN inboxes i ON i.id = d.inbox_id JOIN activities a ON a.id = d.activity_id
         WHERE d.host_id = $1 AND d.inbox_id = $2 AND d.settled_at IS NULL ORDER BY d.activity_id LIMIT 1",
        (host, inbox, now - ACCEPT_HOLDS),
    )
    .fetch_optional(conn, read_waiting)
    .await
}

fn read_waiting(row: &AnyRow) -> sqlx::Result<Waiting> {
    Ok(Waiting {
        inbox: InboxId(row.int("inbox_id")?),
        url: row.text("url")?,
        shared: row.flag("shared")?,
        inbox_failures: row.int("failures")?,
        not_before: row.maybe_time("next_attempt_at")?,
        held_until: row.maybe_time("held_since")?.map(|since| since + ACCEPT_HOLDS),
        activity: ActivityId(row.int("activity_id")?),
        kind: row.text("kind")?,
        actor: ActorId(row.int("actor_id")?),
        article: row.maybe_int("article_id")?.map(ArticleId),
        said: row.maybe_int("interaction_id")?.map(InteractionId),
        body: row.text("body")?,
        by_reference: row.flag("by_reference")?,
        expires_at: row.time("expires_at")?,
    })
}

/// An inbox answered: it need not wait any longer.
pub(crate) async fn clear_inbox(conn: &mut Conn, inbox: InboxId) -> sqlx::Result<()> {
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
