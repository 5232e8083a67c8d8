//! The only SQL for actors, keys, communities, authors and the settings fixed at the first start.

mod keys;

use clock::Timestamp;
use hugo_content::AuthorProfile;
use sqlx::any::AnyRow;
use uuid::Uuid;

pub(crate) use self::keys::{
    all_sealed, any_sealed_key, forget_retired, insert_keys, insert_retired, lock_keys, public_key, retired_keys,
    sealed_keys, set_master_check, set_sealed, take_keys,
};
use super::sealed::SealedKey;
use super::{Actor, Author, Choice, Community};
use crate::base::ids::{ActorId, AuthorId, CommunityId, Handle, SourceId};
use crate::base::stored::Word;
use crate::db::{Columns, Conn, Cursor, Page, Queue, Topic, added, changed, decode_error, json, query};

macro_rules! actor_columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, uuid, kind, handle, name, summary, icon, fields, revision, created_at, frozen_at, deleted_at FROM actors ",
            $rest
        )
    };
}

/// Reads a value fixed at the first start.
pub(crate) async fn setting(conn: &mut Conn, name: &str) -> sqlx::Result<Option<String>> {
    query("SELECT value FROM settings WHERE name = $1", name).maybe_scalar(conn).await
}

/// Fixes a value for ever.
///
/// # Errors
/// The database's, also when it is fixed already.
pub(crate) async fn fix_setting(conn: &mut Conn, name: &str, value: &str) -> sqlx::Result<()> {
    query("INSERT INTO settings (name, value) VALUES ($1, $2)", (name, value)).execute(conn).await
}

/// Stores a new actor with its keys.
///
/// # Errors
/// The database's, also when the handle is taken.
pub(crate) async fn insert_actor(conn: &mut Conn, actor: &Actor, keys: &[SealedKey]) -> sqlx::Result<()> {
    query(
        "INSERT INTO actors (id, uuid, kind, handle, name, summary, icon, created_at, fields)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        (
            actor.id,
            actor.uuid,
            actor.kind,
            &actor.handle,
            &actor.name,
            &actor.summary,
            actor.icon.as_ref().map(json).transpose()?,
            actor.created_at,
            json(&actor.fields)?,
        ),
    )
    .execute(conn)
    .await?;
    actor_changed(actor.id);
    insert_keys(conn, actor.id, keys, actor.created_at).await
}

/// Says that the present write changes one of our actors, and with it the lists in which it stands.
fn actor_changed(id: ActorId) {
    changed(Topic::Actor(id));
    changed(Topic::Actors);
}

/// An actor by row.
pub async fn actor(conn: &mut Conn, id: ActorId) -> sqlx::Result<Option<Actor>> {
    query(actor_columns!("WHERE id = $1"), id).fetch_optional(conn, read_actor).await
}

pub(crate) async fn actor_by_uuid(conn: &mut Conn, uuid: Uuid) -> sqlx::Result<Option<Actor>> {
    query(actor_columns!("WHERE uuid = $1"), uuid).fetch_optional(conn, read_actor).await
}

/// An actor by handle, the deleted ones too.
pub async fn actor_by_handle(conn: &mut Conn, handle: &Handle) -> sqlx::Result<Option<Actor>> {
    query(actor_columns!("WHERE handle = $1"), handle).fetch_optional(conn, read_actor).await
}

/// The instance actor; `None` before the first start.
pub(crate) async fn instance(conn: &mut Conn) -> sqlx::Result<Option<Actor>> {
    query(actor_columns!("WHERE kind = 'Application'"), ()).fetch_optional(conn, read_actor).await
}

/// All our actors, in the order of their handles.
pub async fn actors(conn: &mut Conn) -> sqlx::Result<Vec<Actor>> {
    query(actor_columns!("ORDER BY handle"), ()).fetch_all(conn, read_actor).await
}

/// How many persons may publish.
pub(crate) async fn count_people(conn: &mut Conn) -> sqlx::Result<i64> {
    query("SELECT COUNT(*) FROM actors WHERE kind = 'Person' AND frozen_at IS NULL AND deleted_at IS NULL", ())
        .scalar(conn)
        .await
}

/// Freezes an actor, or thaws it.
pub async fn set_frozen(conn: &mut Conn, id: ActorId, at: Option<Timestamp>) -> sqlx::Result<()> {
    actor_changed(id);
    query("UPDATE actors SET frozen_at = $2 WHERE id = $1", (id, at)).execute(conn).await
}

