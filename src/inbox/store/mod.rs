//! The only SQL for verified activities, their verdicts, and the counts of rejections.

use clock::Timestamp;
use sqlx::any::AnyRow;

use super::{FETCHED, Inbound, Purpose};
use crate::activitypub::incoming::{self, Incoming};
use crate::app::worker::store::leases::{self, claim_sql, claiming, free_sql, held_sql, put_off_sql, taken_sql};
use crate::base::ids::{Ids, InboundId};
use crate::db::{Columns, Conn, Db, Engine, Queue, added, query};
use crate::model::relation;

mod again;
pub mod fetch_queue;
mod kept;
mod memory;
mod rejections;
mod settled;
mod waiting;

pub(crate) use again::Earlier;
pub(crate) use kept::Kept;
pub use kept::{about, latest};
use memory::read_restored;
pub(crate) use memory::{is_deleted, named, undone, undone_by};
pub(crate) use rejections::{count_foreign_host, count_refusal, forget_foreign_hosts};
pub use rejections::{foreign_hosts, rejections};
use settled::give_turns;
pub use settled::settle;
pub(crate) use settled::{follow_up, settle_all};
pub use waiting::fail_waiting;
pub(crate) use waiting::{reread_deferred, turn, wait_instead, wake_waiting};
use waiting::{waiting_key, wake_all};

/// How long a claim lasts.
const LEASE: std::time::Duration = std::time::Duration::from_mins(1);

/// A verified activity about to be kept.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub(crate) activity_id: String,
    /// Whose key signed.
    pub(crate) signer: String,
    pub(crate) actor: String,
    pub(crate) kind: String,
    pub(crate) object_id: Option<String>,
    /// As it came.
    pub(crate) raw: String,
    /// The path of the inbox it was sent to, or [`FETCHED`].
    pub(crate) path: String,
    /// The key that verified it, and the scheme; none where it was fetched.
    pub(crate) proof: Option<(String, &'static str)>,
    /// When it says that it was made.
    pub(crate) made: Option<Timestamp>,
    /// Its emoji; `Some` and empty for a like without one.
    pub(crate) sign: Option<String>,
    /// Whether the same id may come again and mean something new.
    pub(crate) again: bool,
}

impl Arrival {
    /// An activity that `signer` signed.
    #[must_use]
    pub fn of(incoming: Incoming, signer: String, raw: String, path: String) -> Self {
        let is_like = relation::Kind::of_activity(incoming.kind.as_str()) == Some(relation::Kind::Like);
        Self {
            made: incoming.made(),
            sign: is_like.then(|| incoming::reaction_emoji(&incoming.raw).unwrap_or_default()),
            again: signer == incoming.actor && incoming.may_come_again(),
            kind: incoming.kind.as_str().to_owned(),
            activity_id: incoming.id,
            actor: incoming.actor,
            object_id: incoming.object.and_then(|object| object.id),
            signer,
            raw,
            path,
            proof: None,
        }
    }
}

/// A statement that locks what it selects between its parts, where there are several writers.
macro_rules! sharing {
    ($conn:expr, $before:literal, $after:literal) => {
        Engine::of($conn).pick(concat!($before, $after), concat!($before, " FOR SHARE", $after))
    };
}

