//! Notes of our authors: kept, edited, ended, and what is not published of them yet.

use clock::Timestamp;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::posts::{end_post, forget_old_words, read_state, remember_words};
use super::reading::{person_columns, read_person};
use super::standing;
use super::versions::{changed, changed_by};
use crate::activitypub::urls::Urls;
use crate::base::ids::{ActorId, ArticleId, InteractionId, RemoteActorId};
use crate::db::{self, Columns, Conn, Queue, Topic, added, json, query};
use crate::model::interaction::{Answers, Note, Person, Words};

/// Keeps a new note, for the outbox to publish.
pub(crate) async fn insert_note(conn: &mut Conn, note: &Note, object_id: &str, words: &Words) -> sqlx::Result<()> {
    query(
        "INSERT INTO interactions (id, article_id, actor_id, kind, activity_id, object_id, uuid, parent_id, document, source, published_at,
         received_at, revision) VALUES ($1, $2, $3, 'reply', $4, $4, $5, $6, $7, $8, $9, $9, $10)",
        (
            note.id,
            note.article,
            note.author,
            object_id,
            note.uuid,
            note.parent,
            json(words)?,
            &note.source,
            note.published,
            note.revision,
        ),
    )
    .execute(conn)
    .await?;
    db::changed(Topic::Interaction(note.id));
    changed(conn, note.article).await?;
    added(Queue::Outbox);
    remember_words(conn, note.id, words, note.published).await
}

/// Gives a note a new text, with a later time than all before, for the outbox to publish.
pub(crate) async fn revise_note(
    conn: &mut Conn,
    id: InteractionId,
    words: &Words,
    source: &str,
    as_of: Timestamp,
) -> sqlx::Result<()> {
    query(
        "UPDATE interactions SET document = $2, source = $3, updated_at = $4, revision = revision + 1 WHERE id = $1 AND ended_at IS NULL",
        (id, json(words)?, source, as_of),
    )
    .execute(conn)
    .await?;
    changed_by(conn, id).await?;
    added(Queue::Outbox);
    remember_words(conn, id, words, as_of).await?;
    forget_old_words(conn, id).await
}

/// How many notes of an actor of ours there are, without deleted ones.
pub(crate) async fn count_notes(conn: &mut Conn, author: ActorId) -> sqlx::Result<i64> {
    query("SELECT COUNT(*) FROM interactions WHERE actor_id = $1 AND ended_at IS NULL", author).scalar(conn).await
}

/// Which notes end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotesToEnd {
    Note(InteractionId),
    /// Those in the conversation of an article.
    Article(ArticleId),
    /// All of an actor of ours.
    Author(ActorId),
}

macro_rules! standing_notes {
    ($condition:literal) => {
        concat!(
            "SELECT id FROM interactions WHERE actor_id IS NOT NULL AND ended_at IS NULL AND ",
            $condition,
            " LIMIT $2"
        )
    };
}

/// Ends notes, `most` at most, and forgets their texts, for the outbox to publish. Returns how many.
pub(crate) async fn end_notes(conn: &mut Conn, which: NotesToEnd, most: i64, now: Timestamp) -> sqlx::Result<usize> {
    let (statement, subject) = match which {
        NotesToEnd::Note(id) => (standing_notes!("id = $1"), id.0),
        NotesToEnd::Article(id) => (standing_notes!("article_id = $1"), id.0),
        NotesToEnd::Author(id) => (standing_notes!("actor_id = $1"), id.0),
    };
    let ids: Vec<InteractionId> = query(statement, (subject, most)).scalars(conn).await?;
    for id in ids.iter().copied() {
        end_post(conn, id, now).await?;
        query("UPDATE interactions SET revision = revision + 1 WHERE id = $1", id).execute(conn).await?;
    }
    added(Queue::Outbox);
    Ok(ids.len())
}

macro_rules! notes {
    ($rest:literal) => {
        concat!(
            "SELECT i.id, i.uuid, i.article_id, i.actor_id, i.parent_id, p.object_id AS parent, i.document, i.source, i.published_at,
             i.updated_at, i.ended_at, i.held_at, i.hidden_at, i.block_id, i.revision, i.published_revision
             FROM interactions i LEFT JOIN interactions p ON p.id = i.parent_id
             WHERE i.actor_id IS NOT NULL AND i.uuid IS NOT NULL AND ",
            $rest
        )
    };
}

/// A note by its UUID, also one that was deleted.
pub(crate) async fn note_by_uuid(conn: &mut Conn, uuid: Uuid) -> sqlx::Result<Option<Note>> {
    query(notes!("i.uuid = $1"), uuid).fetch_optional(conn, read_note).await
}

