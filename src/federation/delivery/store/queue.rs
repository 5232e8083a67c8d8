//! Queues activities: finds or makes inboxes, for one recipient, or fans out in chunks.

use std::time::Duration;

use clock::Timestamp;

use super::hosts::woken;
use crate::base::ids::{ActivityId, ActorId, ArticleId, Host, Ids, InboxId, InteractionId};
use crate::db::{Conn, Queue, added, query};
use crate::federation::delivery::policy::time_to_live;

/// How long a shared inbox that is gone stays so, although its server's actors still name it.
const GONE_FOR: Duration = Duration::from_hours(24);

/// Finds or makes an inbox and its host. One that was gone is there again, since an actor names it.
pub(crate) async fn inbox(
    conn: &mut Conn,
    ids: &Ids,
    host: &Host,
    url: &str,
    shared: bool,
    now: Timestamp,
) -> sqlx::Result<InboxId> {
    query("INSERT INTO hosts (id, name) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", (ids.row(), host.as_str()))
        .execute(conn)
        .await?;
    query(
        "INSERT INTO inboxes (id, host_id, url, shared) SELECT $1, id, $2, $3 FROM hosts WHERE name = $4
         ON CONFLICT (url) DO UPDATE SET gone_at = CASE WHEN inboxes.shared = 1 AND inboxes.gone_at > $5 THEN inboxes.gone_at
             ELSE NULL END",
        (ids.row(), url, shared, host.as_str(), now - GONE_FOR),
    )
    .execute(conn)
    .await?;
    query("SELECT id FROM inboxes WHERE url = $1", url).scalar(conn).await.map(InboxId)
}

/// Counts an inbox among those that know an article, so that its Update and Delete are sent there too (interop D6).
pub(crate) async fn reach(conn: &mut Conn, article: ArticleId, inbox: InboxId) -> sqlx::Result<()> {
    query(
        "INSERT INTO article_delivered (article_id, inbox_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        (article, inbox),
    )
    .execute(conn)
    .await
}

/// Whether an activity is a Delete or Reject: all that a blocked host still gets.
fn is_end(kind: &str) -> bool {
    matches!(kind, "Delete" | "Reject")
}

/// Queues one activity that is about no article for one inbox; `holds` is the shared inbox that has to wait for it.
pub(crate) async fn enqueue(
    conn: &mut Conn,
    activity: ActivityId,
    kind: &str,
    inbox: InboxId,
    holds: Option<InboxId>,
    now: Timestamp,
) -> sqlx::Result<()> {
    query(
        "INSERT INTO deliveries (inbox_id, activity_id, host_id, holds_inbox_id, created_at, expires_at)
         SELECT i.id, $2, i.host_id, $3, $4, $5 FROM inboxes i JOIN hosts h ON h.id = i.host_id
         WHERE i.id = $1 AND (h.blocked_at IS NULL OR $6 = 1) ON CONFLICT (inbox_id, activity_id) DO NOTHING",
        (inbox, activity, holds, now, now + time_to_live(kind, None), is_end(kind)),
    )
    .execute(conn)
    .await?;
    wake(conn, activity, inbox.0 - 1, inbox.0, now).await
}

/// The inboxes that a fan-out reaches, as a subquery over `$1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recipients {
    /// The followers of an actor, through their shared inbox where they have a live one (interop D5).
    Followers(ActorId),
    /// Everyone who was sent an article.
    ArticleDelivered(ArticleId),
    /// Everyone who was sent an article, or fetched it with a signature.
    ArticleKnown(ArticleId),
    /// The followers of the author of a note, and everyone who was sent the article it is about.
    Conversation(InteractionId),
    /// Everyone who was sent a note, or answered it.
    NoteDelivered(InteractionId),
    /// Everyone who may have a note: those, and whoever was sent or fetched the article it is about.
    NoteKnown(InteractionId),
    /// The followers of an actor, and everyone who was sent an article of theirs.
    ActorKnown(ActorId),
    /// Every inbox we know that is not behind a live shared one (interop D5, D6: the Delete of an actor).
    Everyone,
    /// Every server we know, through the shared inbox where it has a live one.
    Servers,
}

/// Who was sent a note, also by their own inbox where the shared one is gone, and who answered it (interop D6).
macro_rules! note_delivered {
    () => {
        "SELECT d.inbox_id FROM activities a JOIN deliveries d ON d.activity_id = a.id WHERE a.interaction_id = $1
         UNION SELECT r.inbox_id FROM activities a JOIN deliveries d ON d.activity_id = a.id
         JOIN inboxes s ON s.id = d.inbox_id AND s.shared = 1 AND s.gone_at IS NOT NULL
         JOIN remote_actors r ON r.shared_inbox_id = s.id WHERE a.interaction_id = $1 AND r.gone_at IS NULL
         AND EXISTS (SELECT 1 FROM followers f WHERE f.remote_actor_id = r.id)
         UNION SELECT CASE WHEN s.id IS NOT NULL AND s.gone_at IS NULL THEN s.id ELSE r.inbox_id END AS inbox_id
         FROM interactions i JOIN remote_actors r ON r.id = i.remote_actor_id LEFT JOIN inboxes s ON s.id = r.shared_inbox_id
         WHERE i.parent_id = $1 AND r.gone_at IS NULL"
    };
}