/// Marks an actor as deleted for ever; returns false when it was already.
pub async fn set_deleted(conn: &mut Conn, id: ActorId, at: Timestamp) -> sqlx::Result<bool> {
    let done = query("UPDATE actors SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL", (id, at))
        .affected(conn)
        .await?;
    actor_changed(id);
    added(Queue::Outbox);
    Ok(done > 0)
}

/// Deleted actors whose Delete is not published yet.
pub(crate) async fn unsaid_farewells(conn: &mut Conn, limit: i64) -> sqlx::Result<Vec<Actor>> {
    query(actor_columns!("WHERE deleted_at IS NOT NULL AND delete_sent_at IS NULL ORDER BY deleted_at LIMIT $1"), limit)
        .fetch_all(conn, read_actor)
        .await
}

/// Notes that an actor's Delete is published.
pub(crate) async fn set_farewell(conn: &mut Conn, id: ActorId, at: Timestamp) -> sqlx::Result<()> {
    changed(Topic::Actor(id));
    query("UPDATE actors SET delete_sent_at = $2 WHERE id = $1", (id, at)).execute(conn).await
}

/// Stores a new community.
///
/// # Errors
/// The database's, also when the handle is taken.
pub(crate) async fn insert_community(conn: &mut Conn, community: &Community) -> sqlx::Result<()> {
    changed(Topic::Actors);
    query(
        "INSERT INTO communities (id, handle, group_actor_id, team_actor_id) VALUES ($1, $2, $3, $4)",
        (community.id, &community.handle, community.group, community.team),
    )
    .execute(conn)
    .await
}

pub(crate) async fn communities(conn: &mut Conn) -> sqlx::Result<Vec<Community>> {
    query("SELECT id, handle, group_actor_id, team_actor_id FROM communities ORDER BY handle", ())
        .fetch_all(conn, read_community)
        .await
}

/// A community by row.
pub async fn community(conn: &mut Conn, id: CommunityId) -> sqlx::Result<Option<Community>> {
    query("SELECT id, handle, group_actor_id, team_actor_id FROM communities WHERE id = $1", id)
        .fetch_optional(conn, read_community)
        .await
}

/// Changes the display name and description of an actor that the configuration describes.
pub(crate) async fn describe_actor(conn: &mut Conn, id: ActorId, name: &str, summary: &str) -> sqlx::Result<()> {
    query("UPDATE actors SET name = $2, summary = $3 WHERE id = $1", (id, name, summary)).execute(conn).await?;
    actor_changed(id);
    Ok(())
}

/// Gives an actor the profile its source has now, for the outbox to publish; a frozen one stays as it is.
pub(crate) async fn reprofile(conn: &mut Conn, id: ActorId, profile: &AuthorProfile) -> sqlx::Result<()> {
    query(
        "UPDATE actors SET name = $2, summary = $3, icon = $4, fields = $5, revision = revision + 1
         WHERE id = $1 AND frozen_at IS NULL AND deleted_at IS NULL",
        (id, &profile.name, &profile.bio, profile.avatar.as_ref().map(json).transpose()?, json(&profile.fields)?),
    )
    .execute(conn)
    .await?;
    actor_changed(id);
    added(Queue::Outbox);
    Ok(())
}

/// Actors whose changed profile is not published yet.
pub(crate) async fn unsaid_profiles(conn: &mut Conn, limit: i64) -> sqlx::Result<Vec<Actor>> {
    query(actor_columns!("WHERE revision > said_revision AND deleted_at IS NULL ORDER BY id LIMIT $1"), limit)
        .fetch_all(conn, read_actor)
        .await
}

/// Notes an actor's profile as published; false when it was already, or changed since it was read.
pub(crate) async fn mark_profile_said(conn: &mut Conn, actor: &Actor) -> sqlx::Result<bool> {
    changed(Topic::Actor(actor.id));
    query(
        "UPDATE actors SET said_revision = revision
         WHERE id = $1 AND revision = $2 AND said_revision < $2 AND deleted_at IS NULL",
        (actor.id, actor.revision),
    )
    .changed(conn)
    .await
}

