//! The parts of an audience, and how each is walked over: in the order of a key, so that no step of a fan-out costs more than
//! another (ADR 15).

use crate::base::ids::{ActorId, ArticleId, InteractionId};

use super::hosts::woken;

/// A part of an audience. One inbox may stand in several; it is queued once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recipients {
    /// The followers of an actor, through their shared inbox where they have a live one (interop D5).
    Followers(ActorId),
    /// Those of them whose shared inbox is gone.
    FollowersBehindGone(ActorId),
    /// Everyone who was sent an article.
    ArticleDelivered(ArticleId),
    /// Whoever fetched an article with a signature, but for those on a server whose live shared inbox took it: they get it
    /// there, and not once more at their instance actor's.
    ArticleFetched(ArticleId),
    /// Everyone who was sent an article of an actor.
    ArticlesOf(ActorId),
    /// Everyone who was sent a note.
    NoteDelivered(InteractionId),
    /// Followers behind the gone shared inboxes among those (interop D6).
    NoteBehindGone(InteractionId),
    /// Everyone who answered a note.
    NoteAnswered(InteractionId),
    /// Whoever fetched the article that a note is about, but for those who hear of the note at a shared inbox.
    NoteFetched(InteractionId),
    /// Every inbox we know that is not behind a live shared one (interop D5, D6: the Delete of an actor).
    Everyone,
    /// Every server we know, through the shared inbox where it has a live one.
    Servers,
}

/// The statements of a step over one part: the key at which it ends and how many rows it looks at, of the subject `$1`
/// after the key `$2`, at most `$3`; then, for the activity `$1` and the keys after `$2` up to `$3`, the deliveries, the
/// reach of the article `$4`, and the hosts that are due at `$4`.
pub(super) struct Walk {
    pub(super) statements: [&'static str; 4],
    /// Whether the keys are those of the inboxes that are queued, so that reach and hosts need no subject (`$5`).
    pub(super) by_inbox: bool,
}

/// Where a step ends, of rows with a `place`.
macro_rules! next {
    ($places:expr) => {
        concat!("SELECT MAX(place) AS place, COUNT(*) AS looked FROM (", $places, " ORDER BY place LIMIT $3) part")
    };
}

/// Deliveries until `$6` to the inboxes `i`, of the subject `$5`; `$7` says whether blocked hosts get it.
macro_rules! queued {
    ($from:expr) => {
        concat!(
            "INSERT INTO deliveries (inbox_id, activity_id, host_id, created_at, expires_at) SELECT i.id, $1, i.host_id, $4, $6 FROM ",
            $from,
            " AND i.gone_at IS NULL
             AND ($7 = 1 OR NOT EXISTS (SELECT 1 FROM hosts h WHERE h.id = i.host_id AND h.blocked_at IS NOT NULL))
             ON CONFLICT (inbox_id, activity_id) DO NOTHING"
        )
    };
}

/// The statements of a walk in the order of the inboxes `i`.
macro_rules! by_inbox {
    ($end:expr, $from:expr) => {
        [
            $end,
            queued!($from),
            "INSERT INTO article_delivered (article_id, inbox_id) SELECT $4, inbox_id FROM deliveries
             WHERE activity_id = $1 AND inbox_id > $2 AND inbox_id <= $3 ON CONFLICT (article_id, inbox_id) DO NOTHING",
            concat!(
                woken!("$4"),
                "IN (SELECT host_id FROM deliveries WHERE activity_id = $1 AND inbox_id > $2 AND inbox_id <= $3 AND settled_at IS NULL)"
            ),
        ]
    };
}

/// As [`by_inbox`], in the order of another key.
macro_rules! by_key {
    ($end:expr, $from:expr) => {
        [
            $end,
            queued!($from),
            concat!(
                "INSERT INTO article_delivered (article_id, inbox_id) SELECT $4, i.id FROM ",
                $from,
                " AND EXISTS (SELECT 1 FROM deliveries d WHERE d.activity_id = $1 AND d.inbox_id = i.id)
                 ON CONFLICT (article_id, inbox_id) DO NOTHING"
            ),
            concat!(
                woken!("$4"),
                "IN (SELECT i.host_id FROM ",
                $from,
                " AND EXISTS (SELECT 1 FROM deliveries d WHERE d.activity_id = $1 AND d.inbox_id = i.id AND d.settled_at IS NULL))"
            ),
        ]
    };
}

/// The next inboxes, whatever they are to the subject.
macro_rules! next_inboxes {
    () => {
        next!("SELECT id AS place FROM inboxes WHERE $1 >= 0 AND id > $2")
    };
}

/// The gone shared inboxes that were sent the note `$subject`.
macro_rules! gone_with_note {
    ($subject:literal) => {
        concat!(
            "s.shared = 1 AND s.gone_at IS NOT NULL AND s.id > $2 AND EXISTS (SELECT 1 FROM activities a
             JOIN deliveries t ON t.activity_id = a.id AND t.inbox_id = s.id WHERE a.interaction_id = ",
            $subject,
            ")"
        )
    };
}

/// Those who fetched an article `f`, but for those whose server's live shared inbox took what `$about` selects.
macro_rules! fetched {
    ($article:literal, $about:literal) => {
        concat!(
            "article_fetched f JOIN inboxes i ON i.id = f.inbox_id WHERE f.article_id = ",
            $article,
            " AND f.inbox_id > $2 AND f.inbox_id <= $3 AND NOT EXISTS (SELECT 1 FROM inboxes s JOIN activities a ON ",
            $about,
            " JOIN deliveries d ON d.inbox_id = s.id AND d.activity_id = a.id
             WHERE s.host_id = f.host_id AND s.shared = 1 AND s.gone_at IS NULL AND d.outcome = 'delivered')"
        )
    };
}

