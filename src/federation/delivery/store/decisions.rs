//! What an operator decides about deliveries: once more, or not at all.

use clock::Timestamp;

use crate::base::ids::{ActivityId, HostId, InboxId};
use crate::db::{Conn, Queue, added, query};

/// Has a host asked at once, whatever it failed, and its inboxes too.
pub async fn retry_host(conn: &mut Conn, host: HostId, now: Timestamp) -> sqlx::Result<()> {
    query(
        "UPDATE inboxes SET failures = 0, next_attempt_at = NULL WHERE host_id = $1 AND next_attempt_at IS NOT NULL",
        host,
    )
    .execute(conn)
    .await?;
    query(
        "UPDATE hosts SET gone_at = NULL, failures = 0, failing_since = NULL, backoff_until = NULL, generation = generation + 1,
         next_attempt_at = CASE WHEN lease_owner IS NOT NULL THEN next_attempt_at ELSE $2 END WHERE id = $1",
        (host, now),
    )
    .execute(conn)
    .await?;
    added(Queue::Hosts);
    Ok(())
}

/// Has a delivery that was given up wait again, until `until` at least. False where it is about no article, where it was taken or
/// withdrawn, and where the inbox has taken something later about the same since: it must not see the older after the newer.
pub async fn reopen(conn: &mut Conn, inbox: InboxId, activity: ActivityId, until: Timestamp) -> sqlx::Result<bool> {
    let reopened = query(
        "UPDATE deliveries SET outcome = NULL, settled_at = NULL, expires_at = CASE WHEN expires_at < $3 THEN $3 ELSE expires_at END
         WHERE activity_id = $2 AND inbox_id = $1 AND outcome IN ('refused', 'gone', 'expired')
         AND EXISTS (SELECT 1 FROM activities a WHERE a.id = $2 AND a.article_id IS NOT NULL) AND NOT EXISTS
         (SELECT 1 FROM activities a JOIN activities b ON b.article_id = a.article_id AND b.id > a.id
             JOIN deliveries l ON l.activity_id = b.id AND l.inbox_id = $1 WHERE a.id = $2 AND l.outcome = 'delivered')",
        (inbox, activity, until),
    )
    .changed(conn)
    .await?;
    if reopened {
        query("UPDATE inboxes SET gone_at = NULL, failures = 0, next_attempt_at = NULL WHERE id = $1", inbox)
            .execute(conn)
            .await?;
    }
    Ok(reopened)
}

/// Gives up a delivery that waits; false where none does.
pub async fn drop_one(conn: &mut Conn, inbox: InboxId, activity: ActivityId, now: Timestamp) -> sqlx::Result<bool> {
    query(
        "UPDATE deliveries SET outcome = 'withdrawn', error = 'dropped by the operator', settled_at = $3
         WHERE inbox_id = $1 AND activity_id = $2 AND settled_at IS NULL",
        (inbox, activity, now),
    )
    .changed(conn)
    .await
}

/// Gives up all that waits for a host; says how many that were.
pub async fn drop_all(conn: &mut Conn, host: HostId, now: Timestamp) -> sqlx::Result<u64> {
    query(
        "UPDATE deliveries SET outcome = 'withdrawn', error = 'dropped by the operator', settled_at = $2
         WHERE host_id = $1 AND settled_at IS NULL",
        (host, now),
    )
    .affected(conn)
    .await
}
