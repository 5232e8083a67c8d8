//! The only SQL for remote actors and their keys.

use std::collections::HashMap;

use clock::Timestamp;
use sqlx::any::AnyRow;

use super::{Names, Remote, RemoteKey};
use crate::activitypub::incoming::{RemoteActor, same_address};
use crate::base::ids::{Ids, InboxId, RemoteActorId, split_handle};
use crate::db::{Columns, Conn, Topic, changed, json, query};
use crate::net::keys::PublicKey;
use crate::over_rows;

/// Keeps an actor's document and the keys it lists. A key that another actor of its server has listed already stays
/// that actor's, unless it is the one that was asked for and led to this document (`led_here`).
pub(crate) async fn save(
    conn: &mut Conn,
    ids: &Ids,
    actor: &RemoteActor,
    (inbox, shared_inbox): (InboxId, Option<InboxId>),
    led_here: Option<&str>,
    now: Timestamp,
) -> sqlx::Result<RemoteActorId> {
    query(
        "INSERT INTO remote_actors (id, url, kind, username, name, profile_url, inbox_id, shared_inbox_id, fetched_at, avatar_url, emoji,
         webfinger, also_known_as) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (url) DO UPDATE SET kind = excluded.kind, username = excluded.username, name = excluded.name,
         profile_url = excluded.profile_url, inbox_id = excluded.inbox_id, shared_inbox_id = excluded.shared_inbox_id,
         fetched_at = excluded.fetched_at, avatar_url = excluded.avatar_url, emoji = excluded.emoji, webfinger = excluded.webfinger,
         also_known_as = excluded.also_known_as, gone_at = NULL",
        (
            ids.row(),
            &actor.id,
            &actor.kind,
            actor.preferred_username.clone().unwrap_or_default(),
            actor.name.clone().unwrap_or_default(),
            actor.url.as_ref().unwrap_or(&actor.id),
            inbox,
            shared_inbox,
            now,
            actor.avatar.clone(),
            json(&actor.emoji)?,
            actor.webfinger.clone(),
            json(&actor.also_known_as)?,
        ),
    )
    .execute(conn)
    .await?;
    let id: i64 = query("SELECT id FROM remote_actors WHERE url = $1", &actor.id).scalar(conn).await?;
    let before: Vec<String> =
        query("DELETE FROM remote_keys WHERE remote_actor_id = $1 RETURNING id", id).scalars(conn).await?;
    tell(&actor.id, before.iter().chain(actor.keys.iter().map(|key| &key.id)));
    for key in &actor.keys {
        let Some(public) = &key.public else { continue };
        query(
            "INSERT INTO remote_keys (id, remote_actor_id, public, fetched_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (id) DO UPDATE SET remote_actor_id = excluded.remote_actor_id, public = excluded.public,
             fetched_at = excluded.fetched_at WHERE remote_keys.remote_actor_id = excluded.remote_actor_id OR $5 = 1",
            (&key.id, id, public, now, led_here == Some(key.id.as_str())),
        )
        .execute(conn)
        .await?;
    }
    Ok(RemoteActorId(id))
}

/// What is read of an actor `a`.
macro_rules! select_remote {
    ($before:literal, $from:literal) => {
        concat!(
            "SELECT ",
            $before,
            "a.id, a.url, a.kind, a.inbox_id, a.shared_inbox_id, a.name, a.username, a.webfinger FROM ",
            $from
        )
    };
}

/// A cached actor that is not known to be gone.
pub(crate) async fn by_url(conn: &mut Conn, url: &str) -> sqlx::Result<Option<Remote>> {
    query(select_remote!("", "remote_actors a WHERE a.url = $1 AND a.gone_at IS NULL"), url)
        .fetch_optional(conn, read_remote)
        .await
}

/// As [`by_url`], many at once: those that there are, by their ids.
pub(crate) async fn by_urls(conn: &mut Conn, urls: &[&str]) -> sqlx::Result<HashMap<String, Remote>> {
    let rows: Vec<[&str; 1]> = urls.iter().map(|url| [*url]).collect();
    let statement = over_rows!(
        conn,
        select_remote!("", "remote_actors a WHERE a.gone_at IS NULL AND a.url IN (SELECT r.value ->> 0 FROM "),
        ")"
    );
    let found = query(statement, json(&rows)?).fetch_all(conn, read_remote).await?;
    Ok(found.into_iter().map(|remote| (remote.url.clone(), remote)).collect())
}

/// As [`by_url`], by row, also one that is gone.
pub(crate) async fn by_row(conn: &mut Conn, id: RemoteActorId) -> sqlx::Result<Option<Remote>> {
    query(select_remote!("", "remote_actors a WHERE a.id = $1"), id).fetch_optional(conn, read_remote).await
}

