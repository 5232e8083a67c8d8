//! Inboxes that answered 404 or 410: whose actors are read again because of it, and where what waits goes then.

use std::time::Duration;

use clock::Timestamp;
use url::Url;

use super::hosts::woken;
use crate::app::worker::store::leases::{
    self, claim_sql, claiming, ended_sql, free_sql, held_sql, put_off_sql, taken_sql,
};
use crate::base::ids::{Host, HostId, InboxId, RemoteActorId};
use crate::db::{Columns, Conn, Db, Topic, changed, query};
use crate::federation::delivery::Waiting;

/// How long an actor is not read again because of an inbox.
pub(crate) const ONCE_IN: Duration = Duration::from_hours(24);

/// The time between two readings at one host.
const BETWEEN: Duration = Duration::from_secs(2);

/// Most actors read again because of one personal inbox; more than one behind it is rare.
const BEHIND: i64 = 20;

/// Most actors read again because the shared inbox of one of them has changed.
const NEIGHBOURS: i64 = 5000;

/// How long a claim lasts: longer than the slowest reading.
const LEASE: Duration = Duration::from_mins(2);

/// An actor to be read again.
#[derive(Clone, Debug)]
pub(crate) struct Refresh {
    pub(crate) actor: RemoteActorId,
    /// The actor's id.
    pub(crate) url: String,
    /// The inbox that answered.
    pub(crate) inbox: InboxId,
    pub(crate) shared: bool,
    /// What it answered: 404 or 410.
    pub(crate) answer: i64,
    /// How often they were to be read since they were asked for, this time included.
    pub(crate) attempts: i64,
    /// How often in a row, this time included, without an end in order.
    pub(crate) begun: i64,
    /// The fence of the lease.
    pub(crate) token: i64,
}

/// Queues the actors behind an inbox that answered 404 or 410 to be read again: each once a day at most, and of those
/// behind a shared one a single one, since the others have inboxes of their own. Returns whether what waits for this
/// inbox should wait for that.
pub(crate) async fn read_again(conn: &mut Conn, waiting: &Waiting, answer: u16, now: Timestamp) -> sqlx::Result<bool> {
    let since = now - ONCE_IN;
    let statement = if waiting.shared {
        "SELECT r.id, r.url FROM remote_actors r JOIN inboxes i ON i.id = r.shared_inbox_id JOIN hosts h ON h.id = i.host_id
             WHERE r.shared_inbox_id = $1 AND r.gone_at IS NULL AND h.blocked_at IS NULL
             AND EXISTS (SELECT 1 FROM followers f WHERE f.remote_actor_id = r.id)
             AND NOT EXISTS (SELECT 1 FROM actor_refreshes a WHERE a.inbox_id = $1 AND a.asked_at > $2) ORDER BY r.id LIMIT $3"
    } else {
        "SELECT r.id, r.url FROM remote_actors r JOIN inboxes i ON i.id = r.inbox_id JOIN hosts h ON h.id = i.host_id
             WHERE r.inbox_id = $1 AND r.gone_at IS NULL AND h.blocked_at IS NULL
             AND NOT EXISTS (SELECT 1 FROM actor_refreshes a WHERE a.remote_actor_id = r.id AND a.asked_at > $2) ORDER BY r.id LIMIT $3"
    };
    let limit = if waiting.shared { 1 } else { BEHIND };
    let actors = query(statement, (waiting.inbox, since, limit))
        .fetch_all(conn, |row| Ok((row.int("id")?, row.text("url")?)))
        .await?;
    for (id, url) in actors {
        let Some(host) = Url::parse(&url).ok().as_ref().and_then(Host::of) else { continue };
        let last: Option<i64> = query(
            "SELECT MAX(next_attempt_at) FROM actor_refreshes WHERE host = $1 AND next_attempt_at IS NOT NULL",
            host.as_str(),
        )
        .scalar(conn)
        .await?;
        let due = last.map_or(now, |last| now.max(Timestamp::from_millis(last) + BETWEEN));
        query(
            "INSERT INTO actor_refreshes (remote_actor_id, inbox_id, host, answer, asked_at, next_attempt_at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (remote_actor_id) DO UPDATE SET inbox_id = excluded.inbox_id, host = excluded.host,
             answer = excluded.answer, asked_at = excluded.asked_at, next_attempt_at = excluded.next_attempt_at, attempts = 0, begun = 0, lease_owner = NULL
             WHERE actor_refreshes.asked_at <= $7",
            (id, waiting.inbox, host.as_str(), i64::from(answer), now, due, since),
        )
        .execute(conn)
        .await?;
    }
    is_awaited(conn, waiting.inbox).await
}

