//! The only SQL for the fetch queue.

use clock::Timestamp;
use sqlx::any::AnyRow;
use url::Url;

use crate::app::worker::store::leases::{
    self, claim_sql, claiming, ended_sql, free_sql, held_sql, put_off_sql, taken_sql,
};
use crate::base::ids::{ArticleId, Host, Ids, InboundId};
use crate::db::{Columns, Conn, Db, Queue, added, decode_error, query};
use crate::inbox::{FetchJob, Purpose};

mod lines;

pub(crate) use lines::Line;
pub use lines::because_of;

/// How long a claim lasts.
const LEASE: std::time::Duration = std::time::Duration::from_mins(2);

/// How long a document that was fetched is not fetched again.
const AGAIN_AFTER: std::time::Duration = std::time::Duration::from_mins(1);

/// How long a collection that was fetched is not fetched again (interop B18).
const COLLECTION_AGAIN_AFTER: std::time::Duration = std::time::Duration::from_mins(15);

/// Most documents fetched for one conversation in [`ARTICLE_SPAN`], so that nobody can keep us busy for ever.
pub(crate) const OF_ARTICLE: i64 = 5000;

pub(crate) const ARTICLE_SPAN: std::time::Duration = std::time::Duration::from_hours(24);

/// Why a document is not fetched.
pub(crate) const ENOUGH: &str = "enough was read for this conversation today, or its address has no host";

/// How long a document of a collection that could not be fetched is not tried again.
const FAILED_FOR: std::time::Duration = std::time::Duration::from_hours(24);

/// Most documents fetched from one host in [`HOST_SPAN`], successful or not: one in two seconds, as for the posts of a
/// collection, whatever strangers name there.
pub const OF_HOST: i64 = 150;

/// See [`OF_HOST`].
pub const HOST_SPAN: std::time::Duration = std::time::Duration::from_mins(5);

/// Most documents of an unreachable host that are given up in one transaction; each of the rest is tried once more.
const GIVEN_UP: i64 = 500;

/// A document that is due.
#[derive(Clone, Debug)]
pub struct DueFetch {
    pub(crate) id: i64,
    /// Its id.
    pub url: String,
    pub(crate) purpose: Purpose,
    /// Whose conversation it completes, where that is known.
    pub(crate) article: Option<ArticleId>,
    /// The registrable domain on whose behalf it is fetched; empty for the operator.
    pub asked_by: String,
    /// Steps from what came by itself.
    pub depth: i64,
    /// How often it was claimed, this time included.
    pub(crate) attempts: i64,
    /// The fence of the lease.
    pub(crate) token: i64,
    /// How often it was claimed in a row, this time included, without an end in order.
    pub(crate) begun: i64,
}

/// Most documents under way on behalf of one domain, so that its slow servers do not hold up what others wait for.
pub const OF_ASKER: i64 = 4;

/// On whose behalf a document is fetched.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asker<'a> {
    /// The activity that asks for it.
    pub inbound: Option<InboundId>,
    /// As [`DueFetch::asked_by`].
    pub domain: &'a str,
}

/// Queues a document; one that was fetched before is fetched again, but not at once. Returns whether it will be
/// fetched.
pub async fn ask(conn: &mut Conn, ids: &Ids, job: &FetchJob, asker: Asker<'_>, now: Timestamp) -> sqlx::Result<bool> {
    let Some(host) = Url::parse(&job.url).ok().as_ref().and_then(Host::of) else { return Ok(false) };
    if let Some(article) = job.article {
        let times: i64 = query(
            "SELECT COUNT(*) FROM fetch_queue WHERE article_id = $1 AND asked_at > $2",
            (article, now - ARTICLE_SPAN),
        )
        .scalar(conn)
        .await?;
        if times >= OF_ARTICLE {
            return Ok(false);
        }
    }
    let again_after = if job.purpose == Purpose::Collection { COLLECTION_AGAIN_AFTER } else { AGAIN_AFTER };
    query(
        "INSERT INTO fetch_queue (id, url, purpose, host, article_id, inbound_id, depth, asked_at, next_attempt_at, asked_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $11) ON CONFLICT (url, purpose) DO UPDATE SET
         outcome = NULL, reason = NULL, attempts = 0, begun = 0, asked_at = excluded.asked_at, asked_by = excluded.asked_by,
         depth = CASE WHEN excluded.depth < fetch_queue.depth THEN excluded.depth ELSE fetch_queue.depth END,
         inbound_id = COALESCE(excluded.inbound_id, fetch_queue.inbound_id), article_id = COALESCE(fetch_queue.article_id, excluded.article_id),
         next_attempt_at = CASE WHEN fetch_queue.settled_at + $10 > excluded.next_attempt_at THEN fetch_queue.settled_at + $10
             ELSE excluded.next_attempt_at END
         WHERE fetch_queue.outcome IS NOT NULL",
        (
            ids.row(),
            &job.url,
            job.purpose.as_str(),
            host.as_str(),
            job.article,
            asker.inbound,
            job.depth,
            now,
            now + job.after,
            i64::try_from(again_after.as_millis()).unwrap_or(i64::MAX),
            asker.domain,
        ),
    )
    .execute(conn)
    .await?;
    added(Queue::Fetches);
    Ok(true)
}

