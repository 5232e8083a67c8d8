//! What many hosts ask of the queue at about the same time, in a constant number of statements: what waits next for each, and how
//! attempts ended. Rows are handed in as one JSON text.

use std::collections::HashMap;

use clock::Timestamp;
use serde::Serialize;
use sqlx::any::AnyRow;

use super::hosts::LEASE;
use crate::base::ids::{ActivityId, ActorId, ArticleId, InboxId, InteractionId};
use crate::db::{Columns, Conn, Db, json, query};
use crate::either;
use crate::federation::delivery::Waiting;
use crate::federation::delivery::policy::ACCEPT_HOLDS;
use crate::federation::signed_requests;

/// Most activities that are read of one host at a time.
pub(crate) const READ: usize = 16;

/// From where on the queue of a host is read.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct From {
    pub(crate) host: i64,
    pub(crate) inbox: i64,
    pub(crate) activity: i64,
}

macro_rules! columns {
    () => {
        "SELECT w.host, d.inbox_id, i.url, i.shared, i.failures, i.next_attempt_at, d.activity_id, a.kind, a.actor_id, a.article_id,
         a.interaction_id, d.by_reference, d.expires_at,
         p.accepted_scheme, p.accepted_at, p.signed_ed25519_at,
         (SELECT MIN(h.created_at) FROM deliveries h WHERE h.holds_inbox_id = d.inbox_id AND h.settled_at IS NULL
             AND h.activity_id < d.activity_id AND h.created_at > $2) AS held_since"
    };
}

macro_rules! next_of_host {
    ($columns:literal) => {
        concat!(
            "(SELECT ",
            $columns,
            " FROM deliveries x WHERE x.host_id = w.host AND x.settled_at IS NULL
             AND (x.inbox_id, x.activity_id) > (w.inbox, w.activity) ORDER BY x.inbox_id, x.activity_id LIMIT 16)"
        )
    };
}

macro_rules! about {
    () => {
        " JOIN inboxes i ON i.id = d.inbox_id JOIN activities a ON a.id = d.activity_id JOIN hosts n ON n.id = w.host
         LEFT JOIN peer_capabilities p ON p.host = n.name"
    };
}

/// What waits for each of these hosts from there on, [`READ`] at most: inbox by inbox, each one's oldest first.
pub(crate) async fn next(conn: &mut Conn, db: &Db, from: &[From], now: Timestamp) -> sqlx::Result<Vec<Vec<Waiting>>> {
    let statement = either!(
        db,
        concat!(
            columns!(),
            " FROM (SELECT value ->> 'host' AS host, value ->> 'inbox' AS inbox, value ->> 'activity' AS activity FROM json_each($1)) w
             JOIN deliveries d ON (d.inbox_id, d.activity_id) IN ",
            next_of_host!("x.inbox_id, x.activity_id"),
            about!()
        ),
        concat!(
            columns!(),
            " FROM json_to_recordset(CAST($1 AS JSON)) AS w (host BIGINT, inbox BIGINT, activity BIGINT) CROSS JOIN LATERAL ",
            next_of_host!("*"),
            " d",
            about!()
        ),
    );
    let rows = query(statement, (json(&from)?, now - ACCEPT_HOLDS))
        .fetch_all(conn, |row| Ok((row.int("host")?, read_waiting(row)?)))
        .await?;
    let mut of_host: HashMap<i64, Vec<Waiting>> = HashMap::new();
    for (host, waiting) in rows {
        of_host.entry(host).or_default().push(waiting);
    }
    Ok(from
        .iter()
        .map(|from| {
            let mut waiting = of_host.get(&from.host).cloned().unwrap_or_default();
            // Several may have asked about one host.
            waiting.retain(|one| (one.inbox.0, one.activity.0) > (from.inbox, from.activity));
            waiting.sort_unstable_by_key(|one| (one.inbox, one.activity));
            waiting.dedup_by_key(|one| (one.inbox, one.activity));
            waiting.truncate(READ);
            waiting
        })
        .collect())
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
        by_reference: row.flag("by_reference")?,
        capabilities: signed_requests::store::read_capabilities(row)?,
        expires_at: row.time("expires_at")?,
    })
}

/// What becomes of a host that is served. Its lease is proved, and renewed or ended.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct HostChange {
    pub(crate) host: i64,
    /// The fence.
    pub(crate) token: i64,
    /// It answered, whatever it said: it lives.
    pub(crate) answered: i64,
    /// It failed, and waits until then, for this reason.
    pub(crate) waits: Option<i64>,
    pub(crate) error: Option<String>,
    /// It failed for so long that it counts as gone.
    pub(crate) gone: i64,
    /// The lease ends, unless something was added since this generation; a negative one says that additions do not matter.
    pub(crate) ends: Option<i64>,
    /// When it is due again then.
    pub(crate) next: Option<i64>,
}

/// What is known of a host's lease after its change: nothing where another node has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// The lease has ended, as was asked for.
    pub(crate) ended: bool,
    /// How often something was added to its queue.
    pub(crate) generation: i64,
}

