//! The only SQL for verified activities, their verdicts, and the counts of what was turned away.

use sqlx::any::AnyRow;
use sqlx::{query, query_scalar};

use super::{FETCHED, Inbound, Outcome, Purpose, Verdict};
use crate::activity::incoming::same_origin;
use crate::claiming;
use crate::clock::Timestamp;
use crate::db::{Columns, Conn, Db, json};
use crate::ids::{Ids, InboundId};

mod kept;
mod refusals;
pub mod wanted;

pub use kept::{Kept, about, latest};
pub use refusals::{count_refusal, refusals};

/// How long a claim lasts.
const LEASE: std::time::Duration = std::time::Duration::from_mins(1);

/// A verified activity about to be kept.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Its own id.
    pub activity_id: String,
    /// Whose key signed.
    pub signer: String,
    /// Who it says it is of.
    pub actor: String,
    /// Its type.
    pub kind: String,
    /// The id of what it is about.
    pub object_id: Option<String>,
    /// As it came.
    pub raw: String,
    /// Where it was posted, or [`FETCHED`].
    pub path: String,
    /// The key that proved it, and in which scheme; of what was fetched there is none.
    pub proof: Option<(String, &'static str)>,
}

/// Keeps an activity. The same one from the same signer again changes nothing, but a Follow that was let in is read
/// again, since our Accept may have been lost (interop D8, D12).
///
/// # Errors
/// The database's.
pub async fn keep(conn: &mut Conn, ids: &Ids, arrival: &Arrival, now: Timestamp) -> sqlx::Result<()> {
    query(
        "INSERT INTO inbound (id, activity_id, signer, actor, kind, object_id, raw, path, received_at, next_attempt_at, key_id, scheme)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11)
         ON CONFLICT (activity_id, signer) DO UPDATE SET received_times = inbound.received_times + 1,
         next_attempt_at = CASE WHEN inbound.kind = 'Follow' AND inbound.verdict = 'accepted' THEN excluded.next_attempt_at
             ELSE inbound.next_attempt_at END,
         raw = CASE WHEN inbound.kind = 'Follow' AND inbound.verdict = 'accepted' THEN excluded.raw ELSE inbound.raw END,
         attempts = CASE WHEN inbound.kind = 'Follow' AND inbound.verdict = 'accepted' THEN 0 ELSE inbound.attempts END,
         reason = CASE WHEN inbound.kind = 'Follow' AND inbound.verdict = 'accepted' THEN 'repeated' ELSE inbound.reason END,
         verdict = CASE WHEN inbound.kind = 'Follow' AND inbound.verdict = 'accepted' THEN NULL ELSE inbound.verdict END",
    )
    .bind(ids.row())
    .bind(&arrival.activity_id)
    .bind(&arrival.signer)
    .bind(&arrival.actor)
    .bind(&arrival.kind)
    .bind(arrival.object_id.clone())
    .bind(&arrival.raw)
    .bind(&arrival.path)
    .bind(now.millis())
    .bind(arrival.proof.as_ref().map(|(key, _)| key.clone()))
    .bind(arrival.proof.as_ref().map(|(_, scheme)| *scheme))
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps a document that was read at its origin, to be understood like one that was sent; read anew, it is understood
/// anew.
///
/// # Errors
/// The database's.
pub async fn keep_fetched(conn: &mut Conn, ids: &Ids, arrival: &Arrival, now: Timestamp) -> sqlx::Result<()> {
    let done = query(
        "INSERT INTO inbound (id, activity_id, signer, actor, kind, object_id, raw, path, received_at, next_attempt_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
         ON CONFLICT (activity_id, signer) DO UPDATE SET received_times = inbound.received_times + 1, raw = excluded.raw,
         verdict = NULL, reason = NULL, steps = NULL, settled_at = NULL, waits_for = NULL, attempts = 0, next_attempt_at = excluded.next_attempt_at
         WHERE inbound.path = excluded.path",
    )
    .bind(ids.row())
    .bind(&arrival.activity_id)
    .bind(&arrival.signer)
    .bind(&arrival.actor)
    .bind(&arrival.kind)
    .bind(arrival.object_id.clone())
    .bind(&arrival.raw)
    .bind(FETCHED)
    .bind(now.millis())
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 {
        // It came by itself meanwhile, and has its own verdict.
        wake_waiting(conn, &arrival.activity_id, Purpose::Post, now).await?;
    }
    Ok(())
}

/// Whether any activity is due: a cheap look before a claim.
///
/// # Errors
/// The database's.
pub async fn any_due(conn: &mut Conn, now: Timestamp) -> sqlx::Result<bool> {
    let id: Option<i64> =
        query_scalar(
        "SELECT i.id FROM inbound i WHERE i.verdict IS NULL AND i.next_attempt_at <= $1 AND NOT EXISTS (SELECT 1 FROM inbound e
         WHERE e.actor = i.actor AND e.signer = i.signer AND e.verdict IS NULL AND e.id < i.id) LIMIT 1",
    )
            .bind(now.millis())
            .fetch_optional(conn)
            .await?;
    Ok(id.is_some())
}