macro_rules! select_named {
    ($condition:literal) => {
        concat!(
            "SELECT r.id, r.url, r.username, r.webfinger, h.name AS host FROM remote_actors r JOIN inboxes i ON i.id = r.inbox_id
             JOIN hosts h ON h.id = i.host_id WHERE r.gone_at IS NULL AND ",
            $condition
        )
    };
}

/// The ids of actors with a handle, which is given without its first `@`: the one that they claim, or that of their
/// host.
pub(crate) async fn by_handle(conn: &mut Conn, handle: &str) -> sqlx::Result<Vec<String>> {
    let handle = handle.strip_prefix('@').unwrap_or(handle);
    let (username, Some(domain)) = split_handle(handle) else { return Ok(Vec::new()) };
    let read = |row: &AnyRow| {
        let claimed = row.maybe_text("webfinger")?.is_some_and(|claimed| claimed.eq_ignore_ascii_case(handle));
        let is_known = claimed || row.text("host")?.eq_ignore_ascii_case(domain);
        Ok(is_known.then_some((row.int("id")?, row.text("url")?)))
    };
    let named = query(select_named!("LOWER(r.username) = $1"), username.to_lowercase());
    let mut found = named.fetch_all(conn, read).await?;
    let claimed = query(select_named!("LOWER(r.webfinger) = $1"), handle.to_lowercase());
    found.extend(claimed.fetch_all(conn, read).await?);
    found.sort();
    found.dedup();
    Ok(found.into_iter().flatten().map(|(_, url)| url).collect())
}

/// A cached key.
pub(crate) async fn key(conn: &mut Conn, key_id: &str) -> sqlx::Result<Option<RemoteKey>> {
    query(
        select_remote!(
            "k.public, k.fetched_at, ",
            "remote_keys k JOIN remote_actors a ON a.id = k.remote_actor_id WHERE k.id = $1 AND a.gone_at IS NULL"
        ),
        key_id,
    )
    .fetch_optional(conn, |row| {
        let public = PublicKey::read(&row.text("public")?);
        Ok(RemoteKey { owner: read_remote(row)?, public, fetched_at: row.time("fetched_at")? })
    })
    .await
}

/// Notes that a remote actor is gone.
pub(crate) async fn mark_gone(conn: &mut Conn, url: &str, now: Timestamp) -> sqlx::Result<()> {
    query("UPDATE remote_actors SET gone_at = $2 WHERE url = $1 AND gone_at IS NULL", (url, now)).execute(conn).await?;
    let keys = "SELECT k.id FROM remote_actors r JOIN remote_keys k ON k.remote_actor_id = r.id WHERE r.url = $1";
    tell(url, &query(keys, url).scalars::<String>(conn).await?);
    Ok(())
}

/// Tells whoever has an actor or keys of it in memory that they are others now.
fn tell<'a>(actor: &str, keys: impl IntoIterator<Item = &'a String>) {
    changed(Topic::RemoteActor(actor));
    for key in keys {
        changed(Topic::RemoteActor(key));
    }
}

/// Whether an actor's own document lists this former id (`alsoKnownAs`, interop E17).
pub(crate) async fn was_known_as(conn: &mut Conn, actor: RemoteActorId, before: &str) -> sqlx::Result<bool> {
    let names: Option<Vec<String>> = query("SELECT also_known_as FROM remote_actors WHERE id = $1", actor)
        .fetch_one(conn, |row| row.maybe_json("also_known_as"))
        .await?;
    Ok(names.unwrap_or_default().iter().any(|name| same_address(name, before)))
}

/// When an actor last moved to another id.
pub(crate) async fn moved_at(conn: &mut Conn, actor: RemoteActorId) -> sqlx::Result<Option<Timestamp>> {
    query("SELECT moved_at FROM remote_actors WHERE id = $1", actor)
        .fetch_one(conn, |row| row.maybe_time("moved_at"))
        .await
}

/// Notes that an actor moved to another id.
pub(crate) async fn mark_moved(conn: &mut Conn, actor: RemoteActorId, to: &str, now: Timestamp) -> sqlx::Result<()> {
    query("UPDATE remote_actors SET moved_to = $2, moved_at = $3 WHERE id = $1", (actor, to, now)).execute(conn).await
}

fn read_remote(row: &AnyRow) -> sqlx::Result<Remote> {
    Ok(Remote {
        id: RemoteActorId(row.int("id")?),
        url: row.text("url")?,
        kind: row.text("kind")?,
        inbox: InboxId(row.int("inbox_id")?),
        shared_inbox: row.maybe_int("shared_inbox_id")?.map(InboxId),
        names: Names {
            name: row.text("name")?,
            username: row.text("username")?,
            webfinger: row.maybe_text("webfinger")?,
        },
    })
}
