//! The only SQL for actors, keys, communities, authors and the settings fixed at the first start.

mod keys;

use clock::Timestamp;
use hugo_content::AuthorProfile;
use sqlx::any::AnyRow;
use sqlx::{query, query_scalar};
use uuid::Uuid;

pub(crate) use self::keys::{
    all_sealed, any_sealed_key, forget_retired, insert_keys, insert_retired, lock_keys, public_key, retired_keys,
    sealed_key, set_master_check, set_sealed, take_keys,
};
use super::sealed::SealedKey;
use super::{Actor, Author, Choice, Community};
use crate::activitypub::actor::ActorKind;
use crate::base::ids::{ActorId, AuthorId, CommunityId, Handle, SourceId};
use crate::db::{Columns, Conn, Cursor, Page, Queue, added, decode_error, json};

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
    query_scalar("SELECT value FROM settings WHERE name = $1").bind(name).fetch_optional(conn).await
}

/// Fixes a value for ever.
///
/// # Errors
/// The database's, among them that it is fixed already.
pub(crate) async fn fix_setting(conn: &mut Conn, name: &str, value: &str) -> sqlx::Result<()> {
    query("INSERT INTO settings (name, value) VALUES ($1, $2)").bind(name).bind(value).execute(conn).await?;
    Ok(())
}

