//! Verdicts, many at once, and what follows from them: what is to be fetched, what waited, and whose turn it is.

use std::collections::BTreeSet;

use clock::Timestamp;

use super::fetch_queue::{self, Asker};
use super::{fail_waiting, waiting_key, wake_all, wake_waiting};
use crate::app::worker::store::leases::ended_sql;
use crate::base::figures;
use crate::base::ids::{Ids, InboundId, registrable_of};
use crate::db::{Conn, Queue, added, json, query};
use crate::federation::delivery;
use crate::inbox::{FETCHED, Inbound, Outcome, Purpose, Verdict};
use crate::over_rows;

/// As [`settle_all`], of one; false when another node has claimed it.
pub async fn settle(
    conn: &mut Conn,
    ids: &Ids,
    inbound: &Inbound,
    verdict: &Verdict,
    now: Timestamp,
) -> sqlx::Result<bool> {
    Ok(settle_all(conn, ids, &[(inbound, verdict)], now).await?.contains(&inbound.id))
}

/// Writes verdicts, and queues what they want fetched. Returns which were written: the others, another node has claimed.
pub(crate) async fn settle_all(
    conn: &mut Conn,
    ids: &Ids,
    verdicts: &[(&Inbound, &Verdict)],
    now: Timestamp,
) -> sqlx::Result<BTreeSet<InboundId>> {
    let mut rows = Vec::with_capacity(verdicts.len());
    for (inbound, verdict) in verdicts {
        rows.push((
            inbound.id.0,
            inbound.token,
            verdict.outcome.as_str(),
            &verdict.reason,
            verdict.waits_for.as_ref().map(|(url, purpose)| waiting_key(url, *purpose)),
            if verdict.steps.is_empty() { None } else { Some(json(&verdict.steps)?) },
            i64::from(verdict.forgets),
        ));
    }
    let statement = over_rows!(
        conn,
        concat!(
            "UPDATE inbound SET verdict = s.verdict, reason = s.reason, settled_at = $2, waits_for = s.waits_for, steps = s.steps,
             raw = CASE WHEN s.forgets = 1 THEN '' ELSE raw END, ",
            ended_sql!(),
            " FROM (SELECT CAST(r.value ->> 0 AS BIGINT) AS row_id, CAST(r.value ->> 1 AS BIGINT) AS token, r.value ->> 2 AS verdict,
             r.value ->> 3 AS reason, r.value ->> 4 AS waits_for, r.value ->> 5 AS steps, CAST(r.value ->> 6 AS BIGINT) AS forgets FROM "
        ),
        ") s WHERE inbound.id = s.row_id AND inbound.lease_token = s.token AND inbound.lease_owner IS NOT NULL RETURNING inbound.id"
    );
    let settled: Vec<InboundId> = query(statement, (json(&rows)?, now)).scalars(conn).await?;
    let settled: BTreeSet<InboundId> = settled.into_iter().collect();
    let held: Vec<_> = verdicts.iter().filter(|(inbound, _)| settled.contains(&inbound.id)).collect();
    for (inbound, verdict) in &held {
        figures::judged(verdict.outcome.as_str());
        fetch(conn, ids, inbound, verdict, now).await?;
    }
    let effects: Vec<&Verdict> = held.iter().map(|(_, verdict)| *verdict).collect();
    follow_up(conn, &effects, now).await?;
    let heard: Vec<_> = held.iter().map(|(inbound, _)| (&inbound.actor, &inbound.signer)).collect();
    give_turns(conn, &heard).await?;
    Ok(settled)
}

/// What follows from verdicts for others: inboxes that know an article, and what waits for a post.
pub(crate) async fn follow_up(conn: &mut Conn, verdicts: &[&Verdict], now: Timestamp) -> sqlx::Result<()> {
    // In one order, so that writers of several do not wait for each other.
    let reached: BTreeSet<_> = verdicts.iter().filter_map(|verdict| verdict.reached).collect();
    delivery::store::reach_all(conn, &reached.into_iter().collect::<Vec<_>>()).await?;
    let brought: BTreeSet<_> = verdicts.iter().filter_map(|verdict| verdict.brought.clone()).collect();
    wake_all(conn, &brought.into_iter().collect::<Vec<_>>(), now).await
}

/// Queues what a verdict wants fetched; of a document that was fetched, tells what waits for it.
async fn fetch(conn: &mut Conn, ids: &Ids, inbound: &Inbound, verdict: &Verdict, now: Timestamp) -> sqlx::Result<()> {
    if !verdict.fetches.is_empty() {
        let domain = registrable_of(&inbound.signer).unwrap_or_default();
        let asker = Asker { inbound: Some(inbound.id), domain: &domain };
        for job in &verdict.fetches {
            if !fetch_queue::ask(conn, ids, job, asker, now).await? {
                // What waits for it is interpreted again if it comes by itself.
                fail_waiting(conn, &job.url, job.purpose, fetch_queue::ENOUGH, now).await?;
            }
        }
    }
    if inbound.path != FETCHED {
        return Ok(());
    }
    match verdict.outcome {
        Outcome::Accepted | Outcome::Ignored => wake_waiting(conn, &inbound.activity_id, Purpose::Post, now).await,
        Outcome::Declined | Outcome::Mention | Outcome::Failed => {
            fail_waiting(conn, &inbound.activity_id, Purpose::Post, &verdict.reason, now).await
        }
        Outcome::Deferred => Ok(()),
    }
}

/// Of each actor and signer, the earliest activity without a verdict stands behind none any longer.
pub(super) async fn give_turns(conn: &mut Conn, heard: &[(impl AsRef<str>, impl AsRef<str>)]) -> sqlx::Result<()> {
    if heard.is_empty() {
        return Ok(());
    }
    let rows: Vec<(&str, &str)> = heard.iter().map(|(actor, signer)| (actor.as_ref(), signer.as_ref())).collect();
    let statement = over_rows!(
        conn,
        "UPDATE inbound SET behind = 0 WHERE behind = 1 AND verdict IS NULL AND id IN (SELECT (SELECT n.id FROM inbound n
         WHERE n.actor = r.value ->> 0 AND n.signer = r.value ->> 1 AND n.verdict IS NULL ORDER BY n.heard LIMIT 1) FROM ",
        ")"
    );
    if query(statement, json(&rows)?).changed(conn).await? {
        added(Queue::Inbound);
    }
    Ok(())
}