/// Whether an actor of this personal inbox is still to be read again.
pub(crate) async fn is_awaited(conn: &mut Conn, inbox: InboxId) -> sqlx::Result<bool> {
    query(
        "SELECT a.remote_actor_id FROM remote_actors r JOIN actor_refreshes a ON a.remote_actor_id = r.id
         WHERE r.inbox_id = $1 AND a.next_attempt_at IS NOT NULL LIMIT 1",
        inbox,
    )
    .exists(conn)
    .await
}

/// Whose turn it is: of each host one at a time.
macro_rules! due {
    () => {
        "SELECT w.remote_actor_id FROM actor_refreshes w WHERE w.next_attempt_at <= $1 AND NOT EXISTS (SELECT 1 FROM actor_refreshes e
             WHERE e.host = w.host AND e.next_attempt_at IS NOT NULL AND e.remote_actor_id <> w.remote_actor_id
             AND ((e.lease_owner IS NOT NULL AND e.next_attempt_at > $1) OR e.next_attempt_at < w.next_attempt_at
             OR (e.next_attempt_at = w.next_attempt_at AND e.remote_actor_id < w.remote_actor_id)))"
    };
}

/// Whether it is anybody's turn: a cheap look before a claim.
pub(crate) async fn any_refresh_due(conn: &mut Conn, now: Timestamp) -> sqlx::Result<bool> {
    query(concat!(due!(), " LIMIT 1"), now).exists(conn).await
}

/// Takes up to `limit` of those whose turn it is.
pub(crate) async fn claim_refreshes(
    conn: &mut Conn,
    db: &Db,
    node: &str,
    limit: i64,
    now: Timestamp,
) -> sqlx::Result<Vec<Refresh>> {
    let statement = claim_sql!(
        db,
        "actor_refreshes",
        ", attempts = attempts + 1",
        "remote_actor_id",
        concat!(due!(), " ORDER BY w.next_attempt_at"),
        "remote_actor_id, inbox_id, answer, attempts"
    );
    let mut refreshes = leases::claim(statement, node, LEASE, limit, now)
        .fetch_all(conn, |row| {
            Ok(Refresh {
                actor: RemoteActorId(row.int("remote_actor_id")?),
                url: String::new(),
                inbox: InboxId(row.int("inbox_id")?),
                shared: false,
                answer: row.int("answer")?,
                attempts: row.int("attempts")?,
                begun: row.int("begun")?,
                token: row.int("lease_token")?,
            })
        })
        .await?;
    for refresh in &mut refreshes {
        (refresh.url, refresh.shared) = query(
            "SELECT r.url, i.shared FROM remote_actors r JOIN inboxes i ON i.id = $2 WHERE r.id = $1",
            (refresh.actor, refresh.inbox),
        )
        .fetch_one(conn, |row| Ok((row.text("url")?, row.flag("shared")?)))
        .await?;
    }
    Ok(refreshes)
}

/// For [`leases::free`].
pub(crate) const FREE_REFRESHES: &str = free_sql!("actor_refreshes", "next_attempt_at IS NOT NULL");

