//! Follows and blocks of our actors (interop D8, E16).

use super::super::{Inbound, Verdict, store};
use super::object;
use crate::activity::Local;
use crate::activity::incoming::{Incoming, Reference};
use crate::activity::outgoing::{self, Follow, Stamp};
use crate::app::App;
use crate::author::{self, Actor};
use crate::db::Conn;
use crate::delivery;
use crate::follower;
use crate::moderation::{self, dismissal};
use crate::outbox::{Audience, Outgoing, publish};
use crate::remote::{self, Remote};

/// One of our actors that can be followed, by address.
async fn followed(app: &App, conn: &mut Conn, url: Option<&str>) -> sqlx::Result<Option<Actor>> {
    match url.and_then(|url| app.urls.local(url)) {
        Some(Local::Actor(uuid)) => author::store::actor_by_uuid(conn, uuid).await,
        _ => Ok(None),
    }
}

/// Follow: lets the follower in and says so, to their own inbox (interop D8, T11).
pub(super) async fn follow(
    app: &App,
    conn: &mut Conn,
    inbound: &Inbound,
    incoming: &Incoming,
) -> sqlx::Result<Verdict> {
    let Some(actor) = followed(app, conn, object(incoming)).await? else {
        return Ok(Verdict::declined("it follows nobody of ours"));
    };
    if actor.deleted_at.is_some() {
        return Ok(Verdict::declined(format!("@{} was deleted", actor.handle)));
    }
    let Some(remote) = remote::store::by_url(conn, &inbound.actor).await? else {
        return Ok(Verdict::declined("the follower is gone"));
    };
    let undone_by = store::undone_by(conn, &inbound.actor, &inbound.activity_id).await?;
    if !undone_by.is_empty() {
        for undo in undone_by {
            store::restore_follows(conn, undo).await?;
        }
        still_follows(app, conn, &remote, &actor).await?;
        return Ok(Verdict::ignored("it was undone before"));
    }
    if follower::store::is_blocked_by(conn, actor.id, remote.id).await? {
        return Ok(Verdict::declined(format!(
            "they block @{}: a Follow counts again when they undo that",
            actor.handle
        )));
    }
    if let Some(why) = moderation::refuses_follow(app, conn, actor.id, &remote).await? {
        follower::store::remove(conn, actor.id, remote.id).await?;
        dismissal::reject(app, conn, &actor, &remote, &inbound.activity_id).await?;
        return Ok(Verdict::declined(why));
    }
    if inbound.repeated {
        if follower::store::follow_id(conn, actor.id, remote.id).await?.is_none() {
            return Ok(Verdict::ignored("it came again after the follow was ended"));
        }
    } else {
        follower::store::add(conn, actor.id, remote.id, &inbound.activity_id, app.clock.now()).await?;
        delivery::store::revive_inbox(conn, remote.inbox).await?;
    }
    accept(app, conn, &actor, &remote, inbound).await?;
    Ok(Verdict::accepted(format!("follows @{}", actor.handle)))
}

/// Lets somebody follow by another Follow of theirs that stands, if there is one: whichever came first.
async fn still_follows(app: &App, conn: &mut Conn, remote: &Remote, actor: &Actor) -> sqlx::Result<bool> {
    let Some(standing) = store::standing_follow(conn, &remote.url, &actor.url(&app.urls)).await? else {
        return Ok(false);
    };
    if moderation::refuses_follow(app, conn, actor.id, remote).await?.is_some() {
        return Ok(false);
    }
    follower::store::add(conn, actor.id, remote.id, &standing, app.clock.now()).await?;
    Ok(true)
}

/// Undo of a Follow by its id.
pub(super) async fn undo_by_id(app: &App, conn: &mut Conn, remote: &Remote, id: &str) -> sqlx::Result<Option<String>> {
    let Some(actor) = follower::store::remove_by_follow(conn, remote.id, id).await? else { return Ok(None) };
    let actor = author::store::actor(conn, actor).await?.ok_or(sqlx::Error::RowNotFound)?;
    Ok(Some(if still_follows(app, conn, remote, &actor).await? {
        format!("one Follow of @{} less; another stands", actor.handle)
    } else {
        format!("no longer follows @{}", actor.handle)
    }))
}

