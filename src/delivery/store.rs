//! The only SQL for hosts, inboxes, deliveries and reach.

use sqlx::any::AnyRow;
use sqlx::{query, query_scalar};

use super::policy::{ACCEPT_HOLDS, lifetime};
use super::{Ending, Lease, Waiting};
use crate::claiming;
use crate::clock::Timestamp;
use crate::db::{Columns, Conn, Db};
use crate::ids::{ActivityId, ActorId, ArticleId, Host, HostId, Ids, InboxId};

/// How long a lease lasts: longer than the slowest attempt, renewed by every settle.
const LEASE: std::time::Duration = std::time::Duration::from_secs(90);

/// Finds or makes an inbox and its host.
///
/// # Errors
/// The database's.
pub async fn inbox(conn: &mut Conn, ids: &Ids, host: &Host, url: &str, shared: bool) -> sqlx::Result<InboxId> {
    query("INSERT INTO hosts (id, name) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(ids.row())
        .bind(host.as_str())
        .execute(&mut *conn)
        .await?;
    query(
        "INSERT INTO inboxes (id, host_id, url, shared) SELECT $1, id, $2, $3 FROM hosts WHERE name = $4
         ON CONFLICT (url) DO UPDATE SET gone_at = NULL",
    )
    .bind(ids.row())
    .bind(url)
    .bind(i64::from(shared))
    .bind(host.as_str())
    .execute(&mut *conn)
    .await?;
    query_scalar("SELECT id FROM inboxes WHERE url = $1").bind(url).fetch_one(conn).await.map(InboxId)
}

/// Queues one activity for one inbox; `holds` is the shared inbox that has to wait for it.
///
/// # Errors
/// The database's.
pub async fn enqueue(
    conn: &mut Conn,
    activity: ActivityId,
    kind: &str,
    inbox: InboxId,
    holds: Option<InboxId>,
    now: Timestamp,
) -> sqlx::Result<()> {
    query(
        "INSERT INTO deliveries (inbox_id, activity_id, host_id, holds_inbox_id, created_at, expires_at)
         SELECT id, $2, host_id, $3, $4, $5 FROM inboxes WHERE id = $1 ON CONFLICT (inbox_id, activity_id) DO NOTHING",
    )
    .bind(inbox.0)
    .bind(activity.0)
    .bind(holds.map(|id| id.0))
    .bind(now.millis())
    .bind((now + lifetime(kind)).millis())
    .execute(&mut *conn)
    .await?;
    wake(conn, activity, inbox.0 - 1, inbox.0, now).await
}

/// Whom a fan-out reaches: a set of inboxes as a subquery over `$1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipients {
    /// The followers of an actor, through their shared inbox where they have a live one (interop D5).
    Followers(ActorId),
    /// Everyone who was sent an article.
    Reach(ArticleId),
    /// Every inbox we know (interop D6: the end of an actor).
    Everyone,
}

macro_rules! fan_out_statements {
    ($recipients:literal) => {
        [
            concat!(
                "SELECT MAX(inbox_id) FROM (SELECT inbox_id FROM (",
                $recipients,
                ") r WHERE inbox_id > $2
                 ORDER BY inbox_id LIMIT $3) chunk"
            ),
            concat!(
                "INSERT INTO deliveries (inbox_id, activity_id, host_id, created_at, expires_at)
                 SELECT i.id, $4, i.host_id, $5, $6 FROM inboxes i
                 WHERE i.id > $2 AND i.id <= $3 AND i.gone_at IS NULL AND i.id IN (",
                $recipients,
                ")
                 ORDER BY i.host_id, i.id ON CONFLICT (inbox_id, activity_id) DO NOTHING"
            ),
        ]
    };
}

impl Recipients {
    /// The end of the next chunk, and the chunk's insertion.
    fn statements(self) -> [&'static str; 2] {
        match self {
            Self::Followers(_) => fan_out_statements!(
                "SELECT DISTINCT CASE WHEN s.id IS NOT NULL AND s.gone_at IS NULL THEN s.id ELSE r.inbox_id END AS inbox_id
                 FROM followers f JOIN remote_actors r ON r.id = f.remote_actor_id
                 LEFT JOIN inboxes s ON s.id = r.shared_inbox_id WHERE f.actor_id = $1 AND r.gone_at IS NULL"
            ),
            Self::Reach(_) => fan_out_statements!("SELECT inbox_id FROM reach WHERE article_id = $1"),
            Self::Everyone => fan_out_statements!("SELECT id AS inbox_id FROM inboxes WHERE $1 = 0"),
        }
    }