/// Stores a new actor with its keys.
///
/// # Errors
/// The database's, among them that the handle is taken.
pub(crate) async fn insert_actor(conn: &mut Conn, actor: &Actor, keys: &[SealedKey]) -> sqlx::Result<()> {
    query(
        "INSERT INTO actors (id, uuid, kind, handle, name, summary, icon, created_at, fields)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(actor.id.0)
    .bind(actor.uuid.to_string())
    .bind(actor.kind.as_str())
    .bind(actor.handle.as_str())
    .bind(&actor.name)
    .bind(&actor.summary)
    .bind(actor.icon.as_ref().map(json).transpose()?)
    .bind(actor.created_at.millis())
    .bind(json(&actor.fields)?)
    .execute(&mut *conn)
    .await?;
    insert_keys(conn, actor.id, keys, actor.created_at).await
}

/// An actor by row.
pub async fn actor(conn: &mut Conn, id: ActorId) -> sqlx::Result<Option<Actor>> {
    query(actor_columns!("WHERE id = $1"))
        .bind(id.0)
        .fetch_optional(conn)
        .await?
        .map(|row| read_actor(&row))
        .transpose()
}

/// An actor by public name.
pub(crate) async fn actor_by_uuid(conn: &mut Conn, uuid: Uuid) -> sqlx::Result<Option<Actor>> {
    let row = query(actor_columns!("WHERE uuid = $1")).bind(uuid.to_string()).fetch_optional(conn).await?;
    row.map(|row| read_actor(&row)).transpose()
}

/// An actor by handle, the deleted ones too.
pub async fn actor_by_handle(conn: &mut Conn, handle: &Handle) -> sqlx::Result<Option<Actor>> {
    let row = query(actor_columns!("WHERE handle = $1")).bind(handle.as_str()).fetch_optional(conn).await?;
    row.map(|row| read_actor(&row)).transpose()
}

/// The instance itself; `None` before the first start.
pub(crate) async fn instance(conn: &mut Conn) -> sqlx::Result<Option<Actor>> {
    let row = query(actor_columns!("WHERE kind = 'Application'")).fetch_optional(conn).await?;
    row.map(|row| read_actor(&row)).transpose()
}

/// All our actors, in the order of their handles.
pub async fn actors(conn: &mut Conn) -> sqlx::Result<Vec<Actor>> {
    query(actor_columns!("ORDER BY handle")).fetch_all(conn).await?.iter().map(read_actor).collect()
}

/// How many people of ours may publish.
pub(crate) async fn count_people(conn: &mut Conn) -> sqlx::Result<i64> {
    query_scalar("SELECT COUNT(*) FROM actors WHERE kind = 'Person' AND frozen_at IS NULL AND deleted_at IS NULL")
        .fetch_one(conn)
        .await
}

/// Freezes an actor, or thaws it.
pub async fn set_frozen(conn: &mut Conn, id: ActorId, at: Option<Timestamp>) -> sqlx::Result<()> {
    query("UPDATE actors SET frozen_at = $2 WHERE id = $1")
        .bind(id.0)
        .bind(at.map(Timestamp::millis))
        .execute(conn)
        .await?;
    Ok(())
}

/// Marks an actor as deleted for ever; says whether it was not before.
pub async fn set_deleted(conn: &mut Conn, id: ActorId, at: Timestamp) -> sqlx::Result<bool> {
    let done = query("UPDATE actors SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL")
        .bind(id.0)
        .bind(at.millis())
        .execute(conn)
        .await?;
    added(Queue::Outbox);
    Ok(done.rows_affected() > 0)
}

/// A deleted actor whose Delete is still to be said.
pub(crate) async fn unsaid_farewells(conn: &mut Conn, limit: i64) -> sqlx::Result<Vec<Actor>> {
    let rows =
        query(actor_columns!("WHERE deleted_at IS NOT NULL AND delete_sent_at IS NULL ORDER BY deleted_at LIMIT $1"))
            .bind(limit)
            .fetch_all(conn)
            .await?;
    rows.iter().map(read_actor).collect()
}

/// Records that an actor's Delete was said.
pub(crate) async fn set_farewell(conn: &mut Conn, id: ActorId, at: Timestamp) -> sqlx::Result<()> {
    query("UPDATE actors SET delete_sent_at = $2 WHERE id = $1").bind(id.0).bind(at.millis()).execute(conn).await?;
    Ok(())
}

/// Stores a new community.
///
/// # Errors
/// The database's, among them that the handle is taken.
pub(crate) async fn insert_community(conn: &mut Conn, community: &Community) -> sqlx::Result<()> {
    query("INSERT INTO communities (id, handle, group_actor_id, team_actor_id) VALUES ($1, $2, $3, $4)")
        .bind(community.id.0)
        .bind(community.handle.as_str())
        .bind(community.group.0)
        .bind(community.team.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// All communities.
pub(crate) async fn communities(conn: &mut Conn) -> sqlx::Result<Vec<Community>> {
    let rows = query("SELECT id, handle, group_actor_id, team_actor_id FROM communities ORDER BY handle")
        .fetch_all(conn)
        .await?;
    rows.iter().map(read_community).collect()
}

/// A community by row.
pub async fn community(conn: &mut Conn, id: CommunityId) -> sqlx::Result<Option<Community>> {
    let row = query("SELECT id, handle, group_actor_id, team_actor_id FROM communities WHERE id = $1")
        .bind(id.0)
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(read_community).transpose()
}

/// How often any of our profiles changed: whoever shows them makes anew what it kept when this is another number.
pub(crate) async fn profile_changes(conn: &mut Conn) -> sqlx::Result<i64> {
    let changes: Option<i64> =
        query_scalar("SELECT value FROM counters WHERE name = 'profiles'").fetch_optional(conn).await?;
    Ok(changes.unwrap_or_default())
}

async fn profile_changed(conn: &mut Conn) -> sqlx::Result<()> {
    query("UPDATE counters SET value = value + 1 WHERE name = 'profiles'").execute(conn).await?;
    Ok(())
}

/// Changes the display name and description of an actor that the configuration describes.
pub(crate) async fn describe_actor(conn: &mut Conn, id: ActorId, name: &str, summary: &str) -> sqlx::Result<()> {
    query("UPDATE actors SET name = $2, summary = $3 WHERE id = $1")
        .bind(id.0)
        .bind(name)
        .bind(summary)
        .execute(&mut *conn)
        .await?;
    profile_changed(conn).await
}

/// Gives an actor the profile its source has now, and the outbox says it; a frozen one stays as it is.
pub(crate) async fn reprofile(conn: &mut Conn, id: ActorId, profile: &AuthorProfile) -> sqlx::Result<()> {
    query(
        "UPDATE actors SET name = $2, summary = $3, icon = $4, fields = $5, revision = revision + 1
         WHERE id = $1 AND frozen_at IS NULL AND deleted_at IS NULL",
    )
    .bind(id.0)
    .bind(&profile.name)
    .bind(&profile.bio)
    .bind(profile.avatar.as_ref().map(json).transpose()?)
    .bind(json(&profile.fields)?)
    .execute(&mut *conn)
    .await?;
    added(Queue::Outbox);
    profile_changed(conn).await
}

/// An actor whose changed profile is still to be said.
pub(crate) async fn unsaid_profiles(conn: &mut Conn, limit: i64) -> sqlx::Result<Vec<Actor>> {
    let rows = query(actor_columns!("WHERE revision > said_revision AND deleted_at IS NULL ORDER BY id LIMIT $1"))
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.iter().map(read_actor).collect()
}

/// Notes an actor's profile as said; false when it was said, or changed since it was read.
pub(crate) async fn mark_profile_said(conn: &mut Conn, actor: &Actor) -> sqlx::Result<bool> {
    let done = query(
        "UPDATE actors SET said_revision = revision
         WHERE id = $1 AND revision = $2 AND said_revision < $2 AND deleted_at IS NULL",
    )
    .bind(actor.id.0)
    .bind(actor.revision)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// The authors of a source, in the order of their slugs.
pub async fn authors(conn: &mut Conn, source: SourceId) -> sqlx::Result<Vec<Author>> {
    let rows = query("SELECT id, source_id, slug, name, bio, avatar, has_profile, fingerprint, choice, actor_id FROM authors WHERE source_id = $1 ORDER BY slug")
        .bind(source.0)
        .fetch_all(conn)
        .await?;
    rows.iter().map(read_author).collect()
}

/// A part of the authors of all sources, the first seen first; of those with an actor, or of all.
pub async fn authors_after(
    conn: &mut Conn,
    all: bool,
    after: Option<Cursor<1>>,
    limit: i64,
) -> sqlx::Result<Page<Author>> {
    let Cursor([after]) = after.unwrap_or(Cursor([0]));
    let rows = query(
        "SELECT id, source_id, slug, name, bio, avatar, has_profile, fingerprint, choice, actor_id FROM authors
         WHERE id > $1 AND ($2 = 1 OR actor_id IS NOT NULL) ORDER BY id LIMIT $3",
    )
    .bind(after)
    .bind(i64::from(all))
    .bind(limit + 1)
    .fetch_all(conn)
    .await?;
    let authors = rows.iter().map(read_author).collect::<sqlx::Result<_>>()?;
    Ok(Page::of(authors, limit, |last: &Author| Cursor([last.id.0]).to_string()))
}

/// Remembers what a source says of an author.
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
    )
    .bind(new_id.0)
    .bind(source.0)
    .bind(&profile.slug)
    .bind(&profile.name)
    .bind(&profile.bio)
    .bind(profile.avatar.as_ref().map(json).transpose()?)
    .bind(i64::from(profile.has_profile))
    .bind(&profile.fingerprint)
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives an author their actor.
pub(crate) async fn bind_author(conn: &mut Conn, source: SourceId, slug: &str, actor: ActorId) -> sqlx::Result<()> {
    query("UPDATE authors SET actor_id = $3 WHERE source_id = $1 AND slug = $2")
        .bind(source.0)
        .bind(slug)
        .bind(actor.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Records what the operator decided about an author; says whether there is such an author.
pub(crate) async fn choose(conn: &mut Conn, source: SourceId, slug: &str, choice: Choice) -> sqlx::Result<bool> {
    let done = query("UPDATE authors SET choice = $3 WHERE source_id = $1 AND slug = $2")
        .bind(source.0)
        .bind(slug)
        .bind(choice.as_str())
        .execute(conn)
        .await?;
    Ok(done.rows_affected() > 0)
}

fn read_actor(row: &AnyRow) -> sqlx::Result<Actor> {
    let kind = row.text("kind")?;
    Ok(Actor {
        id: ActorId(row.int("id")?),
        uuid: row.uuid("uuid")?,
        kind: ActorKind::parse(&kind).ok_or_else(|| decode_error(format!("actor kind {kind}")))?,
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