macro_rules! fan_out_statements {
    ($recipients:expr) => {
        [
            concat!(
                "SELECT MAX(inbox_id) FROM (SELECT inbox_id FROM (",
                $recipients,
                ") known WHERE inbox_id > $2
                 ORDER BY inbox_id LIMIT $3) chunk"
            ),
            concat!(
                "INSERT INTO deliveries (inbox_id, activity_id, host_id, created_at, expires_at)
                 SELECT i.id, $4, i.host_id, $5, $6 FROM inboxes i
                 WHERE i.id > $2 AND i.id <= $3 AND i.gone_at IS NULL AND i.id IN (",
                $recipients,
                ")
                 AND ($7 = 1 OR NOT EXISTS (SELECT 1 FROM hosts h WHERE h.id = i.host_id AND h.blocked_at IS NOT NULL))
                 ORDER BY i.host_id, i.id ON CONFLICT (inbox_id, activity_id) DO NOTHING"
            ),
        ]
    };
}

/// As [`fan_out_statements`], of inboxes `i` that are looked at one by one, in the order of their rows: for audiences
/// of most of the inboxes there are.
macro_rules! inbox_statements {
    ($condition:literal) => {
        [
            concat!(
                "SELECT MAX(id) FROM (SELECT i.id FROM inboxes i WHERE $1 = 0 AND i.id > $2 AND (",
                $condition,
                ") ORDER BY i.id LIMIT $3) chunk"
            ),
            concat!(
                "INSERT INTO deliveries (inbox_id, activity_id, host_id, created_at, expires_at)
                 SELECT i.id, $4, i.host_id, $5, $6 FROM inboxes i
                 WHERE $1 = 0 AND i.id > $2 AND i.id <= $3 AND i.gone_at IS NULL AND (",
                $condition,
                ")
                 AND ($7 = 1 OR NOT EXISTS (SELECT 1 FROM hosts h WHERE h.id = i.host_id AND h.blocked_at IS NOT NULL))
                 ORDER BY i.host_id, i.id ON CONFLICT (inbox_id, activity_id) DO NOTHING"
            ),
        ]
    };
}

/// Whoever fetched the article of `$subject` after the inbox `$2`, but for those on a server whose live shared inbox
/// was sent what
/// `$about` selects: they get it there. Looked up from the server on, so that its cost does not grow with the number of
/// other recipients.
macro_rules! fetched {
    ($subject:literal, $about:literal) => {
        concat!(
            "SELECT f.inbox_id FROM article_fetched f WHERE f.article_id = ",
            $subject,
            " AND f.inbox_id > $2 AND NOT EXISTS (SELECT 1 FROM inboxes s JOIN activities a ON ",
            $about,
            " JOIN deliveries d ON d.inbox_id = s.id AND d.activity_id = a.id
             WHERE s.host_id = f.host_id AND s.shared = 1 AND s.gone_at IS NULL AND d.outcome = 'delivered')"
        )
    };
}