/// The authors of a source, in the order of their slugs.
pub async fn authors(conn: &mut Conn, source: SourceId) -> sqlx::Result<Vec<Author>> {
    query(
        "SELECT id, source_id, slug, name, bio, avatar, has_profile, fingerprint, choice, actor_id FROM authors WHERE source_id = $1 ORDER BY slug",
        source,
    )
    .fetch_all(conn, read_author)
    .await
}

/// A page of the authors of all sources, the first seen first; of those with an actor, or of all.
pub async fn authors_after(
    conn: &mut Conn,
    all: bool,
    after: Option<Cursor<1>>,
    limit: i64,
) -> sqlx::Result<Page<Author>> {
    let Cursor([after]) = after.unwrap_or(Cursor([0]));
    let authors = query(
        "SELECT id, source_id, slug, name, bio, avatar, has_profile, fingerprint, choice, actor_id FROM authors
         WHERE id > $1 AND ($2 = 1 OR actor_id IS NOT NULL) ORDER BY id LIMIT $3",
        (after, all, limit + 1),
    )
    .fetch_all(conn, read_author)
    .await?;
    Ok(Page::of(authors, limit, |last: &Author| Cursor([last.id.0]).to_string()))
}

/// Keeps an author as the source describes them.
pub(crate) async fn upsert_author(
    conn: &mut Conn,
    new_id: AuthorId,
    source: SourceId,
    profile: &AuthorProfile,
) -> sqlx::Result<()> {
    query(
        "INSERT INTO authors (id, source_id, slug, name, bio, avatar, has_profile, fingerprint)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (source_id, slug) DO UPDATE SET name = excluded.name, bio = excluded.bio, avatar = excluded.avatar,
         has_profile = excluded.has_profile, fingerprint = excluded.fingerprint",
        (
            new_id,
            source,
            &profile.slug,
            &profile.name,
            &profile.bio,
            profile.avatar.as_ref().map(json).transpose()?,
            profile.has_profile,
            &profile.fingerprint,
        ),
    )
    .execute(conn)
    .await
}

/// Gives an author their actor.
pub(crate) async fn bind_author(conn: &mut Conn, source: SourceId, slug: &str, actor: ActorId) -> sqlx::Result<()> {
    query("UPDATE authors SET actor_id = $3 WHERE source_id = $1 AND slug = $2", (source, slug, actor))
        .execute(conn)
        .await
}

/// Notes what the operator decided about an author; returns whether there is such an author.
pub(crate) async fn choose(conn: &mut Conn, source: SourceId, slug: &str, choice: Choice) -> sqlx::Result<bool> {
    query("UPDATE authors SET choice = $3 WHERE source_id = $1 AND slug = $2", (source, slug, choice))
        .changed(conn)
        .await
}

fn read_actor(row: &AnyRow) -> sqlx::Result<Actor> {
    Ok(Actor {
        id: ActorId(row.int("id")?),
        uuid: row.uuid("uuid")?,
        kind: row.word("kind")?,
        handle: Handle::parse(&row.text("handle")?).map_err(decode_error)?,
        name: row.text("name")?,
        summary: row.text("summary")?,
        icon: row.maybe_json("icon")?,
        fields: row.maybe_json("fields")?.unwrap_or_default(),
        revision: row.int("revision")?,
        created_at: row.time("created_at")?,
        frozen_at: row.maybe_time("frozen_at")?,
        deleted_at: row.maybe_time("deleted_at")?,
    })
}

fn read_community(row: &AnyRow) -> sqlx::Result<Community> {
    Ok(Community {
        id: CommunityId(row.int("id")?),
        handle: Handle::parse(&row.text("handle")?).map_err(decode_error)?,
        group: ActorId(row.int("group_actor_id")?),
        team: ActorId(row.int("team_actor_id")?),
    })
}

fn read_author(row: &AnyRow) -> sqlx::Result<Author> {
    Ok(Author {
        id: AuthorId(row.int("id")?),
        source_id: SourceId(row.int("source_id")?),
        slug: row.text("slug")?,
        name: row.text("name")?,
        bio: row.text("bio")?,
        avatar: row.maybe_json("avatar")?,
        has_profile: row.flag("has_profile")?,
        fingerprint: row.maybe_text("fingerprint")?,
        choice: row.maybe_text("choice")?.as_deref().and_then(Choice::parse),
        actor: row.maybe_int("actor_id")?.map(ActorId),
    })
}
