//! The only SQL for our activities and their numbers.

use clock::Timestamp;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::{Audience, Outgoing};
use crate::base::ids::{ActivityId, ActorId, ArticleId, InboundId, InteractionId};
use crate::db::{Columns, Conn, Queue, added, json, query};
use crate::federation::delivery;
use crate::federation::delivery::store::{FanOut, Place, Recipients};

/// Writes an activity with the next number; `None` when there is one of its cause.
///
/// The counter's row stays locked until the commit, so numbers become visible in their order.
pub(crate) async fn insert(conn: &mut Conn, outgoing: &Outgoing, now: Timestamp) -> sqlx::Result<Option<ActivityId>> {
    let id: i64 =
        query("UPDATE counters SET value = value + 1 WHERE name = 'activity' RETURNING value", ()).scalar(conn).await?;
    let fanned_out = matches!(outgoing.audience, Audience::OutboxOnly | Audience::One { .. });
    let done = query(
        "INSERT INTO activities (id, uuid, cause, actor_id, kind, article_id, audience, body, created_at, fanned_out_at, interaction_id,
         inbound_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (cause) DO NOTHING",
        (
            id,
            outgoing.uuid,
            &outgoing.cause,
            outgoing.actor,
            outgoing.kind,
            outgoing.article,
            outgoing.audience.as_str(),
            json(&outgoing.body)?,
            now,
            fanned_out.then_some(now),
            outgoing.said,
            outgoing.because,
        ),
    )
    .affected(conn)
    .await?;
    if !fanned_out {
        added(Queue::Outbox);
    }
    Ok((done > 0).then_some(ActivityId(id)))
}

/// Removes an article's activities that were listed in the outbox and sent to nobody, since now it is to be sent.
pub(crate) async fn forget_listed(conn: &mut Conn, article: ArticleId) -> sqlx::Result<()> {
    query("DELETE FROM activities WHERE article_id = $1 AND audience = 'outbox-only'", article).execute(conn).await
}

/// The last answer (`Accept` or `Reject`) to somebody's Follow that is still on its way.
pub(crate) async fn answer_under_way(conn: &mut Conn, follow: InboundId) -> sqlx::Result<Option<String>> {
    query(
        "SELECT a.kind FROM activities a JOIN deliveries d ON d.activity_id = a.id WHERE a.inbound_id = $1
         AND a.kind IN ('Accept', 'Reject') AND d.settled_at IS NULL ORDER BY a.id DESC LIMIT 1",
        follow,
    )
    .maybe_scalar(conn)
    .await
}

/// Forgets all but the last `keep` answers to somebody's Follow that are settled: the same Follow may come again and
/// again.
pub(crate) async fn forget_answers(conn: &mut Conn, follow: InboundId, keep: i64) -> sqlx::Result<()> {
    query(
        "DELETE FROM deliveries WHERE settled_at IS NOT NULL AND activity_id IN (SELECT id FROM activities WHERE inbound_id = $1
         AND kind IN ('Accept', 'Reject') AND id NOT IN (SELECT l.id FROM activities l WHERE l.inbound_id = $1
             AND l.kind IN ('Accept', 'Reject') ORDER BY l.id DESC LIMIT $2))",
        (follow, keep),
    )
    .execute(conn)
    .await?;
    query(
        "DELETE FROM activities WHERE inbound_id = $1 AND kind IN ('Accept', 'Reject') AND id NOT IN (SELECT l.id FROM activities l
             WHERE l.inbound_id = $1 AND l.kind IN ('Accept', 'Reject') ORDER BY l.id DESC LIMIT $2)
         AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.activity_id = activities.id)",
        (follow, keep),
    )
    .execute(conn)
    .await
}

/// The earliest activity whose fan-out is unfinished: a cheap look before the step.
pub(crate) async fn first_unsent(conn: &mut Conn) -> sqlx::Result<Option<ActivityId>> {
    query("SELECT id FROM activities WHERE fanned_out_at IS NULL ORDER BY id LIMIT 1", ()).maybe_scalar(conn).await
}

/// The earliest fan-out that is unfinished, with the step locked to this transaction: fan-outs run in the order of
/// publication, else an Update could overtake its Create.
pub(crate) async fn lock_unsent(conn: &mut Conn) -> sqlx::Result<Option<FanOut>> {
    delivery::store::no_fan_out(conn).await?;
    query(
        "SELECT id, kind, actor_id, article_id, interaction_id, audience, fanout_part, fanout_cursor FROM activities
         WHERE fanned_out_at IS NULL ORDER BY id LIMIT 1",
        (),
    )
    .fetch_optional(conn, read_unsent)
    .await
}