/// Takes up to `limit` due activities, of each actor only the earliest, so that an actor's own order holds.
///
/// # Errors
/// The database's.
pub async fn claim(conn: &mut Conn, db: &Db, node: &str, limit: i64, now: Timestamp) -> sqlx::Result<Vec<Inbound>> {
    let rows = query(claiming!(
        db,
        "UPDATE inbound SET attempts = attempts + 1, next_attempt_at = $2, lease_owner = $3 WHERE id IN (
         SELECT i.id FROM inbound i WHERE i.verdict IS NULL AND i.next_attempt_at <= $1
         AND NOT EXISTS (SELECT 1 FROM inbound e WHERE e.actor = i.actor AND e.signer = i.signer AND e.verdict IS NULL
         AND e.id < i.id) ORDER BY i.id LIMIT $4",
        ") RETURNING id, activity_id, signer, actor, kind, path, raw, received_at, attempts, reason"
    ))
    .bind(now.millis())
    .bind((now + LEASE).millis())
    .bind(node)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(read_inbound).collect()
}

/// Frees what this node held when it last stopped.
///
/// # Errors
/// The database's.
pub async fn free(conn: &mut Conn, node: &str, now: Timestamp) -> sqlx::Result<()> {
    query("UPDATE inbound SET next_attempt_at = $2, lease_owner = NULL WHERE lease_owner = $1 AND verdict IS NULL")
        .bind(node)
        .bind(now.millis())
        .execute(conn)
        .await?;
    Ok(())
}

/// Writes the verdict, and what it asks for; false when another node has taken the activity over.
///
/// # Errors
/// The database's.
pub async fn settle(
    conn: &mut Conn,
    ids: &Ids,
    inbound: &Inbound,
    verdict: &Verdict,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = query(
        "UPDATE inbound SET verdict = $3, reason = $4, settled_at = $5, waits_for = $6, steps = $7, lease_owner = NULL
         WHERE id = $1 AND attempts = $2 AND verdict IS NULL",
    )
    .bind(inbound.id.0)
    .bind(inbound.attempts)
    .bind(verdict.outcome.as_str())
    .bind(&verdict.reason)
    .bind(now.millis())
    .bind(verdict.waits_for.as_ref().map(|(url, purpose)| waiting_key(url, *purpose)))
    .bind(if verdict.steps.is_empty() { None } else { Some(json(&verdict.steps)?) })
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    for want in &verdict.wants {
        wanted::ask(conn, ids, want, Some(inbound.id), now).await?;
    }
    if inbound.path == FETCHED {
        match verdict.outcome {
            Outcome::Accepted | Outcome::Ignored => {
                wake_waiting(conn, &inbound.activity_id, Purpose::Post, now).await?;
            }
            Outcome::Declined | Outcome::Failed => {
                fail_waiting(conn, &inbound.activity_id, Purpose::Post, &verdict.reason, now).await?;
            }
            Outcome::Deferred => {}
        }
    }
    Ok(true)
}

/// Under what an activity waits: the address alone for a post, so that the post itself wakes it however it comes.
fn waiting_key(url: &str, purpose: Purpose) -> String {
    match purpose {
        Purpose::Post => url.to_owned(),
        other => format!("{}:{url}", other.as_str()),
    }
}

/// Makes an activity due again later.
///
/// # Errors
/// The database's.
pub async fn retry(conn: &mut Conn, inbound: &Inbound, at: Timestamp) -> sqlx::Result<()> {
    query("UPDATE inbound SET next_attempt_at = $3, lease_owner = NULL WHERE id = $1 AND attempts = $2 AND verdict IS NULL")
        .bind(inbound.id.0)
        .bind(inbound.attempts)
        .bind(at.millis())
        .execute(conn)
        .await?;
    Ok(())
}