/// What is due at `$1`: of each host the one that has waited longest, unless another is being read there, or `$most` were read
/// there since `$since`. Host by host, so that it costs by them and not by what waits. Of what was begun twice in vain, since the
/// process may have ended by it, only one at a time. Of one asking domain no more than `$each` are under way, and each has its turn.
macro_rules! due {
    ($since:literal, $most:literal, $each:literal) => {
        concat!(
        "WITH RECURSIVE hosts_waiting (host) AS (SELECT MIN(f.host) FROM fetch_queue f WHERE f.outcome IS NULL UNION ALL
             SELECT (SELECT MIN(n.host) FROM fetch_queue n WHERE n.outcome IS NULL AND n.host > h.host) FROM hosts_waiting h
             WHERE h.host IS NOT NULL),
         turns (id, turn) AS (SELECT w.id, ROW_NUMBER() OVER (PARTITION BY w.asked_by ORDER BY w.next_attempt_at, w.id)
             + (SELECT COUNT(*) FROM fetch_queue b WHERE b.asked_by = w.asked_by AND b.outcome IS NULL AND b.lease_owner IS NOT NULL
             AND b.next_attempt_at > $1)
         FROM hosts_waiting t JOIN fetch_queue w ON w.id = (SELECT d.id FROM fetch_queue d WHERE d.host = t.host
             AND d.outcome IS NULL AND d.next_attempt_at <= $1 ORDER BY d.next_attempt_at, d.id LIMIT 1)
         WHERE NOT EXISTS (SELECT 1 FROM fetch_queue e WHERE e.host = t.host AND e.outcome IS NULL AND e.lease_owner IS NOT NULL
             AND e.next_attempt_at > $1)
         AND (SELECT COUNT(*) FROM fetch_queue r WHERE r.host = t.host AND r.settled_at > ", $since, ") < ", $most, "
         AND (w.begun < 2 OR NOT EXISTS (SELECT 1 FROM fetch_queue s WHERE s.outcome IS NULL AND s.begun >= 2
             AND ((s.lease_owner IS NOT NULL AND s.next_attempt_at > $1) OR (s.next_attempt_at <= $1 AND s.id < w.id)))))
         SELECT w.id FROM turns u JOIN fetch_queue w ON w.id = u.id WHERE u.turn <= ",
            $each
        )
    };
}

/// Whether any document is due: a cheap look before a claim.
pub(crate) async fn any_due(conn: &mut Conn, now: Timestamp) -> sqlx::Result<bool> {
    let passed: Option<i64> =
        query("SELECT id FROM fetch_queue WHERE outcome IS NULL AND next_attempt_at <= $1 LIMIT 1", now)
            .maybe_scalar(conn)
            .await?;
    if passed.is_none() {
        return Ok(false);
    }
    // Its time has come, but perhaps not the turn of its host.
    query(concat!(due!("$2", "$3", "$4"), " LIMIT 1"), (now, now - HOST_SPAN, OF_HOST, OF_ASKER)).exists(conn).await
}

/// Claims up to `limit` due documents, of each host one at a time and no more than [`OF_HOST`] in [`HOST_SPAN`].
pub async fn claim(conn: &mut Conn, db: &Db, node: &str, limit: i64, now: Timestamp) -> sqlx::Result<Vec<DueFetch>> {
    let statement = claim_sql!(
        db,
        "fetch_queue",
        ", attempts = attempts + 1",
        "id",
        concat!(due!("$5", "$6", "$7"), " ORDER BY u.turn, w.id"),
        "id, url, purpose, article_id, asked_by, depth, attempts"
    );
    leases::claim(statement, node, LEASE, limit, now)
        .bind((now - HOST_SPAN, OF_HOST, OF_ASKER))
        .fetch_all(conn, read_due)
        .await
}

fn read_due(row: &AnyRow) -> sqlx::Result<DueFetch> {
    let purpose = row.text("purpose")?;
    Ok(DueFetch {
        id: row.int("id")?,
        url: row.text("url")?,
        purpose: Purpose::parse(&purpose).ok_or_else(|| decode_error(format!("no purpose: {purpose}")))?,
        article: row.maybe_int("article_id")?.map(ArticleId),
        asked_by: row.text("asked_by")?,
        depth: row.int("depth")?,
        attempts: row.int("attempts")?,
        begun: row.int("begun")?,
        token: row.int("lease_token")?,
    })
}

/// Settles a document: `read`, `gone`, `absent` or `failed`; false when another node has claimed it.
pub async fn settle(
    conn: &mut Conn,
    due: &DueFetch,
    outcome: &str,
    reason: &str,
    now: Timestamp,
) -> sqlx::Result<bool> {
    query(
        concat!(
            "UPDATE fetch_queue SET outcome = $3, reason = $4, settled_at = $5, ",
            ended_sql!(),
            " WHERE id = $1 AND lease_token = $2 AND outcome IS NULL"
        ),
        (due.id, due.token, outcome, reason, now),
    )
    .changed(conn)
    .await
}

