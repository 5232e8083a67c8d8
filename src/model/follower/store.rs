//! The only SQL for follows.

use clock::Timestamp;
use sqlx::any::AnyRow;

use super::Follower;
use crate::base::ids::{ActorId, InboxId, RemoteActorId};
use crate::db::{Columns, Conn, Cursor, Page, Statement, Topic, changed, query};

/// Adds a follower; an existing one gets the new Follow's id (interop D8).
pub(crate) async fn add(
    conn: &mut Conn,
    actor: ActorId,
    who: RemoteActorId,
    follow_id: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    query(
        "INSERT INTO followers (actor_id, remote_actor_id, inbox_id, follow_id, since)
         SELECT $1, r.id, COALESCE(r.shared_inbox_id, r.inbox_id), $3, $4 FROM remote_actors r WHERE r.id = $2
         ON CONFLICT (actor_id, remote_actor_id) DO UPDATE SET follow_id = excluded.follow_id",
        (actor, who, follow_id, now),
    )
    .execute(conn)
    .await?;
    changed(Topic::Followers(actor));
    Ok(())
}

/// Runs a statement that returns whose followers it changed; says how many follows that were.
async fn followers_changed(conn: &mut Conn, statement: Statement) -> sqlx::Result<u64> {
    let of: Vec<ActorId> = statement.scalars(conn).await?;
    for actor in &of {
        changed(Topic::Followers(*actor));
    }
    Ok(of.len() as u64)
}

/// Ends a follow; returns whether there was one.
pub(crate) async fn remove(conn: &mut Conn, actor: ActorId, who: RemoteActorId) -> sqlx::Result<bool> {
    changed(Topic::Followers(actor));
    query("DELETE FROM followers WHERE actor_id = $1 AND remote_actor_id = $2", (actor, who)).changed(conn).await
}

/// Ends every follow of an actor that is gone; returns how many.
pub(crate) async fn remove_all(conn: &mut Conn, who: RemoteActorId) -> sqlx::Result<u64> {
    let ended = query("DELETE FROM followers WHERE remote_actor_id = $1 RETURNING actor_id", who);
    followers_changed(conn, ended).await
}

/// Ends the follows of whoever has this personal inbox.
pub(crate) async fn end_by_inbox(conn: &mut Conn, inbox: InboxId) -> sqlx::Result<()> {
    let ended = query(
        "DELETE FROM followers WHERE remote_actor_id IN (SELECT id FROM remote_actors WHERE inbox_id = $1) RETURNING actor_id",
        inbox,
    );
    followers_changed(conn, ended).await.map(drop)
}

/// The id of the Follow by which a remote actor follows one of ours; `None` when they do not.
pub(crate) async fn follow_id(conn: &mut Conn, actor: ActorId, who: RemoteActorId) -> sqlx::Result<Option<String>> {
    query("SELECT follow_id FROM followers WHERE actor_id = $1 AND remote_actor_id = $2", (actor, who))
        .maybe_scalar(conn)
        .await
}

/// Moves the follows of a remote actor to another one, who is the same person (interop E17); returns how many.
pub(crate) async fn move_all(conn: &mut Conn, from: RemoteActorId, to: RemoteActorId) -> sqlx::Result<u64> {
    let twice = query(
        "DELETE FROM followers WHERE remote_actor_id = $1
         AND actor_id IN (SELECT f.actor_id FROM followers f WHERE f.remote_actor_id = $2) RETURNING actor_id",
        (from, to),
    );
    followers_changed(conn, twice).await?;
    let moved = query(
        "UPDATE followers SET remote_actor_id = $2,
         inbox_id = (SELECT COALESCE(r.shared_inbox_id, r.inbox_id) FROM remote_actors r WHERE r.id = $2)
         WHERE remote_actor_id = $1 RETURNING actor_id",
        (from, to),
    );
    followers_changed(conn, moved).await
}

/// Notes that a remote actor blocks one of ours (interop E16).
pub(crate) async fn block(
    conn: &mut Conn,
    actor: ActorId,
    who: RemoteActorId,
    activity_id: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    query(
        "INSERT INTO blocked_by (actor_id, remote_actor_id, activity_id, since) VALUES ($1, $2, $3, $4)
         ON CONFLICT (actor_id, remote_actor_id) DO UPDATE SET activity_id = excluded.activity_id",
        (actor, who, activity_id, now),
    )
    .execute(conn)
    .await
}