async fn accept(app: &App, conn: &mut Conn, actor: &Actor, remote: &Remote, inbound: &Inbound) -> sqlx::Result<()> {
    let (uuid, now) = (app.ids.uuid(), app.clock.now());
    let actor_url = actor.url(&app.urls);
    let follow = Follow { id: &inbound.activity_id, actor: &inbound.actor, object: &actor_url };
    let outgoing = Outgoing {
        // Each arrival of the Follow is answered, and each only once.
        cause: if inbound.repeated {
            format!("accept:{}:{uuid}", inbound.id)
        } else {
            format!("accept:{}", inbound.id)
        },
        because: Some(inbound.id),
        ..Outgoing::new(
            uuid,
            actor.id,
            "Accept",
            Audience::One { inbox: remote.inbox, holds: remote.shared_inbox },
            outgoing::accept(&Stamp::new(&app.urls, uuid, now), &follow),
        )
    };
    publish(conn, &outgoing, now).await?;
    Ok(())
}

/// Undo of a Follow by who and whom, since some send a new id (interop E14, T10).
pub(super) async fn undo_follow(
    app: &App,
    conn: &mut Conn,
    inbound: &Inbound,
    remote: &Remote,
    undone: &Reference,
) -> sqlx::Result<Verdict> {
    let ended = match followed(app, conn, undone.object.as_deref()).await? {
        Some(actor) => {
            store::end_follows(conn, &remote.url, &actor.url(&app.urls), Some(inbound.id)).await?;
            follower::store::remove(conn, actor.id, remote.id).await?
        }
        None => false,
    };
    Ok(if ended {
        Verdict::accepted("no longer follows")
    } else {
        Verdict::ignored("there was no follow to undo; remembered, should it come late")
    })
}

/// Block of one of our actors: its author follows no more, and a Follow of theirs counts for nothing until they take
/// the Block back. What they said before stays theirs to delete.
pub(super) async fn block(app: &App, conn: &mut Conn, inbound: &Inbound, incoming: &Incoming) -> sqlx::Result<Verdict> {
    // With a target it is a ban from that community, as Lemmy has it, and no wish of its sender's own (interop E16, F9).
    if let Some(community) = incoming.named("target") {
        return Ok(Verdict::ignored(format!("a ban from {community}, which changes nothing here")));
    }
    let Some(actor) = followed(app, conn, object(incoming)).await? else {
        return Ok(Verdict::declined("it blocks nobody of ours"));
    };
    let Some(remote) = remote::store::by_url(conn, &inbound.actor).await? else {
        return Ok(Verdict::declined("its actor is gone"));
    };
    if !store::undone_by(conn, &inbound.actor, &inbound.activity_id).await?.is_empty() {
        return Ok(Verdict::ignored("it was undone before"));
    }
    follower::store::block(conn, actor.id, remote.id, &inbound.activity_id, app.clock.now()).await?;
    store::end_follows(conn, &inbound.actor, &actor.url(&app.urls), None).await?;
    let followed = follower::store::remove(conn, actor.id, remote.id).await?;
    let also = if followed { ", and follows no longer" } else { "" };
    Ok(Verdict::accepted(format!("blocks @{}{also}", actor.handle)))
}

/// Undo of a Block by who and whom.
pub(super) async fn undo_block(
    app: &App,
    conn: &mut Conn,
    remote: &Remote,
    undone: &Reference,
) -> sqlx::Result<Verdict> {
    let ended = match followed(app, conn, undone.object.as_deref()).await? {
        Some(actor) => follower::store::unblock(conn, actor.id, remote.id).await?,
        None => false,
    };
    Ok(if ended {
        Verdict::accepted("blocks no longer")
    } else {
        Verdict::ignored("there was no block to undo; remembered, should it come late")
    })
}
