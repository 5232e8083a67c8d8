//! The SQL for key pairs: those in use, those retired, and the change of the master key.

use clock::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{query, query_scalar};
use uuid::Uuid;

use crate::base::ids::{ActivityId, ActorId};
use crate::db::{Columns, Conn};
use crate::model::author::sealed::{MASTER_CHECK, RetiredKey, SealedKey, StoredKey};

/// Keeps others from adding keys, or from sealing all anew, until this transaction ends.
pub(crate) async fn lock_keys(conn: &mut Conn) -> sqlx::Result<()> {
    query("UPDATE settings SET value = value WHERE name = 'origin'").execute(conn).await?;
    Ok(())
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
        )
        .bind(actor.0)
        .bind(key.kind)
        .bind(&key.fragment)
        .bind(&key.public)
        .bind(&key.sealed)
        .bind(now.millis())
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Takes an actor's keys in use out of the table.
pub(crate) async fn take_keys(conn: &mut Conn, actor: ActorId) -> sqlx::Result<Vec<StoredKey>> {
    lock_keys(conn).await?;
    let rows = query(
        "DELETE FROM keys WHERE actor_id = $1 AND retired_at IS NULL RETURNING kind, fragment, public, sealed, created_at",
    )
    .bind(actor.0)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(StoredKey {
                kind: row.text("kind")?,
                fragment: row.text("fragment")?,
                public: row.text("public")?,
                sealed: row.text("sealed")?,
                created_at: row.time("created_at")?,
            })
        })
        .collect()
}

/// Stores a key that is no longer in use.
pub(crate) async fn insert_retired(
    conn: &mut Conn,
    actor: ActorId,
    key: &StoredKey,
    now: Timestamp,
) -> sqlx::Result<()> {
    query(
        "INSERT INTO keys (actor_id, kind, fragment, public, sealed, created_at, retired_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(actor.0)
    .bind(&key.kind)
    .bind(&key.fragment)
    .bind(&key.public)
    .bind(&key.sealed)
    .bind(key.created_at.millis())
    .bind(now.millis())
    .execute(conn)
    .await?;
    Ok(())
}

/// The retired keys of an actor, or of all.
pub(crate) async fn retired_keys(conn: &mut Conn, actor: Option<ActorId>) -> sqlx::Result<Vec<RetiredKey>> {
    let rows =
        query("SELECT actor_id, fragment, sealed FROM keys WHERE retired_at IS NOT NULL AND (actor_id = $1 OR $2 = 1)")
            .bind(actor.map_or(0, |actor| actor.0))
            .bind(i64::from(actor.is_none()))
            .fetch_all(conn)
            .await?;
    let read = |row: &AnyRow| -> sqlx::Result<_> {
        Ok(RetiredKey::read(ActorId(row.int("actor_id")?), row.text("fragment")?, row.text("sealed")?))
    };
    rows.iter().filter_map(|row| read(row).transpose()).collect()
}

/// Drops a retired key, unless something that it signs still waits; says whether it is gone.
pub(crate) async fn forget_retired(
    conn: &mut Conn,
    actor: ActorId,
    fragment: &str,
    until: ActivityId,
) -> sqlx::Result<bool> {
    let done = query(
        "DELETE FROM keys WHERE actor_id = $1 AND fragment = $2 AND retired_at IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM activities WHERE actor_id = $1 AND id <= $3 AND fanned_out_at IS NULL)
         AND NOT EXISTS (SELECT 1 FROM deliveries d JOIN activities a ON a.id = d.activity_id
             WHERE d.settled_at IS NULL AND a.actor_id = $1 AND a.id <= $3)",
    )
    .bind(actor.0)
    .bind(fragment)
    .bind(until.0)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Every sealed key: whose (row and public name), where, and sealed how.
pub(crate) async fn all_sealed(conn: &mut Conn) -> sqlx::Result<Vec<(ActorId, Uuid, String, String)>> {
    let rows = query("SELECT k.actor_id, a.uuid, k.fragment, k.sealed FROM keys k JOIN actors a ON a.id = k.actor_id")
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| Ok((ActorId(row.int("actor_id")?), row.uuid("uuid")?, row.text("fragment")?, row.text("sealed")?)))
        .collect()
}

/// Replaces the sealed text of a key.
pub(crate) async fn set_sealed(conn: &mut Conn, actor: ActorId, fragment: &str, sealed: &str) -> sqlx::Result<()> {
    query("UPDATE keys SET sealed = $3 WHERE actor_id = $1 AND fragment = $2")
        .bind(actor.0)
        .bind(fragment)
        .bind(sealed)
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes which master key the private keys are sealed with.
pub(crate) async fn set_master_check(conn: &mut Conn, check: &str) -> sqlx::Result<()> {
    query("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = $2")
        .bind(MASTER_CHECK)
        .bind(check)
        .execute(conn)
        .await?;
    Ok(())
}

/// The sealed private key of an actor, in use.
pub(crate) async fn sealed_key(conn: &mut Conn, actor: ActorId, fragment: &str) -> sqlx::Result<Option<String>> {
    query_scalar("SELECT sealed FROM keys WHERE actor_id = $1 AND fragment = $2 AND retired_at IS NULL")
        .bind(actor.0)
        .bind(fragment)
        .fetch_optional(conn)
        .await
}

/// The public half of an actor's key.
pub(crate) async fn public_key(conn: &mut Conn, actor: ActorId, fragment: &str) -> sqlx::Result<Option<String>> {
    query_scalar("SELECT public FROM keys WHERE actor_id = $1 AND fragment = $2 AND retired_at IS NULL")
        .bind(actor.0)
        .bind(fragment)
        .fetch_optional(conn)
        .await
}

/// Any sealed key with what it is bound to, to try the master key on; `None` while there is none.
pub(crate) async fn any_sealed_key(conn: &mut Conn) -> sqlx::Result<Option<(String, Uuid, String)>> {
    let row = query("SELECT k.sealed, a.uuid, k.fragment FROM keys k JOIN actors a ON a.id = k.actor_id LIMIT 1")
        .fetch_optional(conn)
        .await?;
    row.map(|row| Ok((row.text("sealed")?, row.uuid("uuid")?, row.text("fragment")?))).transpose()
}