impl Recipients {
    /// Finds the end of the next chunk, and inserts the chunk.
    fn statements(self) -> [&'static str; 2] {
        match self {
            Self::Followers(_) => fan_out_statements!(
                "SELECT DISTINCT CASE WHEN s.id IS NOT NULL AND s.gone_at IS NULL THEN s.id ELSE r.inbox_id END AS inbox_id
                 FROM followers f JOIN remote_actors r ON r.id = f.remote_actor_id
                 LEFT JOIN inboxes s ON s.id = r.shared_inbox_id WHERE f.actor_id = $1 AND r.gone_at IS NULL"
            ),
            Self::ArticleDelivered(_) => fan_out_statements!("SELECT inbox_id FROM article_delivered WHERE article_id = $1 AND inbox_id > $2"),
            // Whose shared inbox took the article, and not an answer to it alone, hears of it there, and not once more at its
            // instance actor's.
            Self::ArticleKnown(_) => fan_out_statements!(concat!(
                "SELECT inbox_id FROM article_delivered WHERE article_id = $1 AND inbox_id > $2 UNION ",
                fetched!("$1", "a.article_id = $1 AND a.interaction_id IS NULL")
            )),
            Self::ActorKnown(_) => fan_out_statements!(
                "SELECT CASE WHEN s.id IS NOT NULL AND s.gone_at IS NULL THEN s.id ELSE r.inbox_id END AS inbox_id
                 FROM followers f JOIN remote_actors r ON r.id = f.remote_actor_id
                 LEFT JOIN inboxes s ON s.id = r.shared_inbox_id WHERE f.actor_id = $1 AND r.gone_at IS NULL
                 UNION SELECT article_delivered.inbox_id FROM article_delivered JOIN articles t ON t.id = article_delivered.article_id
                 WHERE t.owner_actor_id = $1"
            ),
            Self::Conversation(_) => fan_out_statements!(
                "SELECT CASE WHEN s.id IS NOT NULL AND s.gone_at IS NULL THEN s.id ELSE r.inbox_id END AS inbox_id
                 FROM interactions n JOIN followers f ON f.actor_id = n.actor_id JOIN remote_actors r ON r.id = f.remote_actor_id
                 LEFT JOIN inboxes s ON s.id = r.shared_inbox_id WHERE n.id = $1 AND r.gone_at IS NULL
                 UNION SELECT article_delivered.inbox_id FROM interactions n JOIN article_delivered ON article_delivered.article_id = n.article_id WHERE n.id = $1"
            ),
            Self::NoteDelivered(_) => fan_out_statements!(note_delivered!()),
            Self::NoteKnown(_) => fan_out_statements!(concat!(
                note_delivered!(),
                " UNION SELECT article_delivered.inbox_id FROM interactions n JOIN article_delivered ON article_delivered.article_id = n.article_id
                 WHERE n.id = $1 AND article_delivered.inbox_id > $2 UNION ",
                fetched!("(SELECT n.article_id FROM interactions n WHERE n.id = $1)", "a.interaction_id = $1")
            )),
            Self::Everyone => inbox_statements!(
                "i.shared = 1 OR NOT EXISTS (SELECT 1 FROM remote_actors r
                 JOIN inboxes s ON s.id = r.shared_inbox_id WHERE r.inbox_id = i.id AND s.gone_at IS NULL)"
            ),
            Self::Servers => inbox_statements!(
                "EXISTS (SELECT 1 FROM remote_actors r WHERE r.shared_inbox_id = i.id AND r.gone_at IS NULL AND i.gone_at IS NULL)
                 OR EXISTS (SELECT 1 FROM remote_actors r LEFT JOIN inboxes s ON s.id = r.shared_inbox_id
                 WHERE r.inbox_id = i.id AND r.gone_at IS NULL AND (s.id IS NULL OR s.gone_at IS NOT NULL))"
            ),
        }
    }

    fn is_of_note(self) -> bool {
        matches!(self, Self::Conversation(_) | Self::NoteDelivered(_) | Self::NoteKnown(_))
    }

    fn subject(self) -> i64 {
        match self {
            Self::Followers(actor) | Self::ActorKnown(actor) => actor.0,
            Self::ArticleDelivered(article) | Self::ArticleKnown(article) => article.0,
            Self::Conversation(note) | Self::NoteDelivered(note) | Self::NoteKnown(note) => note.0,
            Self::Everyone | Self::Servers => 0,
        }
    }
}

/// Queues an activity for the next `limit` recipients after `cursor`, and notes that they will be sent the article,
/// unless it is about a note alone; returns the cursor to go on from, or `None` after the last chunk.
#[expect(clippy::too_many_arguments, reason = "one row's worth of facts")]
pub(crate) async fn fan_out(
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
    let end: Option<i64> = query(chunk_end, (recipients.subject(), cursor, limit)).scalar(conn).await?;
    let Some(end) = end else { return Ok(None) };
    query(
        insertion,
        (recipients.subject(), cursor, end, activity, now, now + time_to_live(kind, article), is_end(kind)),
    )
    .execute(conn)
    .await?;
    if let Some(article) = article.filter(|_| !recipients.is_of_note()) {
        query(
            "INSERT INTO article_delivered (article_id, inbox_id) SELECT $1, inbox_id FROM deliveries
             WHERE activity_id = $2 AND inbox_id > $3 AND inbox_id <= $4 ON CONFLICT (article_id, inbox_id) DO NOTHING",
            (article, activity, cursor, end),
        )
        .execute(conn)
        .await?;
    }
    wake(conn, activity, cursor, end, now).await?;
    Ok(Some(end))
}

/// Makes the hosts of the deliveries just queued due.
async fn wake(conn: &mut Conn, activity: ActivityId, after: i64, through: i64, now: Timestamp) -> sqlx::Result<()> {
    query(
        concat!(
        woken!("$4"),
        "IN (SELECT host_id FROM deliveries WHERE activity_id = $1 AND inbox_id > $2 AND inbox_id <= $3 AND settled_at IS NULL)"
    ),
        (activity, after, through, now),
    )
    .execute(conn)
    .await?;
    added(Queue::Hosts);
    Ok(())
}
