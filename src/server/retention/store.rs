//! The only SQL that forgets what is old, by ranges of rows.

use clock::Timestamp;

use super::Step;
use crate::db::{Columns, Conn, Topic, changed, query};

/// Behind which row a walk goes on.
pub(super) async fn place(conn: &mut Conn, walk: &str) -> sqlx::Result<i64> {
    let place: Option<i64> = query("SELECT value FROM counters WHERE name = $1", walk).maybe_scalar(conn).await?;
    Ok(place.unwrap_or_default())
}

pub(super) async fn remember(conn: &mut Conn, walk: &str, place: i64) -> sqlx::Result<()> {
    query(
        "INSERT INTO counters (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value
         WHERE counters.value <> excluded.value",
        (walk, place),
    )
    .execute(conn)
    .await
}

/// The last of the next rows of a table.
macro_rules! last_of_next {
    ($table:literal) => {
        concat!("SELECT MAX(id) FROM (SELECT id FROM ", $table, " WHERE id > $1 ORDER BY id LIMIT $2) next")
    };
}

/// The last of the next activities that are old enough: they stand in the order of time.
pub(super) async fn next_activities(
    conn: &mut Conn,
    after: i64,
    before: Timestamp,
    limit: i64,
) -> sqlx::Result<Option<i64>> {
    query(
        "SELECT MAX(id) FROM (SELECT id, created_at FROM activities WHERE id > $1 ORDER BY id LIMIT $2) next WHERE created_at < $3",
        (after, limit, before),
    )
    .scalar(conn)
    .await
}

/// As [`next_activities`], of what came.
pub(super) async fn next_inbound(
    conn: &mut Conn,
    after: i64,
    before: Timestamp,
    limit: i64,
) -> sqlx::Result<Option<i64>> {
    query(
        "SELECT MAX(id) FROM (SELECT id, received_at FROM inbound WHERE id > $1 ORDER BY id LIMIT $2) next WHERE received_at < $3",
        (after, limit, before),
    )
    .scalar(conn)
    .await
}

pub(super) async fn next_articles(conn: &mut Conn, after: i64, limit: i64) -> sqlx::Result<Option<i64>> {
    query(last_of_next!("articles"), (after, limit)).scalar(conn).await
}

pub(super) async fn next_actors(conn: &mut Conn, after: i64, limit: i64) -> sqlx::Result<Option<i64>> {
    query(last_of_next!("remote_actors"), (after, limit)).scalar(conn).await
}

pub(super) async fn next_inboxes(conn: &mut Conn, after: i64, limit: i64) -> sqlx::Result<Option<i64>> {
    query(last_of_next!("inboxes"), (after, limit)).scalar(conn).await
}

pub(super) async fn next_hosts(conn: &mut Conn, after: i64, limit: i64) -> sqlx::Result<Option<i64>> {
    query(last_of_next!("hosts"), (after, limit)).scalar(conn).await
}

/// Forgets the settled deliveries of activities, but for those of a note that stands: its Update and Delete go to whoever
/// was sent it.
pub(super) async fn forget_deliveries(conn: &mut Conn, step: Step, limit: i64) -> sqlx::Result<u64> {
    query(
        "DELETE FROM deliveries WHERE (activity_id, inbox_id) IN (SELECT d.activity_id, d.inbox_id FROM activities a
         JOIN deliveries d ON d.activity_id = a.id WHERE a.id > $1 AND a.id <= $2 AND a.fanned_out_at IS NOT NULL
         AND d.settled_at IS NOT NULL AND (a.interaction_id IS NULL OR EXISTS (SELECT 1 FROM interactions n
             WHERE n.id = a.interaction_id AND n.ended_at < $3)) LIMIT $4)",
        (step.after, step.through, step.before, limit),
    )
    .affected(conn)
    .await
}

/// Forgets the bodies of activities of which nothing is on its way, but for what an outbox shows and what is about a note
/// that stands.
pub(super) async fn forget_bodies(conn: &mut Conn, step: Step) -> sqlx::Result<()> {
    query(
        "UPDATE activities SET body = '{}' WHERE id > $1 AND id <= $2 AND body <> '{}' AND fanned_out_at IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.activity_id = activities.id AND d.settled_at IS NULL)
         AND CASE WHEN interaction_id IS NOT NULL THEN EXISTS (SELECT 1 FROM interactions n
                 WHERE n.id = activities.interaction_id AND n.ended_at < $3)
             WHEN kind IN ('Create', 'Announce') THEN EXISTS (SELECT 1 FROM articles t
                 WHERE t.id = activities.article_id AND t.deleted_at < $3)
             ELSE 1 = 1 END",
        (step.after, step.through, step.before),
    )
    .execute(conn)
    .await
}