fn read_unsent(row: &AnyRow) -> sqlx::Result<FanOut> {
    let article = row.maybe_int("article_id")?.map(ArticleId);
    let said = row.maybe_int("interaction_id")?.map(InteractionId);
    Ok(FanOut {
        activity: ActivityId(row.int("id")?),
        kind: row.text("kind")?,
        article,
        reaches: said.is_none(),
        parts: parts(&row.text("audience")?, ActorId(row.int("actor_id")?), article, said),
        place: Place { part: row.int("fanout_part")?, cursor: row.int("fanout_cursor")? },
    })
}

/// Who an audience is, part by part: `actor` says it, about an article and perhaps a note below it.
fn parts(audience: &str, actor: ActorId, article: Option<ArticleId>, note: Option<InteractionId>) -> Vec<Recipients> {
    use Recipients as Part;
    let followers = || vec![Part::Followers(actor), Part::FollowersBehindGone(actor)];
    match (audience, article, note) {
        ("followers", ..) => followers(),
        ("article-delivered", Some(article), _) => vec![Part::ArticleDelivered(article)],
        ("article-known", Some(article), _) => vec![Part::ArticleDelivered(article), Part::ArticleFetched(article)],
        ("conversation", Some(article), _) => [followers(), vec![Part::ArticleDelivered(article)]].concat(),
        ("note-delivered", _, Some(note)) => {
            vec![Part::NoteDelivered(note), Part::NoteBehindGone(note), Part::NoteAnswered(note)]
        }
        ("note-known", Some(article), Some(note)) => vec![
            Part::NoteDelivered(note),
            Part::NoteBehindGone(note),
            Part::NoteAnswered(note),
            Part::ArticleDelivered(article),
            Part::NoteFetched(note),
        ],
        ("actor-known", ..) => [followers(), vec![Part::ArticlesOf(actor)]].concat(),
        ("everyone", ..) => vec![Part::Everyone],
        ("servers", ..) => vec![Part::Servers],
        _ => Vec::new(),
    }
}

/// Notes how far a fan-out came from `from`, or that it is at its end. Nothing where it was sent back meanwhile.
pub(crate) async fn advance(
    conn: &mut Conn,
    id: ActivityId,
    from: Place,
    to: Option<Place>,
    now: Timestamp,
) -> sqlx::Result<()> {
    let next = to.unwrap_or(from);
    query(
        "UPDATE activities SET fanout_part = $4, fanout_cursor = $5, fanned_out_at = CASE WHEN $6 = 1 THEN $7 ELSE NULL END
         WHERE id = $1 AND fanout_part = $2 AND fanout_cursor = $3",
        (id, from.part, from.cursor, next.part, next.cursor, to.is_none(), now),
    )
    .execute(conn)
    .await
}

/// Ends a fan-out where it is.
pub(crate) async fn abandon(conn: &mut Conn, id: ActivityId, now: Timestamp) -> sqlx::Result<()> {
    query("UPDATE activities SET fanned_out_at = $2 WHERE id = $1", (id, now)).execute(conn).await
}

/// The object of the latest Create or Update about a note of ours.
pub(crate) async fn last_said(conn: &mut Conn, said: InteractionId) -> sqlx::Result<Option<serde_json::Value>> {
    let body: Option<serde_json::Value> = query(
        "SELECT body FROM activities WHERE interaction_id = $1 AND kind IN ('Create', 'Update') ORDER BY id DESC LIMIT 1",
        said,
    )
    .fetch_optional(conn, |row| row.json("body"))
    .await?;
    Ok(body.and_then(|body| body.get("object").cloned()))
}

/// What stands in an outbox: Creates and Announces of public articles, and of notes that are shown.
macro_rules! listed {
    ($columns:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM activities a JOIN articles t ON t.id = a.article_id LEFT JOIN interactions n ON n.id = a.interaction_id
             WHERE a.actor_id = $1 AND a.kind IN ('Create', 'Announce') AND t.deleted_at IS NULL
             AND (t.expires_at IS NULL OR t.expires_at > $2)
             AND n.ended_at IS NULL AND n.held_at IS NULL AND n.hidden_at IS NULL AND n.block_id IS NULL ",
            $rest
        )
    };
}