    fn subject(self) -> i64 {
        match self {
            Self::Followers(actor) => actor.0,
            Self::Reach(article) => article.0,
            Self::Everyone => 0,
        }
    }
}

/// Queues an activity for the next `limit` recipients after `cursor`, and remembers that they will be sent the
/// article; answers the cursor to go on from, or `None` when that was the last chunk.
///
/// # Errors
/// The database's.
#[expect(clippy::too_many_arguments, reason = "one row's worth of facts")]
pub async fn fan_out(
    conn: &mut Conn,
    recipients: Recipients,
    activity: ActivityId,
    kind: &str,
    article: Option<ArticleId>,
    cursor: i64,
    limit: i64,
    now: Timestamp,
) -> sqlx::Result<Option<i64>> {
    let [chunk_end, insertion] = recipients.statements();
    let end: Option<i64> =
        query_scalar(chunk_end).bind(recipients.subject()).bind(cursor).bind(limit).fetch_one(&mut *conn).await?;
    let Some(end) = end else { return Ok(None) };
    query(insertion)
        .bind(recipients.subject())
        .bind(cursor)
        .bind(end)
        .bind(activity.0)
        .bind(now.millis())
        .bind((now + lifetime(kind)).millis())
        .execute(&mut *conn)
        .await?;
    if let Some(article) = article {
        query(
            "INSERT INTO reach (article_id, inbox_id) SELECT $1, inbox_id FROM deliveries
             WHERE activity_id = $2 AND inbox_id > $3 AND inbox_id <= $4 ON CONFLICT (article_id, inbox_id) DO NOTHING",
        )
        .bind(article.0)
        .bind(activity.0)
        .bind(cursor)
        .bind(end)
        .execute(&mut *conn)
        .await?;
    }
    wake(conn, activity, cursor, end, now).await?;
    Ok(Some(end))
}

/// Makes the hosts of the deliveries just queued due, unless they are backing off, and counts the addition, so that
/// a node that is just letting go of one of them notices.
async fn wake(conn: &mut Conn, activity: ActivityId, after: i64, through: i64, now: Timestamp) -> sqlx::Result<()> {
    query(
        "UPDATE hosts SET generation = generation + 1, next_attempt_at = CASE
             WHEN backoff_until IS NOT NULL AND backoff_until > $4 THEN backoff_until
             WHEN next_attempt_at IS NULL OR next_attempt_at > $4 THEN $4 ELSE next_attempt_at END
         WHERE id IN (SELECT host_id FROM deliveries WHERE activity_id = $1 AND inbox_id > $2 AND inbox_id <= $3
             AND settled_at IS NULL)",
    )
    .bind(activity.0)
    .bind(after)
    .bind(through)
    .bind(now.millis())
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether any host is due: a cheap look before a claim.
///
/// # Errors
/// The database's.
pub async fn any_due(conn: &mut Conn, now: Timestamp) -> sqlx::Result<bool> {
    let due: Option<i64> = query_scalar(
        "SELECT id FROM hosts WHERE next_attempt_at <= $1 AND (lease_until IS NULL OR lease_until <= $1) LIMIT 1",
    )
    .bind(now.millis())
    .fetch_optional(conn)
    .await?;
    Ok(due.is_some())
}

/// Takes up to `limit` due hosts, the longest due first.
///
/// # Errors
/// The database's.
pub async fn claim(conn: &mut Conn, db: &Db, node: &str, limit: i64, now: Timestamp) -> sqlx::Result<Vec<Lease>> {
    let rows = query(claiming!(
        db,
        "UPDATE hosts SET lease_until = $2, lease_owner = $3, lease_token = lease_token + 1 WHERE id IN (SELECT id FROM hosts
         WHERE next_attempt_at <= $1 AND (lease_until IS NULL OR lease_until <= $1) ORDER BY next_attempt_at, id LIMIT $4",
        ") RETURNING id, name, lease_token, failures, failing_since"
    ))
    .bind(now.millis())
    .bind((now + LEASE).millis())
    .bind(node)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Lease {
                host: HostId(row.int("id")?),
                name: row.text("name")?,
                token: row.int("lease_token")?,
                failures: row.int("failures")?,
                failing_since: row.maybe_time("failing_since")?,
            })
        })
        .collect()
}