/// Forgets answers to one inbox, whose ids nobody can ask for, but for that by which somebody follows.
pub(super) async fn forget_answers(conn: &mut Conn, step: Step) -> sqlx::Result<()> {
    query(
        "DELETE FROM activities WHERE id > $1 AND id <= $2 AND audience = 'one'
         AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.activity_id = activities.id)
         AND NOT EXISTS (SELECT 1 FROM inbound i JOIN remote_actors r ON r.url = i.actor
             JOIN followers f ON f.remote_actor_id = r.id WHERE i.id = activities.inbound_id AND f.follow_id = i.activity_id)",
        (step.after, step.through),
    )
    .execute(conn)
    .await
}

/// Forgets who was sent an article that ended, or fetched it, once its Delete was said.
pub(super) async fn forget_reach(conn: &mut Conn, step: Step, limit: i64) -> sqlx::Result<u64> {
    let sent = query(
        "DELETE FROM article_delivered WHERE (article_id, inbox_id) IN (SELECT d.article_id, d.inbox_id FROM articles t
         JOIN article_delivered d ON d.article_id = t.id WHERE t.id > $1 AND t.id <= $2 AND t.deleted_at < $3
         AND t.revision = t.published_revision LIMIT $4)",
        (step.after, step.through, step.before, limit),
    )
    .affected(conn)
    .await?;
    let fetched = query(
        "DELETE FROM article_fetched WHERE (article_id, inbox_id) IN (SELECT d.article_id, d.inbox_id FROM articles t
         JOIN article_fetched d ON d.article_id = t.id WHERE t.id > $1 AND t.id <= $2 AND t.deleted_at < $3
         AND t.revision = t.published_revision LIMIT $4)",
        (step.after, step.through, step.before, limit),
    )
    .affected(conn)
    .await?;
    Ok(sent.max(fetched))
}

/// Forgets what came and has its verdict, but for what a standing thing began with, and what something refers to.
pub(super) async fn forget_inbound(conn: &mut Conn, step: Step) -> sqlx::Result<()> {
    query(
        "DELETE FROM inbound WHERE id > $1 AND id <= $2 AND settled_at < $3 AND raw = ''
         AND NOT EXISTS (SELECT 1 FROM reports p WHERE p.inbound_id = inbound.id)
         AND NOT EXISTS (SELECT 1 FROM activities a WHERE a.inbound_id = inbound.id)
         AND NOT EXISTS (SELECT 1 FROM fetch_queue w WHERE w.inbound_id = inbound.id)
         AND (verdict <> 'accepted' OR NOT EXISTS (SELECT 1 FROM interactions n
                 WHERE n.object_id = inbound.object_id AND n.ended_at IS NULL)
             AND NOT EXISTS (SELECT 1 FROM remote_actors r JOIN relations k ON k.remote_actor_id = r.id
                 LEFT JOIN articles t ON t.uuid = k.object WHERE r.url = inbound.actor AND k.stands = 1
                 AND k.begun_by = inbound.activity_id AND t.deleted_at IS NULL))",
        (step.after, step.through, step.before),
    )
    .execute(conn)
    .await
}

/// Remote actors of a range, not read for long, who neither follow nor said anything, and to whom nothing refers.
macro_rules! unneeded_actors {
    () => {
        "SELECT r.id FROM remote_actors r WHERE r.id > $1 AND r.id <= $2 AND r.fetched_at < $3
         AND NOT EXISTS (SELECT 1 FROM followers f WHERE f.remote_actor_id = r.id)
         AND NOT EXISTS (SELECT 1 FROM interactions n WHERE n.remote_actor_id = r.id)
         AND NOT EXISTS (SELECT 1 FROM blocked_by b WHERE b.remote_actor_id = r.id)
         AND NOT EXISTS (SELECT 1 FROM relations k LEFT JOIN articles t ON t.uuid = k.object
             WHERE k.remote_actor_id = r.id AND k.stands = 1 AND t.deleted_at IS NULL)
         AND NOT EXISTS (SELECT 1 FROM inbound w WHERE w.actor = r.url AND w.verdict IS NULL)
         AND NOT EXISTS (SELECT 1 FROM actor_refreshes w WHERE w.remote_actor_id = r.id AND w.next_attempt_at IS NOT NULL)"
    };
}