pub(crate) async fn is_blocked_by(conn: &mut Conn, actor: ActorId, who: RemoteActorId) -> sqlx::Result<bool> {
    query("SELECT actor_id FROM blocked_by WHERE actor_id = $1 AND remote_actor_id = $2", (actor, who))
        .exists(conn)
        .await
}

/// Ends a remote actor's block of one of ours; returns whether there was one.
pub(crate) async fn unblock(conn: &mut Conn, actor: ActorId, who: RemoteActorId) -> sqlx::Result<bool> {
    query("DELETE FROM blocked_by WHERE actor_id = $1 AND remote_actor_id = $2", (actor, who)).changed(conn).await
}

pub(crate) async fn count(conn: &mut Conn, actor: ActorId) -> sqlx::Result<i64> {
    query("SELECT COUNT(*) FROM followers WHERE actor_id = $1", actor).scalar(conn).await
}

/// How many follows there are in all, `most` at most.
pub async fn count_all(conn: &mut Conn, most: i64) -> sqlx::Result<i64> {
    query("SELECT COUNT(*) FROM (SELECT actor_id FROM followers LIMIT $1) known", most).scalar(conn).await
}

macro_rules! select_follower {
    ($rest:literal) => {
        concat!(
            "SELECT r.url, r.username, a.handle, f.since, f.remote_actor_id, f.actor_id FROM followers f
             JOIN remote_actors r ON r.id = f.remote_actor_id JOIN actors a ON a.id = f.actor_id WHERE ",
            $rest
        )
    };
}

/// A page of the follows, by how long we have known the follower; of one actor, if one is named.
pub async fn list(
    conn: &mut Conn,
    of: Option<ActorId>,
    after: Option<Cursor<2>>,
    limit: i64,
) -> sqlx::Result<Page<Follower>> {
    let Cursor([who, whom]) = after.unwrap_or(Cursor([0; 2]));
    let select = match of {
        Some(actor) => query(
            select_follower!("f.actor_id = $1 AND f.remote_actor_id > $2 ORDER BY f.remote_actor_id LIMIT $3"),
            (actor, who),
        ),
        None => query(
            select_follower!(
                "(f.remote_actor_id, f.actor_id) > ($1, $2) ORDER BY f.remote_actor_id, f.actor_id LIMIT $3"
            ),
            (who, whom),
        ),
    };
    let read = |row: &AnyRow| {
        let follower = Follower {
            actor: row.text("url")?,
            username: row.text("username")?,
            author: row.text("handle")?,
            since: row.time("since")?,
        };
        Ok((follower, Cursor([row.int("remote_actor_id")?, row.int("actor_id")?])))
    };
    let rows = select.bind(limit + 1).fetch_all(conn, read).await?;
    Ok(Page::of(rows, limit, |(_, place)| place.to_string()).map(|(follower, _)| follower))
}

/// A follow, and who follows: as blocks are matched with it.
#[derive(Clone, Debug)]
pub(crate) struct Follow {
    pub(crate) actor: ActorId,
    pub(crate) handle: String,
    pub(crate) who: RemoteActorId,
    /// The follower's id.
    pub(crate) url: String,
    /// The handle that the follower claims.
    pub(crate) webfinger: Option<String>,
}

/// All follows, grouped by follower, from after a pair of follower and followed on.
pub(crate) async fn follows_after(conn: &mut Conn, after: (i64, i64), limit: i64) -> sqlx::Result<Vec<Follow>> {
    query(
        "SELECT f.actor_id, a.handle, f.remote_actor_id, r.url, r.webfinger FROM followers f
         JOIN remote_actors r ON r.id = f.remote_actor_id JOIN actors a ON a.id = f.actor_id
         WHERE (f.remote_actor_id, f.actor_id) > ($1, $2)
         ORDER BY f.remote_actor_id, f.actor_id LIMIT $3",
        (after.0, after.1, limit),
    )
    .fetch_all(conn, |row| {
        Ok(Follow {
            actor: ActorId(row.int("actor_id")?),
            handle: row.text("handle")?,
            who: RemoteActorId(row.int("remote_actor_id")?),
            url: row.text("url")?,
            webfinger: row.maybe_text("webfinger")?,
        })
    })
    .await
}

/// The actors of ours that a remote actor follows.
pub(crate) async fn followed_by(conn: &mut Conn, who: RemoteActorId) -> sqlx::Result<Vec<ActorId>> {
    query("SELECT actor_id FROM followers WHERE remote_actor_id = $1 ORDER BY actor_id", who).scalars(conn).await
}