/// Notes that an actor was read; false when another node has claimed it since.
pub(crate) async fn settle_refresh(conn: &mut Conn, refresh: &Refresh) -> sqlx::Result<bool> {
    query(
        concat!(
            "UPDATE actor_refreshes SET next_attempt_at = NULL, ",
            ended_sql!(),
            " WHERE remote_actor_id = $1 AND ",
            held_sql!()
        ),
        (refresh.actor, refresh.token),
    )
    .changed(conn)
    .await
}

/// Puts off all actors of a host that does not answer.
pub(crate) async fn rest_refreshes(conn: &mut Conn, host: &Host, rest: Duration) -> sqlx::Result<()> {
    query(
        "UPDATE actor_refreshes SET next_attempt_at = next_attempt_at + $2 WHERE host = $1 AND next_attempt_at IS NOT NULL AND lease_owner IS NULL",
        (host.as_str(), i64::try_from(rest.as_millis()).unwrap_or(i64::MAX)),
    )
    .execute(conn)
    .await
}

/// Puts an actor off who could not be read just now.
pub(crate) async fn retry_refresh(
    conn: &mut Conn,
    refresh: &Refresh,
    until: Timestamp,
    now: Timestamp,
) -> sqlx::Result<()> {
    query(
        concat!(
            "UPDATE actor_refreshes SET next_attempt_at = $3, asked_at = $4, ",
            ended_sql!(),
            " WHERE remote_actor_id = $1 AND ",
            held_sql!()
        ),
        (refresh.actor, refresh.token, until, now),
    )
    .execute(conn)
    .await
}

/// As [`retry_refresh`], of one that made us fail.
pub(crate) async fn put_off_refresh(
    conn: &mut Conn,
    refresh: &Refresh,
    until: Timestamp,
    now: Timestamp,
) -> sqlx::Result<()> {
    query(
        put_off_sql!("actor_refreshes", ", asked_at = $4", "remote_actor_id"),
        (refresh.actor, refresh.token, until, now),
    )
    .execute(conn)
    .await
}

/// The actor has the same personal inbox as before: what waits for it is due.
pub(crate) async fn stop_waiting(conn: &mut Conn, inbox: InboxId, now: Timestamp) -> sqlx::Result<()> {
    changed(Topic::Deliveries);
    if is_awaited(conn, inbox).await? {
        return Ok(());
    }
    query("UPDATE inboxes SET next_attempt_at = NULL WHERE id = $1", inbox).execute(conn).await?;
    wake_host_of(conn, inbox, now).await
}

/// The shared inbox of one of those behind it has changed: the others are read too, one after the other, since each
/// names its own.
pub(crate) async fn read_neighbours(conn: &mut Conn, refresh: &Refresh, now: Timestamp) -> sqlx::Result<()> {
    query(
        "INSERT INTO actor_refreshes (remote_actor_id, inbox_id, host, answer, asked_at, next_attempt_at)
         SELECT r.id, $1, a.host, a.answer, $3, $3 + $4 * ROW_NUMBER() OVER (ORDER BY r.id)
         FROM remote_actors r JOIN actor_refreshes a ON a.remote_actor_id = $2
         WHERE r.shared_inbox_id = $1 AND r.gone_at IS NULL AND EXISTS (SELECT 1 FROM followers f WHERE f.remote_actor_id = r.id)
         AND NOT EXISTS (SELECT 1 FROM actor_refreshes o WHERE o.remote_actor_id = r.id AND o.asked_at > $5) ORDER BY r.id LIMIT $6
         ON CONFLICT (remote_actor_id) DO UPDATE SET inbox_id = excluded.inbox_id, host = excluded.host, answer = excluded.answer,
         asked_at = excluded.asked_at, next_attempt_at = excluded.next_attempt_at, attempts = 0, begun = 0, lease_owner = NULL",
        (
            refresh.inbox,
            refresh.actor,
            now,
            i64::try_from(BETWEEN.as_millis()).unwrap_or(i64::MAX),
            now - ONCE_IN,
            NEIGHBOURS,
        ),
    )
    .execute(conn)
    .await
}