/// Forgets reactions that were taken back, or of an article that ended; of a reply its end stays.
pub(super) async fn forget_reactions(conn: &mut Conn, step: Step, limit: i64) -> sqlx::Result<u64> {
    query(
        "DELETE FROM interactions WHERE id IN (SELECT n.id FROM remote_actors r JOIN interactions n ON n.remote_actor_id = r.id
         JOIN articles t ON t.id = n.article_id WHERE r.id > $1 AND r.id <= $2 AND n.object_id IS NULL
         AND (n.ended_at < $3 OR t.deleted_at < $3) LIMIT $4)",
        (step.after, step.through, step.before, limit),
    )
    .affected(conn)
    .await
}

/// Forgets the remote actors of a range whom nothing needs.
pub(super) async fn forget_actors(conn: &mut Conn, step: Step) -> sqlx::Result<()> {
    let keys: Vec<String> = query(
        concat!("DELETE FROM remote_keys WHERE remote_actor_id IN (", unneeded_actors!(), ") RETURNING id"),
        (step.after, step.through, step.before),
    )
    .scalars(conn)
    .await?;
    for about in [
        concat!("DELETE FROM actor_refreshes WHERE remote_actor_id IN (", unneeded_actors!(), ")"),
        concat!("DELETE FROM relations WHERE remote_actor_id IN (", unneeded_actors!(), ")"),
    ] {
        query(about, (step.after, step.through, step.before)).execute(conn).await?;
    }
    let forgotten = query(
        concat!("DELETE FROM remote_actors WHERE id IN (", unneeded_actors!(), ") RETURNING url"),
        (step.after, step.through, step.before),
    )
    .fetch_all(conn, |row| row.text("url"))
    .await?;
    for known in forgotten.iter().chain(&keys) {
        changed(Topic::RemoteActor(known));
    }
    Ok(())
}

/// Forgets inboxes that are nobody's, to which nothing is on its way, and which know no article that stands.
pub(super) async fn forget_inboxes(conn: &mut Conn, step: Step) -> sqlx::Result<()> {
    query(
        "DELETE FROM inboxes WHERE id > $1 AND id <= $2
         AND NOT EXISTS (SELECT 1 FROM remote_actors r WHERE r.inbox_id = inboxes.id)
         AND NOT EXISTS (SELECT 1 FROM remote_actors r WHERE r.shared_inbox_id = inboxes.id)
         AND NOT EXISTS (SELECT 1 FROM article_delivered d WHERE d.inbox_id = inboxes.id)
         AND NOT EXISTS (SELECT 1 FROM article_fetched d WHERE d.inbox_id = inboxes.id)
         AND NOT EXISTS (SELECT 1 FROM actor_refreshes w WHERE w.inbox_id = inboxes.id)
         AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.inbox_id = inboxes.id AND d.settled_at IS NULL)
         AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.holds_inbox_id = inboxes.id AND d.settled_at IS NULL)",
        (step.after, step.through),
    )
    .execute(conn)
    .await
}

/// Forgets hosts without an inbox that are not served just now; what is known of a blocked one stays.
pub(super) async fn forget_hosts(conn: &mut Conn, step: Step) -> sqlx::Result<()> {
    query(
        "DELETE FROM hosts WHERE id > $1 AND id <= $2 AND blocked_at IS NULL AND lease_owner IS NULL
         AND NOT EXISTS (SELECT 1 FROM inboxes i WHERE i.host_id = hosts.id)
         AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.host_id = hosts.id AND d.settled_at IS NULL)",
        (step.after, step.through),
    )
    .execute(conn)
    .await
}

/// Forgets counts of rejections of before a day.
pub(super) async fn forget_rejections(conn: &mut Conn, day: &str, limit: i64) -> sqlx::Result<()> {
    query(
        "DELETE FROM rejections WHERE (day, host, reason) IN (SELECT r.day, r.host, r.reason FROM rejections r WHERE r.day < $1 LIMIT $2)",
        (day, limit),
    )
    .execute(conn)
    .await
}