/// Keeps an activity. The same one from the same signer again changes nothing, but what begins or ends a relation is
/// interpreted again: our answer may have been lost (interop D8, D12), and some servers use one id for ever. So is what
/// may have been restored (U11). Returns whether it came for the first time.
pub async fn keep(conn: &mut Conn, ids: &Ids, arrival: &Arrival, now: Timestamp) -> sqlx::Result<bool> {
    // A time in the future is ignored.
    let made = arrival.made.filter(|made| *made <= now).map(Timestamp::millis);
    let (row, proof) = (ids.row(), arrival.proof.as_ref());
    // It stands behind the latest of its actor that has no verdict. That is locked: its verdict then comes before, and is seen
    // here, or after, and sees this one.
    let statement = sharing!(
        conn,
        "INSERT INTO inbound (id, activity_id, signer, actor, kind, object_id, raw, path, received_at, next_attempt_at, key_id, scheme,
         made_at, sign, heard, behind) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11, $12, $13, $1,
         COALESCE((SELECT 1 FROM inbound e WHERE e.actor = $4 AND e.signer = $3 AND e.verdict IS NULL AND e.heard < $1
         ORDER BY e.heard DESC LIMIT 1",
        "), 0)) ON CONFLICT (activity_id, signer) DO UPDATE SET received_times = inbound.received_times + 1 RETURNING received_times"
    );
    let times: i64 = query(
        statement,
        (
            row,
            &arrival.activity_id,
            &arrival.signer,
            &arrival.actor,
            &arrival.kind,
            arrival.object_id.clone(),
            &arrival.raw,
            &arrival.path,
            now,
            proof.map(|(key, _)| key.clone()),
            proof.map(|(_, scheme)| *scheme),
            made,
            arrival.sign.clone(),
        ),
    )
    .scalar(conn)
    .await?;
    added(Queue::Inbound);
    match times {
        1 => {}
        _ if arrival.again => again::read_again(conn, row, arrival, made, now).await?,
        _ => read_restored(conn, arrival, now).await?,
    }
    Ok(times == 1)
}

/// Keeps a document that was fetched at its origin, to be interpreted like one that was sent; fetched anew, it is
/// interpreted anew.
pub(crate) async fn keep_fetched(conn: &mut Conn, ids: &Ids, arrival: &Arrival, now: Timestamp) -> sqlx::Result<()> {
    let done = query(
        "INSERT INTO inbound (id, activity_id, signer, actor, kind, object_id, raw, path, received_at, next_attempt_at, made_at, sign, heard)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11, $1)
         ON CONFLICT (activity_id, signer) DO UPDATE SET received_times = inbound.received_times + 1, raw = excluded.raw,
         received_at = excluded.received_at, verdict = NULL, reason = NULL, steps = NULL, settled_at = NULL, waits_for = NULL, begun = 0, next_attempt_at = excluded.next_attempt_at
         WHERE inbound.path = excluded.path",
        (
            ids.row(),
            &arrival.activity_id,
            &arrival.signer,
            &arrival.actor,
            &arrival.kind,
            arrival.object_id.clone(),
            &arrival.raw,
            FETCHED,
            now,
            arrival.made.filter(|made| *made <= now),
            arrival.sign.clone(),
        ),
    )
    .affected(conn)
    .await?;
    added(Queue::Inbound);
    if done == 0 {
        // It came by itself meanwhile, and has its own verdict.
        wake_waiting(conn, &arrival.activity_id, Purpose::Post, now).await?;
    }
    Ok(())
}

/// What is due: of each actor only the earliest, and of what was begun twice without end, since the process may have
/// ended because of it, only one at a time, so that nothing else is blamed.
macro_rules! due {
    ($next:literal) => {
        concat!("SELECT i.id FROM inbound i WHERE i.verdict IS NULL AND i.behind = 0 AND ", $next, " <= $1
         AND NOT EXISTS (SELECT 1 FROM inbound e WHERE e.actor = i.actor AND e.signer = i.signer AND e.verdict IS NULL
             AND e.heard < i.heard)
         AND (i.begun < 2 OR NOT EXISTS (SELECT 1 FROM inbound s WHERE s.verdict IS NULL AND s.begun >= 2
             AND ((s.lease_owner IS NOT NULL AND s.next_attempt_at > $1) OR (s.next_attempt_at <= $1 AND s.id < i.id))))")
    };
}

/// Whether any activity is due: a cheap look before a claim.
pub(crate) async fn any_due(conn: &mut Conn, now: Timestamp) -> sqlx::Result<bool> {
    query(concat!(due!("i.next_attempt_at"), " LIMIT 1"), now).exists(conn).await
}

/// Claims up to `limit` due activities, of each actor only the earliest, so that an actor's own order holds.
pub async fn claim(conn: &mut Conn, db: &Db, node: &str, limit: i64, now: Timestamp) -> sqlx::Result<Vec<Inbound>> {
    let statement = claim_sql!(
        db,
        "inbound",
        "",
        "id",
        // In the order of the queue: the sign keeps an engine from sorting all that is due.
        concat!(due!("+i.next_attempt_at"), " ORDER BY i.heard"),
        "id, activity_id, signer, actor, path, raw, received_at, heard, made_at, received_times"
    );
    leases::claim(statement, node, LEASE, limit, now).fetch_all(conn, read_inbound).await
}

/// For [`leases::free`].
pub(crate) const FREE: &str = free_sql!("inbound", "verdict IS NULL");

/// Makes an activity due again later that made us fail.
pub(crate) async fn put_off(conn: &mut Conn, inbound: &Inbound, at: Timestamp) -> sqlx::Result<()> {
    query(put_off_sql!("inbound", "", "id"), (inbound.id, inbound.token, at)).execute(conn).await
}

macro_rules! forget {
    ($verdict:literal) => {
        concat!(
            "UPDATE inbound SET raw = '' WHERE id IN (SELECT id FROM inbound WHERE raw <> '' AND settled_at IS NOT NULL
             AND settled_at < $1 AND ",
            $verdict,
            " LIMIT $2)"
        )
    };
}

/// How long a text of a `deferred` activity is kept that is longer than 16 KiB, unless it waits for a document: nobody can
/// fill the disk.
const LONG_FOR: std::time::Duration = std::time::Duration::from_hours(6);

/// Forgets the text of up to three times `limit` activities that had their verdict before `settled`, or before
/// `deferred` where that is the verdict, or [some hours](LONG_FOR) ago where such a text is long; returns how many. The
/// rows stay, and with them who sent what, when, and what became of it.
pub(crate) async fn forget_texts(
    conn: &mut Conn,
    settled: Timestamp,
    deferred: Timestamp,
    limit: i64,
    now: Timestamp,
) -> sqlx::Result<u64> {
    let understood =
        query(forget!("verdict IN ('accepted', 'ignored', 'declined', 'failed', 'mention')"), (settled, limit))
            .affected(conn)
            .await?;
    let others = query(forget!("verdict = 'deferred'"), (deferred, limit)).affected(conn).await?;
    let long =
        query(forget!("verdict = 'deferred' AND waits_for IS NULL AND LENGTH(raw) > 16384"), (now - LONG_FOR, limit))
            .affected(conn)
            .await?;
    Ok(understood + others + long)
}

/// How many of the latest activities, `most` at most, have each verdict.
pub async fn count_verdicts(conn: &mut Conn, most: i64) -> sqlx::Result<Vec<(String, i64)>> {
    query(
        "SELECT verdict, COUNT(*) AS n FROM (SELECT verdict FROM inbound ORDER BY id DESC LIMIT $1) latest
         WHERE verdict IS NOT NULL GROUP BY verdict",
        most,
    )
    .counts(conn)
    .await
}

/// How many activities have no verdict yet, `most` at most.
pub async fn count_waiting(conn: &mut Conn, most: i64) -> sqlx::Result<i64> {
    query("SELECT COUNT(*) FROM (SELECT id FROM inbound WHERE verdict IS NULL LIMIT $1) waiting", most)
        .scalar(conn)
        .await
}

fn read_inbound(row: &AnyRow) -> sqlx::Result<Inbound> {
    Ok(Inbound {
        id: InboundId(row.int("id")?),
        activity_id: row.text("activity_id")?,
        signer: row.text("signer")?,
        actor: row.text("actor")?,
        path: row.text("path")?,
        raw: row.text("raw")?,
        received_at: row.time("received_at")?,
        token: row.int("lease_token")?,
        begun: row.int("begun")?,
        heard: row.int("heard")?,
        made: row.maybe_time("made_at")?,
        times: row.int("received_times")?,
        author: None,
    })
}