/// The Undos by which an actor has already taken back the activity with this id (interop D7, T9).
///
/// # Errors
/// The database's.
pub async fn undone_by(conn: &mut Conn, actor: &str, activity_id: &str) -> sqlx::Result<Vec<InboundId>> {
    query_scalar("SELECT id FROM inbound WHERE object_id = $1 AND actor = $2 AND signer = $2 AND kind = 'Undo'")
        .bind(activity_id)
        .bind(actor)
        .fetch_all(conn)
        .await
        .map(|ids: Vec<i64>| ids.into_iter().map(InboundId).collect())
}

/// Whether an activity of an actor's is known by its id.
///
/// # Errors
/// The database's.
pub async fn knows(conn: &mut Conn, actor: &str, activity_id: &str) -> sqlx::Result<bool> {
    let id: Option<i64> = query_scalar("SELECT id FROM inbound WHERE activity_id = $1 AND signer = $2 AND actor = $2")
        .bind(activity_id)
        .bind(actor)
        .fetch_optional(conn)
        .await?;
    Ok(id.is_some())
}

/// Ends the Follows that somebody was let in by, whatever their ids: by an Undo that names none of them, or by our own word.
///
/// # Errors
/// The database's.
pub async fn end_follows(conn: &mut Conn, actor: &str, object_id: &str, by: Option<InboundId>) -> sqlx::Result<()> {
    query(
        "UPDATE inbound SET ended_by = $3 WHERE object_id = $2 AND actor = $1 AND signer = $1 AND kind = 'Follow'
         AND verdict IN ('accepted', 'ignored') AND ended_by IS NULL",
    )
    .bind(actor)
    .bind(object_id)
    .bind(by.map_or(0, |undo| undo.0))
    .execute(conn)
    .await?;
    Ok(())
}

/// What an Undo named has come late, so that it did not mean the Follows that it ended by their shape (interop D7).
///
/// # Errors
/// The database's.
pub async fn restore_follows(conn: &mut Conn, undo: InboundId) -> sqlx::Result<()> {
    query("UPDATE inbound SET ended_by = NULL WHERE ended_by = $1").bind(undo.0).execute(conn).await?;
    Ok(())
}

/// The last Follow of an actor's that was let in and stands; one that came again after its end is only ignored then.
///
/// # Errors
/// The database's.
pub async fn standing_follow(conn: &mut Conn, actor: &str, object_id: &str) -> sqlx::Result<Option<String>> {
    query_scalar(
        "SELECT f.activity_id FROM inbound f WHERE f.object_id = $2 AND f.actor = $1 AND f.signer = $1 AND f.kind = 'Follow'
         AND f.verdict IN ('accepted', 'ignored') AND f.ended_by IS NULL AND NOT EXISTS (SELECT 1 FROM inbound u WHERE u.object_id = f.activity_id AND u.actor = $1
             AND u.signer = $1 AND u.kind = 'Undo') ORDER BY f.id DESC LIMIT 1",
    )
    .bind(actor)
    .bind(object_id)
    .fetch_optional(conn)
    .await
}

/// Whether an actor has already deleted what has this id (interop D7, T8).
///
/// # Errors
/// The database's.
pub async fn is_deleted(conn: &mut Conn, actor: &str, object_id: &str) -> sqlx::Result<bool> {
    let id: Option<i64> = query_scalar(
        "SELECT d.id FROM inbound d WHERE d.object_id = $1 AND d.actor = $2 AND d.signer = $2 AND d.kind = 'Delete'
         AND NOT EXISTS (SELECT 1 FROM inbound u WHERE u.object_id = d.activity_id AND u.actor = $2 AND u.signer = $2 AND u.kind = 'Undo')
         LIMIT 1",
    )
    .bind(object_id)
    .bind(actor)
    .fetch_optional(conn)
    .await?;
    Ok(id.is_some())
}