/// How many activities stand in an actor's outbox at `now`.
pub(crate) async fn count_listed(conn: &mut Conn, actor: ActorId, now: Timestamp) -> sqlx::Result<i64> {
    query(listed!("COUNT(*)", ""), (actor, now)).scalar(conn).await
}

/// A page of an actor's outbox at `now`, before the number `before`, newest first: each with its number.
pub(crate) async fn listed(
    conn: &mut Conn,
    actor: ActorId,
    before: i64,
    limit: i64,
    now: Timestamp,
) -> sqlx::Result<Vec<(i64, serde_json::Value)>> {
    query(listed!("a.id, a.body", "AND a.id < $3 ORDER BY a.id DESC LIMIT $4"), (actor, now, before, limit))
        .fetch_all(conn, |row| Ok((row.int("id")?, row.json("body")?)))
        .await
}

/// A public activity by its UUID, and whether its article or note is gone at `now`, or the actor whose profile it
/// shows, or what it said was forgotten.
pub(crate) async fn public_activity(
    conn: &mut Conn,
    uuid: Uuid,
    now: Timestamp,
) -> sqlx::Result<Option<(serde_json::Value, bool)>> {
    query(
        "SELECT a.body, CASE WHEN a.body = '{}' THEN 1 WHEN a.kind <> 'Delete' AND (t.deleted_at IS NOT NULL OR t.expires_at <= $2
             OR n.ended_at IS NOT NULL OR n.held_at IS NOT NULL OR n.hidden_at IS NOT NULL OR n.block_id IS NOT NULL
             OR (a.article_id IS NULL AND o.deleted_at IS NOT NULL)) THEN 1 ELSE 0 END AS gone
         FROM activities a JOIN actors o ON o.id = a.actor_id LEFT JOIN articles t ON t.id = a.article_id
         LEFT JOIN interactions n ON n.id = a.interaction_id WHERE a.uuid = $1 AND a.audience <> 'one'",
        (uuid, now),
    )
    .fetch_optional(conn, |row| Ok((row.json("body")?, row.flag("gone")?)))
    .await
}

/// How many activities wait for their fan-out.
pub(crate) async fn count_unsent(conn: &mut Conn) -> sqlx::Result<i64> {
    query("SELECT COUNT(*) FROM activities WHERE fanned_out_at IS NULL", ()).scalar(conn).await
}

/// An activity of ours, for people.
#[derive(Clone, Debug)]
pub(crate) struct SentActivity {
    pub(crate) id: ActivityId,
    pub(crate) uuid: Uuid,
    /// `Create` and so on.
    pub(crate) kind: String,
    pub(crate) actor: ActorId,
    pub(crate) audience: String,
    pub(crate) at: Timestamp,
    /// Whether its deliveries are all queued.
    pub(crate) fanned_out: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject {
    /// Those about an article, and not about a note below it.
    Article(ArticleId),
    /// Those about a note of ours.
    Said(InteractionId),
    /// Those that answer an inbound activity.
    Because(InboundId),
    /// One by its UUID.
    Activity(Uuid),
}

macro_rules! select_told {
    ($rest:literal) => {
        concat!(
            "SELECT id, uuid, kind, actor_id, audience, created_at, CASE WHEN fanned_out_at IS NULL THEN 0 ELSE 1 END AS fanned_out
             FROM activities WHERE ",
            $rest,
            " ORDER BY id LIMIT 200"
        )
    };
}

/// Our activities about a subject, the oldest first.
pub(crate) async fn told(conn: &mut Conn, subject: Subject) -> sqlx::Result<Vec<SentActivity>> {
    let select = match subject {
        Subject::Article(id) => {
            query(select_told!("article_id = $1 AND interaction_id IS NULL AND inbound_id IS NULL"), id)
        }
        Subject::Said(id) => query(select_told!("interaction_id = $1"), id),
        Subject::Because(id) => query(select_told!("inbound_id = $1"), id),
        Subject::Activity(uuid) => query(select_told!("uuid = $1"), uuid),
    };
    let read = |row: &AnyRow| {
        Ok(SentActivity {
            id: ActivityId(row.int("id")?),
            uuid: row.uuid("uuid")?,
            kind: row.text("kind")?,
            actor: ActorId(row.int("actor_id")?),
            audience: row.text("audience")?,
            at: row.time("created_at")?,
            fanned_out: row.flag("fanned_out")?,
        })
    };
    select.fetch_all(conn, read).await
}