/// The inboxes of an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) inbox: InboxId,
    pub(crate) shared: Option<InboxId>,
}

/// An actor's document names other inboxes than before: what waits for the old ones goes to the new ones in its order,
/// and an inbox that nobody has any more gets nothing again. What is for this actor alone goes to their own inbox, the
/// rest to the shared one.
pub(crate) async fn move_waiting(conn: &mut Conn, old: Address, new: Address, now: Timestamp) -> sqlx::Result<()> {
    changed(Topic::Deliveries);
    let shared = match new.shared {
        Some(shared) if is_live(conn, shared).await? => shared,
        _ => new.inbox,
    };
    for left in [Some(old.inbox).filter(|left| *left != new.inbox), old.shared.filter(|left| Some(*left) != new.shared)]
        .into_iter()
        .flatten()
        .filter(|left| ![new.inbox, shared].contains(left))
    {
        let is_left = !is_anybodys(conn, left).await?;
        if left != old.inbox && !is_left {
            // Still there, and still heard by their neighbours.
            continue;
        }
        copy_waiting(conn, left, new.inbox, shared).await?;
        if is_left {
            super::drop_inbox(conn, left, now).await?;
        }
    }
    wake_host_of(conn, new.inbox, now).await?;
    wake_host_of(conn, shared, now).await
}

async fn copy_waiting(conn: &mut Conn, from: InboxId, inbox: InboxId, shared: InboxId) -> sqlx::Result<()> {
    query(
        "INSERT INTO deliveries (inbox_id, activity_id, host_id, holds_inbox_id, created_at, expires_at, by_reference)
         SELECT i.id, d.activity_id, i.host_id, CASE WHEN d.holds_inbox_id IS NULL THEN NULL ELSE $3 END, d.created_at, d.expires_at,
         d.by_reference FROM deliveries d JOIN activities a ON a.id = d.activity_id
         JOIN inboxes i ON i.id = CASE WHEN a.audience = 'one' THEN $2 ELSE $3 END
         WHERE d.inbox_id = $1 AND d.settled_at IS NULL ON CONFLICT (inbox_id, activity_id) DO NOTHING",
        (from, inbox, shared),
    )
    .execute(conn)
    .await?;
    for copy in [
        "INSERT INTO article_delivered (article_id, inbox_id) SELECT article_id, $2 FROM article_delivered WHERE inbox_id = $1
         ON CONFLICT (article_id, inbox_id) DO NOTHING",
        "INSERT INTO article_fetched (article_id, inbox_id, host_id, fetched_at) SELECT f.article_id, i.id, i.host_id, f.fetched_at
         FROM article_fetched f JOIN inboxes i ON i.id = $2 WHERE f.inbox_id = $1 ON CONFLICT (article_id, inbox_id) DO NOTHING",
    ] {
        query(copy, (from, shared)).execute(conn).await?;
    }
    Ok(())
}

async fn is_live(conn: &mut Conn, inbox: InboxId) -> sqlx::Result<bool> {
    query("SELECT id FROM inboxes WHERE id = $1 AND gone_at IS NULL", inbox).exists(conn).await
}

async fn is_anybodys(conn: &mut Conn, inbox: InboxId) -> sqlx::Result<bool> {
    query(
        "SELECT id FROM remote_actors WHERE inbox_id = $1 UNION ALL SELECT id FROM remote_actors WHERE shared_inbox_id = $1 LIMIT 1",
        inbox,
    )
    .exists(conn)
    .await
}

/// Makes the host of an inbox due.
async fn wake_host_of(conn: &mut Conn, inbox: InboxId, now: Timestamp) -> sqlx::Result<()> {
    let (host, _): (HostId, String) = super::host_of(conn, inbox).await?;
    query(concat!(woken!("$2"), "= $1"), (host, now)).execute(conn).await
}
