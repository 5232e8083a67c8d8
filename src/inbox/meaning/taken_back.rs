//! Undo: by the id of what is undone, else by its shape, since some send a new id (interop E14).

use super::super::{Inbound, Purpose, Verdict, Want, store};
use super::{follows, opinions};
use crate::activity::incoming::Incoming;
use crate::app::App;
use crate::db::Conn;
use crate::follower;
use crate::ids::RemoteActorId;
use crate::interaction::{self, Author};
use crate::remote::{self, Remote};

pub(super) async fn undo(app: &App, conn: &mut Conn, inbound: &Inbound, incoming: &Incoming) -> sqlx::Result<Verdict> {
    let Some(undone) = &incoming.object else {
        return Ok(Verdict::declined("it undoes nothing"));
    };
    if undone.actor.as_deref().is_some_and(|actor| actor != inbound.actor) {
        return Ok(Verdict::declined("it undoes what somebody else did"));
    }
    let Some(remote) = remote::store::by_url(conn, &inbound.actor).await? else {
        return Ok(Verdict::ignored("its actor is gone"));
    };
    if let Some(id) = &undone.id {
        if let Some(what) = by_id(app, conn, &remote, id).await? {
            return Ok(Verdict::accepted(what));
        }
        if undone.kind.is_none()
            && let Some(deleted) = store::deleted_with(conn, &inbound.actor, id).await?
        {
            return undo_delete(conn, inbound, remote.id, Some(&deleted)).await;
        }
        // An id that is known means that activity and no other of the same shape.
        if undone.kind.as_deref() != Some("Delete") && store::knows(conn, &inbound.actor, id).await? {
            return Ok(Verdict::ignored("what it undoes has ended already"));
        }
    }
    match undone.kind.as_deref() {
        Some("Follow") => follows::undo_follow(app, conn, inbound, &remote, undone).await,
        Some("Block") => follows::undo_block(app, conn, &remote, undone).await,
        Some("Delete") => undo_delete(conn, inbound, remote.id, undone.object.as_deref()).await,
        Some(kind) if opinions::named(kind).is_some() => {
            opinions::taken_back(app, conn, inbound, &remote, undone).await
        }
        Some(other) => Ok(Verdict::ignored(format!("what {other} does is not undone here"))),
        None => Ok(Verdict::ignored("nothing of that id is known; remembered, should it come late")),
    }
}

async fn by_id(app: &App, conn: &mut Conn, remote: &Remote, id: &str) -> sqlx::Result<Option<String>> {
    if let Some(what) = follows::undo_by_id(app, conn, remote, id).await? {
        return Ok(Some(what));
    }
    if follower::store::unblock_by_id(conn, remote.id, id).await? {
        return Ok(Some("blocks no longer".to_owned()));
    }
    let kind = interaction::store::end_by_activity(conn, remote.id, id, app.clock.now()).await?;
    Ok(kind.map(|kind| format!("took back a {kind}")))
}

/// A post is there again, as Lemmy lets its author say: its words are read at its origin.
async fn undo_delete(
    conn: &mut Conn,
    inbound: &Inbound,
    remote: RemoteActorId,
    deleted: Option<&str>,
) -> sqlx::Result<Verdict> {
    let Some(id) = deleted else {
        return Ok(Verdict::declined("it restores nothing that has an id"));
    };
    match interaction::store::post(conn, id).await? {
        Some(post) if post.author != Author::Remote(remote) => {
            Ok(Verdict::declined("it restores what somebody else wrote"))
        }
        Some(post) if post.ended_at.is_some() => {
            if !interaction::store::reopen_post(conn, post.id, inbound.received_at).await? {
                return Ok(Verdict::declined("a moderator had hidden or deleted it"));
            }
            let want = Want { article: Some(post.article), ..Want::now(id, Purpose::Post) };
            Ok(Verdict::accepted("the reply is restored; its words are read at its origin").wanting(vec![want]))
        }
        _ => Ok(Verdict::ignored("nothing of that id was deleted here")),
    }
}
