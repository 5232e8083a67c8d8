//! Replies, quotes and notices: kept, edited, judged, ended.

use clock::Timestamp;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::versions::{changed, changed_by, changed_with};
use crate::activitypub::incoming::same_origin;
use crate::base::ids::{ActorId, ArticleId, InteractionId, RemoteActorId};
use crate::db::{self, Columns, Conn, Topic, decode_error, json, query};
use crate::model::interaction::{Author, Kind, Reply, State, Words};

/// Most versions kept of one post; of more, the oldest are forgotten.
const VERSIONS_MAX: i64 = 100;

/// A post about to be kept.
#[derive(Clone, Debug)]
pub struct NewPost<'a> {
    /// Row.
    pub id: InteractionId,
    /// Of which conversation.
    pub article: ArticleId,
    /// Who wrote it.
    pub author: Author,
    /// A reply, a quote or a notice.
    pub kind: Kind,
    /// The activity that brought it.
    pub activity_id: &'a str,
    /// Its own id.
    pub object_id: &'a str,
    /// In the id of our permission, of a quote.
    pub uuid: Option<Uuid>,
    /// The reply it answers; `None` where it answers the article.
    pub parent: Option<InteractionId>,
    /// What it says.
    pub words: &'a Words,
    /// When it was written.
    pub published: Timestamp,
    /// When it was last edited.
    pub updated: Option<Timestamp>,
    /// Whether it waits for a moderator, and why.
    pub held: Option<&'a str>,
}

/// Keeps a remote post.
pub async fn insert_post(conn: &mut Conn, post: &NewPost<'_>, now: Timestamp) -> sqlx::Result<()> {
    let (remote, ours) = match post.author {
        Author::Remote(id) => (Some(id.0), None),
        Author::Local(id) => (None, Some(id.0)),
    };
    query(
        "INSERT INTO interactions (id, article_id, remote_actor_id, actor_id, kind, activity_id, object_id, uuid, parent_id, document,
         published_at, updated_at, received_at, held_at, hidden_why, page)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        (
            post.id,
            post.article,
            remote,
            ours,
            post.kind,
            post.activity_id,
            post.object_id,
            post.uuid,
            post.parent,
            json(post.words)?,
            post.published,
            post.updated,
            now,
            post.held.map(|_| now),
            post.held,
            page_of(post.object_id, post.words),
        ),
    )
    .execute(conn)
    .await?;
    db::changed(Topic::Interaction(post.id));
    changed(conn, post.article).await?;
    remember_words(conn, post.id, post.words, post.updated.unwrap_or(post.published)).await
}

/// The page for people that a remote post names as its own: only on the origin of its id, so that nobody's page leads
/// to somebody else's text.
pub(super) fn page_of<'a>(object_id: &str, words: &'a Words) -> Option<&'a str> {
    Some(words.url.as_str()).filter(|page| *page != object_id && same_origin(page, object_id))
}

pub(super) async fn remember_words(
    conn: &mut Conn,
    id: InteractionId,
    words: &Words,
    as_of: Timestamp,
) -> sqlx::Result<()> {
    query(
        "INSERT INTO post_versions (interaction_id, as_of, document) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        (id, as_of, json(words)?),
    )
    .execute(conn)
    .await
}

/// Of the versions of a post, the oldest are forgotten where there are too many.
pub(super) async fn forget_old_words(conn: &mut Conn, id: InteractionId) -> sqlx::Result<()> {
    query(
        "DELETE FROM post_versions WHERE interaction_id = $1 AND as_of NOT IN
         (SELECT w.as_of FROM post_versions w WHERE w.interaction_id = $1 ORDER BY w.as_of DESC LIMIT $2)",
        (id, VERSIONS_MAX),
    )
    .execute(conn)
    .await
}

