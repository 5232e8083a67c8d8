//! The SQL for key pairs: those in use, those retired, and the change of the master key.

use clock::Timestamp;
use uuid::Uuid;

use crate::base::ids::{ActivityId, ActorId};
use crate::db::{Columns, Conn, query};
use crate::model::author::sealed::{MASTER_CHECK, RetiredKey, SealedKey, StoredKey};

/// Keeps others from adding keys, or from sealing all anew, until this transaction ends.
pub(crate) async fn lock_keys(conn: &mut Conn) -> sqlx::Result<()> {
    query("UPDATE settings SET value = value WHERE name = 'origin'", ()).execute(conn).await
}

/// Stores keys in use.
///
/// # Errors
/// The database's; also when they were sealed with a master key that was changed meanwhile.
pub(crate) async fn insert_keys(
    conn: &mut Conn,
    actor: ActorId,
    keys: &[SealedKey],
    now: Timestamp,
) -> sqlx::Result<()> {
    super::actor_changed(actor);
    lock_keys(conn).await?;
    let master = super::setting(conn, MASTER_CHECK).await?;
    for key in keys {
        if master.as_ref().is_some_and(|master| *master != key.master) {
            return Err(sqlx::Error::Protocol(
                "the master key was changed while this program ran; restart it with the new one".to_owned(),
            ));
        }
        query(
            "INSERT INTO keys (actor_id, kind, fragment, public, sealed, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
            (actor, key.kind, &key.fragment, &key.public, &key.sealed, now),
        )
        .execute(conn)
        .await?;
    }
    Ok(())
}

/// Takes an actor's keys in use out of the table.
pub(crate) async fn take_keys(conn: &mut Conn, actor: ActorId) -> sqlx::Result<Vec<StoredKey>> {
    super::actor_changed(actor);
    lock_keys(conn).await?;
    query(
        "DELETE FROM keys WHERE actor_id = $1 AND retired_at IS NULL RETURNING kind, fragment, public, sealed, created_at",
        actor,
    )
    .fetch_all(conn, |row| {
            Ok(StoredKey {
                kind: row.text("kind")?,
                fragment: row.text("fragment")?,
                public: row.text("public")?,
                sealed: row.text("sealed")?,
                created_at: row.time("created_at")?,
            })
        }).await
}

/// Stores a key that is no longer in use.
pub(crate) async fn insert_retired(
    conn: &mut Conn,
    actor: ActorId,
    key: &StoredKey,
    now: Timestamp,
) -> sqlx::Result<()> {
    super::actor_changed(actor);
    query(
        "INSERT INTO keys (actor_id, kind, fragment, public, sealed, created_at, retired_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        (actor, &key.kind, &key.fragment, &key.public, &key.sealed, key.created_at, now),
    )
    .execute(conn)
    .await
}

/// The retired keys of all actors.
pub(crate) async fn retired_keys(conn: &mut Conn) -> sqlx::Result<Vec<RetiredKey>> {
    let keys = query("SELECT actor_id, fragment, sealed FROM keys WHERE retired_at IS NOT NULL", ())
        .fetch_all(conn, |row| {
            Ok(RetiredKey::read(ActorId(row.int("actor_id")?), row.text("fragment")?, row.text("sealed")?))
        })
        .await?;
    Ok(keys.into_iter().flatten().collect())
}

/// Drops a retired key, unless an activity that it signs still waits; returns whether it is gone.
pub(crate) async fn forget_retired(
    conn: &mut Conn,
    actor: ActorId,
    fragment: &str,
    until: ActivityId,
) -> sqlx::Result<bool> {
    super::actor_changed(actor);
    query(
        "DELETE FROM keys WHERE actor_id = $1 AND fragment = $2 AND retired_at IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM activities WHERE actor_id = $1 AND id <= $3 AND fanned_out_at IS NULL)
         AND NOT EXISTS (SELECT 1 FROM deliveries d JOIN activities a ON a.id = d.activity_id
             WHERE d.settled_at IS NULL AND a.actor_id = $1 AND a.id <= $3)",
        (actor, fragment, until),
    )
    .changed(conn)
    .await
}

/// Every sealed key: its actor (row and UUID), fragment and sealed text.
pub(crate) async fn all_sealed(conn: &mut Conn) -> sqlx::Result<Vec<(ActorId, Uuid, String, String)>> {
    query("SELECT k.actor_id, a.uuid, k.fragment, k.sealed FROM keys k JOIN actors a ON a.id = k.actor_id", ())
        .fetch_all(conn, |row| {
            Ok((ActorId(row.int("actor_id")?), row.uuid("uuid")?, row.text("fragment")?, row.text("sealed")?))
        })
        .await
}

/// Replaces the sealed text of a key.
pub(crate) async fn set_sealed(conn: &mut Conn, actor: ActorId, fragment: &str, sealed: &str) -> sqlx::Result<()> {
    super::actor_changed(actor);
    query("UPDATE keys SET sealed = $3 WHERE actor_id = $1 AND fragment = $2", (actor, fragment, sealed))
        .execute(conn)
        .await
}

/// Notes which master key the private keys are sealed with.
pub(crate) async fn set_master_check(conn: &mut Conn, check: &str) -> sqlx::Result<()> {
    query(
        "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = $2",
        (MASTER_CHECK, check),
    )
    .execute(conn)
    .await
}

/// The sealed private keys of an actor: fragment, key, and whether it is retired.
pub(crate) async fn sealed_keys(conn: &mut Conn, actor: ActorId) -> sqlx::Result<Vec<(String, String, bool)>> {
    query("SELECT fragment, sealed, retired_at FROM keys WHERE actor_id = $1", actor)
        .fetch_all(conn, |row| Ok((row.text("fragment")?, row.text("sealed")?, row.maybe_int("retired_at")?.is_some())))
        .await
}

pub(crate) async fn public_key(conn: &mut Conn, actor: ActorId, fragment: &str) -> sqlx::Result<Option<String>> {
    query("SELECT public FROM keys WHERE actor_id = $1 AND fragment = $2 AND retired_at IS NULL", (actor, fragment))
        .maybe_scalar(conn)
        .await
}

/// Any sealed key with what it is bound to, to try the master key on; `None` while there is none.
pub(crate) async fn any_sealed_key(conn: &mut Conn) -> sqlx::Result<Option<(String, Uuid, String)>> {
    query("SELECT k.sealed, a.uuid, k.fragment FROM keys k JOIN actors a ON a.id = k.actor_id LIMIT 1", ())
        .fetch_optional(conn, |row| Ok((row.text("sealed")?, row.uuid("uuid")?, row.text("fragment")?)))
        .await
}