macro_rules! changes {
    () => {
        "UPDATE hosts SET
         next_attempt_at = CASE WHEN v.ends < 0 OR v.ends = hosts.generation THEN v.next ELSE $3 END,
         lease_owner = CASE WHEN v.ends < 0 OR v.ends = hosts.generation THEN NULL ELSE hosts.lease_owner END, begun = 0,
         failures = CASE WHEN v.answered = 1 THEN 0 ELSE hosts.failures END + CASE WHEN v.waits IS NULL THEN 0 ELSE 1 END,
         failing_since = CASE WHEN v.waits IS NULL AND v.answered = 1 THEN NULL WHEN v.waits IS NULL THEN hosts.failing_since
             WHEN v.answered = 1 THEN $2 ELSE COALESCE(hosts.failing_since, $2) END,
         gone_at = CASE WHEN v.gone = 1 THEN COALESCE(hosts.gone_at, $2) WHEN v.waits IS NOT NULL OR v.answered = 1 THEN NULL
             ELSE hosts.gone_at END,
         backoff_until = CASE WHEN v.waits IS NOT NULL THEN v.waits WHEN v.answered = 1 THEN NULL ELSE hosts.backoff_until END,
         error = CASE WHEN v.waits IS NOT NULL THEN v.error WHEN v.answered = 1 THEN NULL ELSE hosts.error END FROM "
    };
}

macro_rules! changed {
    () => {
        " RETURNING id, lease_token, generation, CASE WHEN lease_owner IS NULL THEN 1 ELSE 0 END AS ended"
    };
}

/// Changes hosts, one change for each (JSON of [`HostChange`]s), as far as their leases hold; what is known of each lease then, by
/// host and token.
pub(crate) async fn change_hosts(
    conn: &mut Conn,
    db: &Db,
    changes: &str,
    now: Timestamp,
) -> sqlx::Result<HashMap<(i64, i64), Held>> {
    let statement = either!(
        db,
        concat!(
            changes!(),
            "(SELECT value ->> 'host' AS host, value ->> 'token' AS token, value ->> 'answered' AS answered, value ->> 'waits' AS waits,
             value ->> 'error' AS error, value ->> 'gone' AS gone, value ->> 'ends' AS ends, value ->> 'next' AS next
             FROM json_each($1)) v WHERE hosts.id = v.host AND hosts.lease_token = v.token AND hosts.lease_owner IS NOT NULL",
            changed!()
        ),
        // Locked in the order of the rows, so that writers do not wait for each other crosswise. Found by their ids alone, whatever
        // PostgreSQL believes of how many are leased: `+ 0` has the list sorted, and what holds is asked of the locked row.
        concat!(
            changes!(),
            "(SELECT w.*, h.lease_token AS its_token, COALESCE(h.lease_owner, '') AS its_owner
             FROM json_to_recordset(CAST($1 AS JSON)) AS w (host BIGINT, token BIGINT, answered BIGINT, waits BIGINT, error TEXT, gone BIGINT, ends BIGINT, next BIGINT) JOIN hosts h ON h.id = w.host
             ORDER BY w.host + 0 FOR UPDATE OF h) v
             WHERE hosts.id = v.host AND v.its_token = v.token AND v.its_owner <> ''",
            changed!()
        ),
    );
    let held = query(statement, (changes, now, now + LEASE)).fetch_all(conn, |row| {
        Ok((
            (row.int("id")?, row.int("lease_token")?),
            Held { ended: row.flag("ended")?, generation: row.int("generation")? },
        ))
    });
    Ok(held.await?.into_iter().collect())
}

/// What an attempt at a delivery, or its end without one, leaves in the ledger.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Attempted {
    pub(crate) inbox: i64,
    pub(crate) activity: i64,
    /// 1 where something was sent, or was tried to be.
    pub(crate) tries: i64,
    pub(crate) answer: Option<i64>,
    pub(crate) error: Option<String>,
    /// How it ended, if it did.
    pub(crate) outcome: Option<&'static str>,
}

macro_rules! attempted {
    () => {
        "UPDATE deliveries SET attempts = deliveries.attempts + v.tries,
         attempted_at = CASE WHEN v.tries = 1 THEN $2 ELSE deliveries.attempted_at END,
         answer = CASE WHEN v.tries = 1 THEN v.answer ELSE deliveries.answer END,
         error = CASE WHEN v.tries = 1 THEN v.error ELSE deliveries.error END, outcome = v.outcome,
         settled_at = CASE WHEN v.outcome IS NULL THEN NULL ELSE $2 END FROM "
    };
}

// Not `IS NULL`, or PostgreSQL might read all that waits in place of the few that are named.
macro_rules! of_delivery {
    () => {
        " WHERE deliveries.inbox_id = v.inbox AND deliveries.activity_id = v.activity AND COALESCE(deliveries.settled_at, 0) = 0"
    };
}

/// Notes attempts and ends.
pub(crate) async fn note_attempts(
    conn: &mut Conn,
    db: &Db,
    attempts: &[&Attempted],
    now: Timestamp,
) -> sqlx::Result<()> {
    let statement = either!(
        db,
        concat!(
            attempted!(),
            "(SELECT value ->> 'inbox' AS inbox, value ->> 'activity' AS activity, value ->> 'tries' AS tries,
             value ->> 'answer' AS answer, value ->> 'error' AS error, value ->> 'outcome' AS outcome FROM json_each($1)) v",
            of_delivery!()
        ),
        concat!(
            attempted!(),
            "json_to_recordset(CAST($1 AS JSON)) AS v (inbox BIGINT, activity BIGINT, tries BIGINT, answer BIGINT, error TEXT,
             outcome TEXT)",
            of_delivery!()
        ),
    );
    query(statement, (json(&attempts)?, now)).execute(conn).await
}

/// The stored body of an activity.
pub(crate) async fn body(conn: &mut Conn, activity: ActivityId) -> sqlx::Result<String> {
    query("SELECT body FROM activities WHERE id = $1", activity).scalar(conn).await
}