/// Gives a post the text that it had from `as_of` on: shown if it is the newest, else history. Returns whether it is
/// shown.
pub(crate) async fn edit_post(conn: &mut Conn, post: &Reply, words: &Words, as_of: Timestamp) -> sqlx::Result<bool> {
    remember_words(conn, post.id, words, as_of).await?;
    forget_old_words(conn, post.id).await?;
    if as_of <= post.as_of && post.has_words {
        return Ok(false);
    }
    query(
        "UPDATE interactions SET document = $2, updated_at = CASE WHEN $3 > published_at THEN $3 ELSE updated_at END,
         held_at = CASE WHEN hidden_why = $4 THEN NULL ELSE held_at END, hidden_why = CASE WHEN hidden_why = $4 THEN NULL ELSE hidden_why END,
         page = $5 WHERE id = $1",
        (post.id, json(words)?, as_of, RESTORED, page_of(&post.object_id, words)),
    )
    .execute(conn)
    .await?;
    db::changed(Topic::Interaction(post.id));
    changed(conn, post.article).await?;
    Ok(true)
}

/// The versions of a post, the oldest first.
pub async fn post_versions(conn: &mut Conn, id: InteractionId) -> sqlx::Result<Vec<(Timestamp, Words)>> {
    query("SELECT as_of, document FROM post_versions WHERE interaction_id = $1 ORDER BY as_of", id)
        .fetch_all(conn, |row| Ok((row.time("as_of")?, row.json("document")?)))
        .await
}

/// The present text of a post; `None` once it was deleted.
pub async fn words(conn: &mut Conn, id: InteractionId) -> sqlx::Result<Option<Words>> {
    let words = query("SELECT document FROM interactions WHERE id = $1", id);
    Ok(words.fetch_optional(conn, |row| row.maybe_json("document")).await?.flatten())
}

macro_rules! select_post {
    ($condition:literal) => {
        concat!(
            "SELECT id, article_id, remote_actor_id, actor_id, kind, object_id, uuid, COALESCE(updated_at, published_at) AS as_of,
             ended_at, held_at, hidden_at, block_id, CASE WHEN document IS NULL THEN 0 ELSE 1 END AS has_words FROM interactions WHERE object_id IS NOT NULL AND ",
            $condition
        )
    };
}

/// A post by its own id, also one that was deleted.
pub async fn post(conn: &mut Conn, object_id: &str) -> sqlx::Result<Option<Reply>> {
    query(select_post!("object_id = $1"), object_id).fetch_optional(conn, read_post).await
}

/// As [`post`], by the UUID of our note or of our permission of a quote.
pub(crate) async fn post_by_uuid(conn: &mut Conn, uuid: Uuid) -> sqlx::Result<Option<Reply>> {
    query(select_post!("uuid = $1"), uuid).fetch_optional(conn, read_post).await
}

/// As [`post`], by row.
pub(crate) async fn post_by_row(conn: &mut Conn, id: InteractionId) -> sqlx::Result<Option<Reply>> {
    query(select_post!("id = $1"), id).fetch_optional(conn, read_post).await
}

/// The state in a row's columns; a deletion overrides the rest.
pub(super) fn read_state(row: &AnyRow) -> sqlx::Result<State> {
    Ok(if row.maybe_int("ended_at")?.is_some() {
        State::Deleted
    } else if row.maybe_int("block_id")?.is_some() {
        State::Blocked
    } else if row.maybe_int("hidden_at")?.is_some() {
        State::Hidden
    } else if row.maybe_int("held_at")?.is_some() {
        State::Held
    } else {
        State::Shown
    })
}

fn read_post(row: &AnyRow) -> sqlx::Result<Reply> {
    let (remote, ours) = (row.maybe_int("remote_actor_id")?, row.maybe_int("actor_id")?);
    Ok(Reply {
        id: InteractionId(row.int("id")?),
        article: ArticleId(row.int("article_id")?),
        author: match (remote, ours) {
            (Some(id), _) => Author::Remote(RemoteActorId(id)),
            (None, Some(id)) => Author::Local(ActorId(id)),
            (None, None) => return Err(decode_error("an interaction of nobody")),
        },
        kind: row.word("kind")?,
        object_id: row.text("object_id")?,
        uuid: row.maybe_text("uuid")?.map(|uuid| Uuid::parse_str(&uuid)).transpose().map_err(decode_error)?,
        as_of: row.time("as_of")?,
        state: read_state(row)?,
        has_words: row.flag("has_words")?,
        ended_at: row.maybe_time("ended_at")?,
    })
}