impl Recipients {
    pub(super) fn walk(self) -> Walk {
        let by_inbox = !matches!(self, Self::FollowersBehindGone(_) | Self::NoteBehindGone(_) | Self::NoteAnswered(_));
        let statements = match self {
            Self::Followers(_) => by_inbox!(
                next!("SELECT inbox_id AS place FROM followers WHERE actor_id = $1 AND inbox_id > $2"),
                "(SELECT DISTINCT inbox_id FROM followers WHERE actor_id = $5 AND inbox_id > $2 AND inbox_id <= $3) part
                 JOIN inboxes i ON i.id = part.inbox_id WHERE i.id > $2"
            ),
            // From the inboxes that are gone, which are few, and not from the followers: SQLite keeps a CROSS JOIN's order.
            Self::FollowersBehindGone(_) => by_key!(
                next!(
                    "SELECT s.id AS place FROM inboxes s CROSS JOIN followers f
                     WHERE s.shared = 1 AND s.gone_at IS NOT NULL AND s.id > $2 AND f.actor_id = $1 AND f.inbox_id = s.id"
                ),
                "inboxes s CROSS JOIN followers f JOIN remote_actors r ON r.id = f.remote_actor_id
                 JOIN inboxes i ON i.id = r.inbox_id
                 WHERE s.shared = 1 AND s.gone_at IS NOT NULL AND s.id > $2 AND s.id <= $3 AND f.actor_id = $5 AND f.inbox_id = s.id"
            ),
            Self::ArticleDelivered(_) => by_inbox!(
                next!("SELECT inbox_id AS place FROM article_delivered WHERE article_id = $1 AND inbox_id > $2"),
                "article_delivered t JOIN inboxes i ON i.id = t.inbox_id
                 WHERE t.article_id = $5 AND t.inbox_id > $2 AND t.inbox_id <= $3"
            ),
            Self::ArticleFetched(_) => by_inbox!(
                next!("SELECT inbox_id AS place FROM article_fetched WHERE article_id = $1 AND inbox_id > $2"),
                fetched!("$5", "a.article_id = $5 AND a.interaction_id IS NULL")
            ),
            Self::ArticlesOf(_) => by_inbox!(
                next_inboxes!(),
                "inboxes i WHERE i.id > $2 AND i.id <= $3 AND EXISTS (SELECT 1 FROM article_delivered t
                 JOIN articles p ON p.id = t.article_id WHERE t.inbox_id = i.id AND p.owner_actor_id = $5)"
            ),
            // Its activities are several, each with deliveries of its own: a step is as long as the shortest goes.
            Self::NoteDelivered(_) => by_inbox!(
                "SELECT CASE WHEN SUM(looked) < $3 THEN MAX(place) ELSE MIN(place) END AS place,
                 CAST(COALESCE(SUM(looked), 0) AS BIGINT) AS looked FROM (SELECT
                     (SELECT MAX(place) FROM (SELECT d.inbox_id AS place FROM deliveries d
                         WHERE d.activity_id = a.id AND d.inbox_id > $2 ORDER BY d.inbox_id LIMIT $3) last) AS place,
                     (SELECT COUNT(*) FROM (SELECT d.inbox_id FROM deliveries d
                         WHERE d.activity_id = a.id AND d.inbox_id > $2 ORDER BY d.inbox_id LIMIT $3) several) AS looked
                     FROM activities a WHERE a.interaction_id = $1) part",
                "(SELECT DISTINCT d.inbox_id FROM activities a JOIN deliveries d ON d.activity_id = a.id
                 WHERE a.interaction_id = $5 AND a.id <> $1 AND d.inbox_id > $2 AND d.inbox_id <= $3) part
                 JOIN inboxes i ON i.id = part.inbox_id WHERE i.id > $2"
            ),
            Self::NoteBehindGone(_) => by_key!(
                next!(concat!("SELECT s.id AS place FROM inboxes s WHERE ", gone_with_note!("$1"))),
                concat!(
                    "inboxes s JOIN remote_actors r ON r.shared_inbox_id = s.id JOIN inboxes i ON i.id = r.inbox_id WHERE ",
                    gone_with_note!("$5"),
                    " AND s.id <= $3 AND r.gone_at IS NULL AND EXISTS (SELECT 1 FROM followers f WHERE f.remote_actor_id = r.id)"
                )
            ),
            Self::NoteAnswered(_) => by_key!(
                next!("SELECT id AS place FROM interactions WHERE parent_id = $1 AND id > $2"),
                "interactions n JOIN remote_actors r ON r.id = n.remote_actor_id
                 LEFT JOIN inboxes s ON s.id = r.shared_inbox_id AND s.gone_at IS NULL
                 JOIN inboxes i ON i.id = COALESCE(s.id, r.inbox_id)
                 WHERE n.parent_id = $5 AND n.id > $2 AND n.id <= $3 AND r.gone_at IS NULL"
            ),
            Self::NoteFetched(_) => by_inbox!(
                next!(
                    "SELECT inbox_id AS place FROM article_fetched
                     WHERE article_id = (SELECT n.article_id FROM interactions n WHERE n.id = $1) AND inbox_id > $2"
                ),
                fetched!("(SELECT n.article_id FROM interactions n WHERE n.id = $5)", "a.interaction_id = $5")
            ),
            Self::Everyone => by_inbox!(
                next_inboxes!(),
                "inboxes i WHERE $5 = 0 AND i.id > $2 AND i.id <= $3 AND (i.shared = 1 OR NOT EXISTS (SELECT 1 FROM remote_actors r
                 JOIN inboxes s ON s.id = r.shared_inbox_id WHERE r.inbox_id = i.id AND s.gone_at IS NULL))"
            ),
            Self::Servers => by_inbox!(
                next_inboxes!(),
                "inboxes i WHERE $5 = 0 AND i.id > $2 AND i.id <= $3 AND (EXISTS (SELECT 1 FROM remote_actors r
                     WHERE r.shared_inbox_id = i.id AND r.gone_at IS NULL AND i.gone_at IS NULL)
                 OR EXISTS (SELECT 1 FROM remote_actors r LEFT JOIN inboxes s ON s.id = r.shared_inbox_id
                     WHERE r.inbox_id = i.id AND r.gone_at IS NULL AND (s.id IS NULL OR s.gone_at IS NOT NULL)))"
            ),
        };
        Walk { statements, by_inbox }
    }

    pub(super) fn subject(self) -> i64 {
        match self {
            Self::Followers(actor) | Self::FollowersBehindGone(actor) | Self::ArticlesOf(actor) => actor.0,
            Self::ArticleDelivered(article) | Self::ArticleFetched(article) => article.0,
            Self::NoteDelivered(note)
            | Self::NoteBehindGone(note)
            | Self::NoteAnswered(note)
            | Self::NoteFetched(note) => note.0,
            Self::Everyone | Self::Servers => 0,
        }
    }
}