/// The earliest notes with an unpublished revision.
pub(crate) async fn unsaid_notes(conn: &mut Conn, limit: i64) -> sqlx::Result<Vec<Note>> {
    query(notes!("i.revision > i.published_revision ORDER BY i.id LIMIT $1"), limit).fetch_all(conn, read_note).await
}

/// Notes that a revision is published; false when it was already, or the note changed meanwhile.
pub(crate) async fn mark_note_said(conn: &mut Conn, note: &Note) -> sqlx::Result<bool> {
    db::changed(Topic::Interaction(note.id));
    // It stands in its author's outbox from now on.
    db::changed(Topic::Articles);
    query(
        "UPDATE interactions SET published_revision = revision WHERE id = $1 AND revision = $2 AND published_revision = $3",
        (note.id, note.revision, note.published_revision),
    )
    .changed(conn)
    .await
}

/// How many notes have an unpublished revision.
pub async fn count_unsaid_notes(conn: &mut Conn) -> sqlx::Result<i64> {
    query("SELECT COUNT(*) FROM interactions WHERE revision > published_revision", ()).scalar(conn).await
}

/// The author of an interaction, remote or ours.
pub(crate) async fn writer(conn: &mut Conn, urls: &Urls, id: InteractionId) -> sqlx::Result<Option<Person>> {
    query(
        concat!(
            "SELECT ",
            person_columns!(),
            " FROM interactions i LEFT JOIN remote_actors r ON r.id = i.remote_actor_id LEFT JOIN actors a ON a.id = i.actor_id WHERE i.id = $1"
        ),
        id,
    )
    .fetch_optional(conn, |row| read_person(row, urls))
    .await
}

/// A remote actor with something shown in an article's conversation, by their id.
pub(crate) async fn speaker(
    conn: &mut Conn,
    urls: &Urls,
    article: ArticleId,
    actor: &str,
) -> sqlx::Result<Option<(RemoteActorId, Person)>> {
    query(
        concat!(
            "SELECT r.id AS remote, ",
            person_columns!(),
            " FROM remote_actors r JOIN interactions i ON i.remote_actor_id = r.id LEFT JOIN actors a ON a.id = i.actor_id
         WHERE r.url = $2 AND r.gone_at IS NULL AND i.article_id = $1 AND i.kind = 'reply' AND ",
            standing!(),
            " LIMIT 1"
        ),
        (article, actor),
    )
    .fetch_optional(conn, |row| Ok((RemoteActorId(row.int("remote")?), read_person(row, urls)?)))
    .await
}

macro_rules! replies_below {
    ($columns:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM interactions i WHERE i.parent_id = $1 AND i.kind = 'reply' AND ",
            standing!(),
            $rest
        )
    };
}

/// The ids of the shown replies to a note, the oldest first.
pub(crate) async fn reply_ids_below(
    conn: &mut Conn,
    id: InteractionId,
    from: i64,
    limit: i64,
) -> sqlx::Result<Vec<String>> {
    query(replies_below!("i.object_id", " ORDER BY i.published_at, i.object_id LIMIT $3 OFFSET $2"), (id, from, limit))
        .scalars(conn)
        .await
}

/// The counts of a note: its replies, and people who like or boosted it, each counted once.
pub(crate) async fn answers_to_note(conn: &mut Conn, id: InteractionId) -> sqlx::Result<Answers> {
    let replies: i64 = query(replies_below!("COUNT(*)", ""), id).scalar(conn).await?;
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    query(
        concat!(
            "SELECT COUNT(DISTINCT CASE WHEN i.kind = 'like' THEN i.remote_actor_id END) AS likes,
         COUNT(DISTINCT CASE WHEN i.kind = 'boost' THEN i.remote_actor_id END) AS boosts FROM interactions i WHERE i.parent_id = $1 AND ",
            standing!()
        ),
        id,
    )
    .fetch_one(conn, |row| {
        Ok(Answers {
            replies: count(replies),
            likes: count(row.int("likes")?),
            boosts: count(row.int("boosts")?),
            ..Answers::default()
        })
    })
    .await
}

fn read_note(row: &AnyRow) -> sqlx::Result<Note> {
    Ok(Note {
        id: InteractionId(row.int("id")?),
        uuid: row.uuid("uuid")?,
        article: ArticleId(row.int("article_id")?),
        author: ActorId(row.int("actor_id")?),
        parent: row.maybe_int("parent_id")?.map(InteractionId),
        answers: row.maybe_text("parent")?,
        words: row.maybe_json("document")?,
        source: row.maybe_text("source")?,
        published: row.time("published_at")?,
        updated: row.maybe_time("updated_at")?,
        state: read_state(row)?,
        ended_at: row.maybe_time("ended_at")?,
        revision: row.int("revision")?,
        published_revision: row.int("published_revision")?,
    })
}