/// Makes a document due again later, and says why. The attempt at `now` counts like a fetch ([`OF_HOST`]).
pub(crate) async fn retry(
    conn: &mut Conn,
    due: &DueFetch,
    at: Timestamp,
    why: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    query(
        concat!(
            "UPDATE fetch_queue SET next_attempt_at = $3, reason = $4, settled_at = $5, ",
            ended_sql!(),
            " WHERE id = $1 AND ",
            held_sql!()
        ),
        (due.id, due.token, at, why, now),
    )
    .execute(conn)
    .await
}

/// As [`retry`], of one that made us fail: that is no end in order.
pub(crate) async fn put_off(conn: &mut Conn, due: &DueFetch, at: Timestamp, why: &str) -> sqlx::Result<()> {
    query(
        put_off_sql!("fetch_queue", ", reason = $4", "id"),
        (due.id, due.token, at, why.chars().take(1000).collect::<String>()),
    )
    .execute(conn)
    .await
}

/// Puts off everything that waits for a host together with the document that was tried, as if it had been tried as
/// often.
pub(crate) async fn rest(conn: &mut Conn, host: &Host, attempts: i64, until: Timestamp, why: &str) -> sqlx::Result<()> {
    query(
        "UPDATE fetch_queue SET next_attempt_at = $3, reason = $4, attempts = CASE WHEN attempts < $2 THEN $2 ELSE attempts END
         WHERE host = $1 AND outcome IS NULL AND lease_owner IS NULL AND next_attempt_at < $3",
        (host.as_str(), attempts, until, why),
    )
    .execute(conn)
    .await
}

/// What waits for a host and was tried or put off at least so often.
pub(crate) async fn resting(conn: &mut Conn, host: &Host, attempts: i64) -> sqlx::Result<Vec<DueFetch>> {
    query(
        "SELECT id, url, purpose, article_id, asked_by, depth, attempts, begun, lease_token FROM fetch_queue
         WHERE host = $1 AND outcome IS NULL AND lease_owner IS NULL AND attempts >= $2 ORDER BY id LIMIT $3",
        (host.as_str(), attempts, GIVEN_UP),
    )
    .fetch_all(conn, read_due)
    .await
}

/// For [`leases::free`].
pub(crate) const FREE: &str = free_sql!("fetch_queue", "outcome IS NULL");

/// Forgets up to `limit` documents that were settled before a given time; returns how many.
pub(crate) async fn forget(conn: &mut Conn, before: Timestamp, limit: i64) -> sqlx::Result<u64> {
    query(
        "DELETE FROM fetch_queue WHERE id IN (SELECT id FROM fetch_queue WHERE outcome IS NOT NULL AND settled_at < $1 LIMIT $2)",
        (before, limit),
    )
    .affected(conn)
    .await
}

/// How fetching a document ended, if it ended since a given time.
pub(crate) async fn ended_since(
    conn: &mut Conn,
    url: &str,
    purpose: Purpose,
    since: Timestamp,
) -> sqlx::Result<Option<(String, String)>> {
    query(
        "SELECT outcome, reason FROM fetch_queue WHERE url = $1 AND purpose = $2 AND outcome IS NOT NULL AND settled_at >= $3",
        (url, purpose.as_str(), since),
    )
    .fetch_optional(conn, |row| Ok((row.text("outcome")?, row.maybe_text("reason")?.unwrap_or_default())))
    .await
}

/// When a document was last asked for.
pub(crate) async fn asked_at(conn: &mut Conn, url: &str, purpose: Purpose) -> sqlx::Result<Option<Timestamp>> {
    query("SELECT asked_at FROM fetch_queue WHERE url = $1 AND purpose = $2", (url, purpose.as_str()))
        .fetch_optional(conn, |row| row.time("asked_at"))
        .await
}

/// How many steps away from what was sent to us a post was queued, and for which conversation.
pub(crate) async fn depth_of(conn: &mut Conn, url: &str) -> sqlx::Result<(i64, Option<ArticleId>)> {
    let found = query("SELECT depth, article_id FROM fetch_queue WHERE url = $1 AND purpose = 'post'", url)
        .fetch_optional(conn, |row| Ok((row.int("depth")?, row.maybe_int("article_id")?.map(ArticleId))))
        .await?;
    Ok(found.unwrap_or_default())
}

/// Whether a post was queued before, and need not be fetched again so soon.
pub(crate) async fn was_asked(conn: &mut Conn, url: &str, now: Timestamp) -> sqlx::Result<bool> {
    query(
        "SELECT id FROM fetch_queue WHERE url = $1 AND purpose = 'post' AND (outcome IS NULL OR outcome = 'read' OR settled_at > $2)",
        (url, now - FAILED_FOR),
    )
    .exists(conn)
    .await
}