/// Whether what has this id was deleted by an actor of its own server who signed that (interop D7).
///
/// # Errors
/// The database's.
pub async fn is_deleted_by_author(conn: &mut Conn, object_id: &str) -> sqlx::Result<bool> {
    let actors: Vec<String> = query_scalar(
        "SELECT DISTINCT d.actor FROM inbound d WHERE d.object_id = $1 AND d.signer = d.actor AND d.kind = 'Delete' LIMIT 10",
    )
    .bind(object_id)
    .fetch_all(&mut *conn)
    .await?;
    for actor in actors {
        if same_origin(&actor, object_id) && is_deleted(conn, &actor, object_id).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Makes everything due again that waits for a document, or was declined for want of it.
///
/// # Errors
/// The database's.
pub async fn wake_waiting(conn: &mut Conn, url: &str, purpose: Purpose, now: Timestamp) -> sqlx::Result<()> {
    query(
        "UPDATE inbound SET verdict = NULL, reason = NULL, steps = NULL, settled_at = NULL, waits_for = NULL, attempts = 0, next_attempt_at = $2
         WHERE waits_for = $1 AND raw <> ''",
    )
    .bind(waiting_key(url, purpose))
    .bind(now.millis())
    .execute(conn)
    .await?;
    Ok(())
}

/// Most steps that a refusal is passed on, from a post to its answers.
const PASSED_ON: usize = 64;

/// What waits for a document is declined, since that cannot be had or means nothing here; and so is what waits for
/// those. It is looked at again all the same should the document come in.
///
/// # Errors
/// The database's.
pub async fn fail_waiting(conn: &mut Conn, url: &str, purpose: Purpose, why: &str, now: Timestamp) -> sqlx::Result<()> {
    let reason = format!("what it needs is not to be had: {url}: {why}");
    let mut keys = vec![waiting_key(url, purpose)];
    for _ in 0..PASSED_ON {
        let Some(key) = keys.pop() else { break };
        let rows = query(
            "UPDATE inbound SET verdict = 'declined', reason = $2, settled_at = $3 WHERE waits_for = $1 AND verdict = 'deferred'
             RETURNING activity_id, path",
        )
        .bind(key)
        .bind(reason.chars().take(REASON_MAX).collect::<String>())
        .bind(now.millis())
        .fetch_all(&mut *conn)
        .await?;
        for row in rows {
            if row.text("path")? == FETCHED {
                keys.push(row.text("activity_id")?);
            }
        }
    }
    Ok(())
}

/// Longest reason, in characters.
const REASON_MAX: usize = 1000;

/// Counts what this program understands more than older ones: raise it when it understands a kind of activity anew.
const READER: i64 = 2;

/// Has everything read again, once, that an older program did not understand; says how much.
///
/// # Errors
/// The database's.
pub async fn reread_deferred(conn: &mut Conn, now: Timestamp) -> sqlx::Result<u64> {
    let newer = query("UPDATE counters SET value = $1 WHERE name = 'reader' AND value < $1")
        .bind(READER)
        .execute(&mut *conn)
        .await?;
    if newer.rows_affected() == 0 {
        return Ok(0);
    }
    let done = query(
        "UPDATE inbound SET verdict = NULL, reason = NULL, steps = NULL, settled_at = NULL, attempts = 0, next_attempt_at = $1
         WHERE verdict = 'deferred' AND raw <> ''",
    )
    .bind(now.millis())
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Forgets the text of up to `limit` activities that had their verdict before `settled`, or before `deferred` where
/// they were not understood; says of how many. The rows stay, and with them who sent what, when, and what became of it.
///
/// # Errors
/// The database's.
pub async fn forget_texts(conn: &mut Conn, settled: Timestamp, deferred: Timestamp, limit: i64) -> sqlx::Result<u64> {
    let done = query(
        "UPDATE inbound SET raw = '' WHERE id IN (SELECT id FROM inbound WHERE raw <> '' AND settled_at IS NOT NULL
         AND verdict IS NOT NULL AND settled_at < CASE WHEN verdict = 'deferred' THEN $2 ELSE $1 END
         ORDER BY settled_at LIMIT $3)",
    )
    .bind(settled.millis())
    .bind(deferred.millis())
    .bind(limit)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// How many activities have each verdict; those that wait count as `waiting`.
///
/// # Errors
/// The database's.
pub async fn count_verdicts(conn: &mut Conn) -> sqlx::Result<Vec<(String, i64)>> {
    let rows = query("SELECT COALESCE(verdict, 'waiting') AS verdict, COUNT(*) AS n FROM inbound GROUP BY verdict")
        .fetch_all(conn)
        .await?;
    let mut counts: Vec<_> =
        rows.iter().map(|row| Ok((row.text("verdict")?, row.int("n")?))).collect::<sqlx::Result<_>>()?;
    counts.sort();
    Ok(counts)
}

fn read_inbound(row: &AnyRow) -> sqlx::Result<Inbound> {
    Ok(Inbound {
        id: InboundId(row.int("id")?),
        activity_id: row.text("activity_id")?,
        signer: row.text("signer")?,
        actor: row.text("actor")?,
        kind: row.text("kind")?,
        path: row.text("path")?,
        raw: row.text("raw")?,
        received_at: row.time("received_at")?,
        attempts: row.int("attempts")?,
        repeated: row.maybe_text("reason")?.as_deref() == Some("repeated"),
    })
}