/// Frees what this node held when it last stopped.
///
/// # Errors
/// The database's.
pub async fn free(conn: &mut Conn, node: &str) -> sqlx::Result<()> {
    query(
        "UPDATE hosts SET lease_until = NULL, lease_owner = NULL, lease_token = lease_token + 1 WHERE lease_owner = $1",
    )
    .bind(node)
    .execute(conn)
    .await?;
    Ok(())
}

/// How often something was added to a host's queue.
///
/// # Errors
/// The database's.
pub async fn generation(conn: &mut Conn, host: HostId) -> sqlx::Result<i64> {
    query_scalar("SELECT generation FROM hosts WHERE id = $1").bind(host.0).fetch_one(conn).await
}

/// The first inbox of a host after `after` for which something waits, and the oldest of it.
///
/// # Errors
/// The database's.
pub async fn next_inbox(
    conn: &mut Conn,
    host: HostId,
    after: InboxId,
    now: Timestamp,
) -> sqlx::Result<Option<Waiting>> {
    let row = query(
        "SELECT inbox_id FROM deliveries WHERE host_id = $1 AND settled_at IS NULL AND inbox_id > $2
         ORDER BY inbox_id LIMIT 1",
    )
    .bind(host.0)
    .bind(after.0)
    .fetch_optional(&mut *conn)
    .await?;
    match row {
        None => Ok(None),
        Some(row) => oldest(conn, host, InboxId(row.int("inbox_id")?), now).await,
    }
}

/// The oldest activity that waits for an inbox.
///
/// # Errors
/// The database's.
pub async fn oldest(conn: &mut Conn, host: HostId, inbox: InboxId, now: Timestamp) -> sqlx::Result<Option<Waiting>> {
    let row = query(
        "SELECT d.inbox_id, i.url, i.shared, i.failures, i.next_attempt_at, d.activity_id, a.kind, a.actor_id, a.article_id,
         a.body, d.by_reference, d.expires_at,
         (SELECT MIN(h.created_at) FROM deliveries h WHERE h.holds_inbox_id = d.inbox_id AND h.settled_at IS NULL
             AND h.activity_id < d.activity_id AND h.created_at > $3) AS held_since
         FROM deliveries d JOIN inboxes i ON i.id = d.inbox_id JOIN activities a ON a.id = d.activity_id
         WHERE d.host_id = $1 AND d.inbox_id = $2 AND d.settled_at IS NULL ORDER BY d.activity_id LIMIT 1",
    )
    .bind(host.0)
    .bind(inbox.0)
    .bind((now - ACCEPT_HOLDS).millis())
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(read_waiting).transpose()
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
        body: row.text("body")?,
        by_reference: row.flag("by_reference")?,
        expires_at: row.time("expires_at")?,
    })
}

/// What an attempt showed, for people.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// The peer's status.
    pub answer: Option<u16>,
    /// What went wrong.
    pub error: Option<String>,
}

