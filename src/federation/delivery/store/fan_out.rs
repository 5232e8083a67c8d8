//! A step of a fan-out: deliveries, the reach of the article, and the hosts that are due, a handful of statements whatever the
//! number of recipients.

use clock::Timestamp;

use super::Recipients;
use super::queue::is_end;
use super::recipients::Walk;
use crate::base::ids::{ActivityId, ArticleId, InboxId, RemoteActorId};
use crate::db::{Columns, Conn, Queue, added, query};
use crate::federation::delivery::policy::time_to_live;

/// What is fanned out.
#[derive(Clone, Debug)]
pub(crate) struct FanOut {
    pub(crate) activity: ActivityId,
    /// `Create` and so on.
    pub(crate) kind: String,
    pub(crate) article: Option<ArticleId>,
    /// Whether it is about the article itself, so that those who are sent it know the article from then on.
    pub(crate) reaches: bool,
    /// Who is sent it, part by part.
    pub(crate) parts: Vec<Recipients>,
    /// How far it came.
    pub(crate) place: Place,
}

/// How far a fan-out came: in which part of the audience, and behind which key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) part: i64,
    pub(crate) cursor: i64,
}

/// Queues an activity for the next recipients, looking at about `limit` rows, and notes that they will be sent the article;
/// returns where to go on from, or `None` behind the last.
pub(crate) async fn fan_out(conn: &mut Conn, of: &FanOut, limit: i64, now: Timestamp) -> sqlx::Result<Option<Place>> {
    let (mut left, mut after) = (limit, of.place.cursor);
    for (number, part) in (0..).zip(&of.parts).skip_while(|(number, _)| *number < of.place.part) {
        let (walk, subject) = (part.walk(), part.subject());
        let [next, ..] = walk.statements;
        let (end, looked): (Option<i64>, i64) = query(next, (subject, after, left))
            .fetch_one(conn, |row| Ok((row.maybe_int("place")?, row.int("looked")?)))
            .await?;
        if let Some(end) = end {
            queue(conn, of, &walk, subject, (after, end), now).await?;
            if looked >= left {
                return Ok(Some(Place { part: number, cursor: end }));
            }
        }
        left -= looked;
        after = 0;
    }
    Ok(None)
}

/// Queues an activity for the recipients behind one key up to another.
async fn queue(
    conn: &mut Conn,
    of: &FanOut,
    walk: &Walk,
    subject: i64,
    (after, end): (i64, i64),
    now: Timestamp,
) -> sqlx::Result<()> {
    let [_, queued, reached, woken] = walk.statements;
    let about = |statement: &'static str, fourth: i64| {
        let statement = query(statement, (of.activity, after, end, fourth));
        if walk.by_inbox { statement } else { statement.bind(subject) }
    };
    query(queued, (of.activity, after, end, now, subject, now + time_to_live(&of.kind, of.article), is_end(&of.kind)))
        .execute(conn)
        .await?;
    if let Some(article) = of.article.filter(|_| of.reaches) {
        about(reached, article.0).execute(conn).await?;
    }
    about(woken, now.millis()).execute(conn).await?;
    added(Queue::Hosts);
    Ok(())
}

/// A follower is sent what goes to all at another inbox from now on. A fan-out that went past it goes back to it; its step
/// that has read the old one does not count (`outbox::store::advance`).
pub(crate) async fn readdress(conn: &mut Conn, who: RemoteActorId, inbox: InboxId) -> sqlx::Result<()> {
    query("UPDATE followers SET inbox_id = $2 WHERE remote_actor_id = $1", (who, inbox)).execute(conn).await?;
    query(
        "UPDATE activities SET fanout_cursor = $2 WHERE fanned_out_at IS NULL AND fanout_part = 0 AND fanout_cursor > $2
         AND EXISTS (SELECT 1 FROM followers f WHERE f.actor_id = activities.actor_id AND f.remote_actor_id = $1)",
        (who, inbox.0 - 1),
    )
    .execute(conn)
    .await
}