/// Restores a post that was deleted; held until its text is fetched again. False when it was not deleted, or when a
/// moderator had hidden or deleted it.
pub(crate) async fn reopen_post(conn: &mut Conn, id: InteractionId, now: Timestamp) -> sqlx::Result<bool> {
    let done = query(
        "UPDATE interactions SET ended_at = NULL, held_at = $2, hidden_why = $3 WHERE id = $1 AND ended_at IS NOT NULL
         AND hidden_at IS NULL",
        (id, now, RESTORED),
    )
    .affected(conn)
    .await?;
    changed_by(conn, id).await?;
    Ok(done > 0)
}

/// Why a restored post is held until its text is there.
const RESTORED: &str = "restored by its author; its words are being read again";

/// A moderator's decision: shown, held or hidden, with the reason where there is one. The same decision again without a
/// reason keeps the earlier reason.
pub async fn decide(
    conn: &mut Conn,
    id: InteractionId,
    state: State,
    why: Option<&str>,
    now: Timestamp,
) -> sqlx::Result<()> {
    query(
        "UPDATE interactions SET held_at = $2, hidden_at = $3, decided_at = $5,
         hidden_why = CASE WHEN CAST($4 AS TEXT) = '' THEN CASE WHEN (held_at IS NULL) = (CAST($2 AS BIGINT) IS NULL)
             AND (hidden_at IS NULL) = (CAST($3 AS BIGINT) IS NULL) THEN hidden_why END ELSE CAST($4 AS TEXT) END
         WHERE id = $1 AND ended_at IS NULL",
        (
            id,
            (state == State::Held).then_some(now),
            (state == State::Hidden).then_some(now),
            why.unwrap_or_default(),
            now,
        ),
    )
    .execute(conn)
    .await?;
    changed_by(conn, id).await
}

/// Ends a post and forgets its text (interop G11).
pub async fn end_post(conn: &mut Conn, id: InteractionId, now: Timestamp) -> sqlx::Result<()> {
    query(
        "UPDATE interactions SET document = NULL, source = NULL, page = NULL, updated_at = NULL, ended_at = $2 WHERE id = $1 AND ended_at IS NULL",
        (id, now),
    )
    .execute(conn)
    .await?;
    query("DELETE FROM post_versions WHERE interaction_id = $1", id).execute(conn).await?;
    changed_by(conn, id).await
}

/// Ends everything of a remote actor that is gone; returns how many.
pub(crate) async fn end_all(conn: &mut Conn, author: RemoteActorId, now: Timestamp) -> sqlx::Result<u64> {
    query(
        "DELETE FROM post_versions WHERE interaction_id IN (SELECT id FROM interactions WHERE remote_actor_id = $1)",
        author,
    )
    .execute(conn)
    .await?;
    let ended: Vec<InteractionId> = query(
        "UPDATE interactions SET document = NULL, page = NULL, updated_at = NULL, ended_at = $2
         WHERE remote_actor_id = $1 AND ended_at IS NULL RETURNING id",
        (author, now),
    )
    .scalars(conn)
    .await?;
    for id in &ended {
        db::changed(Topic::Interaction(*id));
    }
    changed_with(conn, author).await?;
    Ok(ended.len() as u64)
}

/// How a post got its present state.
#[derive(Clone, Debug)]
pub(crate) struct History {
    /// When it was kept.
    pub(crate) kept: Timestamp,
    /// The id of what it answers.
    pub(crate) parent: Option<String>,
    /// Since when it is held.
    pub(crate) held: Option<Timestamp>,
    /// Since when it is hidden.
    pub(crate) hidden: Option<Timestamp>,
    /// Why.
    pub(crate) why: Option<String>,
}

pub(crate) async fn history(conn: &mut Conn, id: InteractionId) -> sqlx::Result<History> {
    query(
        "SELECT i.received_at, p.object_id AS parent, i.held_at, i.hidden_at, i.hidden_why FROM interactions i
         LEFT JOIN interactions p ON p.id = i.parent_id WHERE i.id = $1",
        id,
    )
    .fetch_one(conn, |row| {
        Ok(History {
            kept: row.time("received_at")?,
            parent: row.maybe_text("parent")?,
            held: row.maybe_time("held_at")?,
            hidden: row.maybe_time("hidden_at")?,
            why: row.maybe_text("hidden_why")?,
        })
    })
    .await
}