/// Proves that the lease still holds and renews it: the first statement of every settle.
///
/// # Errors
/// The database's.
pub async fn fence(conn: &mut Conn, lease: &Lease, now: Timestamp) -> sqlx::Result<bool> {
    let done = query("UPDATE hosts SET lease_until = $3 WHERE id = $1 AND lease_token = $2")
        .bind(lease.host.0)
        .bind(lease.token)
        .bind((now + LEASE).millis())
        .execute(conn)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Notes an attempt on a delivery, and its ending if it has one.
///
/// # Errors
/// The database's.
pub async fn note_attempt(
    conn: &mut Conn,
    waiting: &Waiting,
    ending: Option<Ending>,
    shown: &Shown,
    now: Timestamp,
) -> sqlx::Result<()> {
    let attempted = i64::from(!matches!(ending, Some(Ending::Expired | Ending::Withdrawn)));
    query(
        "UPDATE deliveries SET attempts = attempts + $3, attempted_at = CASE WHEN $3 = 1 THEN $4 ELSE attempted_at END,
         answer = CASE WHEN $3 = 1 THEN $5 ELSE answer END, error = CASE WHEN $3 = 1 THEN $6 ELSE error END, outcome = $7,
         settled_at = $8 WHERE inbox_id = $1 AND activity_id = $2 AND settled_at IS NULL",
    )
    .bind(waiting.inbox.0)
    .bind(waiting.activity.0)
    .bind(attempted)
    .bind(now.millis())
    .bind(shown.answer.map(i64::from))
    .bind(shown.error.clone())
    .bind(ending.map(Ending::as_str))
    .bind(ending.map(|_| now.millis()))
    .execute(conn)
    .await?;
    Ok(())
}

/// From now on the object's id is sent instead of the object.
///
/// # Errors
/// The database's.
pub async fn send_reference(conn: &mut Conn, waiting: &Waiting) -> sqlx::Result<()> {
    query("UPDATE deliveries SET by_reference = 1 WHERE inbox_id = $1 AND activity_id = $2")
        .bind(waiting.inbox.0)
        .bind(waiting.activity.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// A host answered, whatever it said: it lives.
///
/// # Errors
/// The database's.
pub async fn mark_alive(conn: &mut Conn, host: HostId) -> sqlx::Result<()> {
    query(
        "UPDATE hosts SET failures = 0, failing_since = NULL, gone_at = NULL, backoff_until = NULL, error = NULL
         WHERE id = $1 AND (failures > 0 OR gone_at IS NOT NULL OR backoff_until IS NOT NULL)",
    )
    .bind(host.0)
    .execute(conn)
    .await?;
    Ok(())
}

/// An inbox need not wait any longer.
///
/// # Errors
/// The database's.
pub async fn clear_inbox(conn: &mut Conn, inbox: InboxId) -> sqlx::Result<()> {
    query("UPDATE inboxes SET failures = 0, next_attempt_at = NULL WHERE id = $1 AND (failures > 0 OR next_attempt_at IS NOT NULL)")
        .bind(inbox.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// An inbox has to wait.
///
/// # Errors
/// The database's.
pub async fn back_off_inbox(conn: &mut Conn, inbox: InboxId, until: Timestamp) -> sqlx::Result<()> {
    query("UPDATE inboxes SET failures = failures + 1, next_attempt_at = $2 WHERE id = $1")
        .bind(inbox.0)
        .bind(until.millis())
        .execute(conn)
        .await?;
    Ok(())
}

/// A host has to wait; `gone` once it has failed for too long.
///
/// # Errors
/// The database's.
pub async fn back_off_host(
    conn: &mut Conn,
    lease: &Lease,
    until: Timestamp,
    gone: bool,
    error: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    query(
        "UPDATE hosts SET failures = failures + 1, failing_since = COALESCE(failing_since, $3), backoff_until = $2, error = $4,
         gone_at = CASE WHEN $5 = 1 THEN COALESCE(gone_at, $3) ELSE NULL END WHERE id = $1",
    )
    .bind(lease.host.0)
    .bind(until.millis())
    .bind(now.millis())
    .bind(error)
    .bind(i64::from(gone))
    .execute(conn)
    .await?;
    Ok(())
}

/// An inbox is no more: what waits for it is settled, and nothing is queued for it again.
///
/// # Errors
/// The database's.
pub async fn drop_inbox(conn: &mut Conn, inbox: InboxId, now: Timestamp) -> sqlx::Result<()> {
    query("UPDATE inboxes SET gone_at = $2 WHERE id = $1 AND gone_at IS NULL")
        .bind(inbox.0)
        .bind(now.millis())
        .execute(&mut *conn)
        .await?;
    query("UPDATE deliveries SET outcome = 'gone', settled_at = $2 WHERE inbox_id = $1 AND settled_at IS NULL")
        .bind(inbox.0)
        .bind(now.millis())
        .execute(conn)
        .await?;
    Ok(())
}

/// Lets go of a host that is due again at `next`, unless something was added since `generation` was read; false then,
/// or when the lease was lost. Without a generation, as for a host that has to wait anyway, additions do not matter.
///
/// # Errors
/// The database's.
pub async fn release(
    conn: &mut Conn,
    lease: &Lease,
    generation: Option<i64>,
    next: Option<Timestamp>,
) -> sqlx::Result<bool> {
    let done = query(
        "UPDATE hosts SET lease_until = NULL, lease_owner = NULL, next_attempt_at = $4
         WHERE id = $1 AND lease_token = $2 AND ($3 < 0 OR generation = $3)",
    )
    .bind(lease.host.0)
    .bind(lease.token)
    .bind(generation.unwrap_or(-1))
    .bind(next.map(Timestamp::millis))
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// A host that was gone spoke to us: it is asked again at once (interop D3).
///
/// # Errors
/// The database's.
pub async fn heal(conn: &mut Conn, host: &Host, now: Timestamp) -> sqlx::Result<()> {
    query(
        "UPDATE hosts SET gone_at = NULL, failures = 0, failing_since = NULL, backoff_until = NULL, generation = generation + 1,
         next_attempt_at = CASE WHEN next_attempt_at IS NULL THEN NULL ELSE $2 END WHERE name = $1 AND gone_at IS NOT NULL",
    )
    .bind(host.as_str())
    .bind(now.millis())
    .execute(conn)
    .await?;
    Ok(())
}

/// A line of the ledger, for people.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Line {
    /// The activity's number, in the order of publication.
    pub activity: i64,
    /// `Create` and so on.
    pub kind: String,
    /// Who says it, by handle.
    pub actor: String,
    /// Where to.
    pub inbox: String,
    /// `waiting`, or how it ended.
    pub state: String,
    /// How often it was tried.
    pub attempts: i64,
    /// The last status answered.
    pub answer: Option<i64>,
    /// What went wrong last.
    pub error: Option<String>,
    /// When it is tried next, RFC 3339; `null` once it is settled.
    pub next_attempt: Option<String>,
}

/// The ledger, newest first: all of it, or what waits.
///
/// # Errors
/// The database's.
pub async fn ledger(conn: &mut Conn, all: bool, limit: i64) -> sqlx::Result<Vec<Line>> {
    let rows = query(
        "SELECT d.activity_id, a.kind, t.handle, i.url, d.outcome, d.attempts, d.answer, d.error,
         COALESCE(h.backoff_until, i.next_attempt_at, h.next_attempt_at) AS next_at
         FROM deliveries d JOIN activities a ON a.id = d.activity_id JOIN actors t ON t.id = a.actor_id
         JOIN inboxes i ON i.id = d.inbox_id JOIN hosts h ON h.id = d.host_id
         WHERE $1 = 1 OR d.settled_at IS NULL ORDER BY d.activity_id DESC, d.inbox_id LIMIT $2",
    )
    .bind(i64::from(all))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            let outcome = row.maybe_text("outcome")?;
            let next = row.maybe_time("next_at")?.filter(|_| outcome.is_none());
            Ok(Line {
                activity: row.int("activity_id")?,
                kind: row.text("kind")?,
                actor: row.text("handle")?,
                inbox: row.text("url")?,
                state: outcome.unwrap_or_else(|| "waiting".to_owned()),
                attempts: row.int("attempts")?,
                answer: row.maybe_int("answer")?,
                error: row.maybe_text("error")?,
                next_attempt: next.map(Timestamp::rfc3339),
            })
        })
        .collect()
}

/// How many deliveries wait, and how many ended in each way.
///
/// # Errors
/// The database's.
pub async fn count_outcomes(conn: &mut Conn) -> sqlx::Result<Vec<(String, i64)>> {
    let rows = query("SELECT COALESCE(outcome, 'waiting') AS outcome, COUNT(*) AS n FROM deliveries GROUP BY outcome")
        .fetch_all(conn)
        .await?;
    let mut counts: Vec<_> =
        rows.iter().map(|row| Ok((row.text("outcome")?, row.int("n")?))).collect::<sqlx::Result<_>>()?;
    counts.sort();
    Ok(counts)
}

/// How many hosts are known, fail just now, and are gone.
///
/// # Errors
/// The database's.
pub async fn count_hosts(conn: &mut Conn) -> sqlx::Result<[i64; 3]> {
    let row = query("SELECT COUNT(*) AS n, COUNT(failing_since) AS failing, COUNT(gone_at) AS gone FROM hosts")
        .fetch_one(conn)
        .await?;
    Ok([row.int("n")?, row.int("failing")?, row.int("gone")?])
}
