//! What each activity means, one function each: idempotent, in the transaction that settles it.

mod posts;
mod signs;

use super::{Inbound, Outcome, Verdict, store};
use crate::activity::Local;
use crate::activity::incoming::{Incoming, Kind, Reference};
use crate::activity::outgoing::{self, Follow, Stamp};
use crate::app::App;
use crate::author::{self, Actor};
use crate::db::Conn;
use crate::delivery;
use crate::follower;
use crate::interaction;
use crate::outbox::{Audience, Outgoing, publish};
use crate::remote::{self, Remote};

/// Does what an activity says, as far as it may, and tells what became of it.
///
/// # Errors
/// The database's.
pub async fn interpret(app: &App, conn: &mut Conn, inbound: &Inbound, incoming: &Incoming) -> sqlx::Result<Verdict> {
    if inbound.signer != inbound.actor {
        let why = format!("signed by {}, so without effect until it is fetched from its origin", inbound.signer);
        return Ok(Verdict::new(Outcome::Deferred, why));
    }
    match &incoming.kind {
        Kind::Follow => follow(app, conn, inbound, incoming).await,
        Kind::Undo => undo(app, conn, inbound, incoming).await,
        Kind::Delete if object(incoming) == Some(inbound.actor.as_str()) => actor_gone(app, conn, inbound).await,
        Kind::Create | Kind::Update => posts::written(app, conn, inbound, incoming).await,
        Kind::Delete => posts::deleted(app, conn, inbound, incoming).await,
        kind if signs::of(kind).is_some() => signs::given(app, conn, inbound, incoming).await,
        other => Ok(Verdict::new(Outcome::Deferred, format!("{} is not understood yet", other.as_str()))),
    }
}

fn object(incoming: &Incoming) -> Option<&str> {
    incoming.object.as_ref()?.id.as_deref()
}

/// One of our actors that can be followed, by address.
async fn followed(app: &App, conn: &mut Conn, url: Option<&str>) -> sqlx::Result<Option<Actor>> {
    match url.and_then(|url| app.urls.local(url)) {
        Some(Local::Actor(uuid)) => author::store::actor_by_uuid(conn, uuid).await,
        _ => Ok(None),
    }
}

/// Follow: lets the follower in and says so, to their own inbox (interop D8, T11).
async fn follow(app: &App, conn: &mut Conn, inbound: &Inbound, incoming: &Incoming) -> sqlx::Result<Verdict> {
    let Some(actor) = followed(app, conn, object(incoming)).await? else {
        return Ok(Verdict::new(Outcome::Declined, "it follows nobody of ours"));
    };
    if actor.deleted_at.is_some() {
        return Ok(Verdict::new(Outcome::Declined, format!("@{} was deleted", actor.handle)));
    }
    let Some(remote) = remote::store::by_url(conn, &inbound.actor).await? else {
        return Ok(Verdict::new(Outcome::Declined, "the follower is gone"));
    };
    if store::is_undone(conn, &inbound.actor, &inbound.activity_id).await? {
        return Ok(Verdict::new(Outcome::Ignored, "it was undone before"));
    }
    if inbound.repeated {
        if follower::store::follow_id(conn, actor.id, remote.id).await?.is_none() {
            return Ok(Verdict::new(Outcome::Ignored, "it came again after the follow was ended"));
        }
    } else {
        follower::store::add(conn, actor.id, remote.id, &inbound.activity_id, app.clock.now()).await?;
        delivery::store::revive_inbox(conn, remote.inbox).await?;
    }
    accept(app, conn, &actor, &remote, inbound).await?;
    Ok(Verdict::new(Outcome::Accepted, format!("follows @{}", actor.handle)))
}

async fn accept(app: &App, conn: &mut Conn, actor: &Actor, remote: &Remote, inbound: &Inbound) -> sqlx::Result<()> {
    let (uuid, now) = (app.ids.uuid(), app.clock.now());
    let actor_url = actor.url(&app.urls);
    let follow = Follow { id: &inbound.activity_id, actor: &inbound.actor, object: &actor_url };
    let outgoing = Outgoing {
        uuid,
        // Each arrival of the Follow is answered, and each only once.
        cause: if inbound.repeated {
            format!("accept:{}:{uuid}", inbound.id)
        } else {
            format!("accept:{}", inbound.id)
        },
        actor: actor.id,
        kind: "Accept",
        article: None,
        audience: Audience::One { inbox: remote.inbox, holds: remote.shared_inbox },
        body: outgoing::accept(&Stamp::new(&app.urls, uuid, now), &follow),
    };
    publish(conn, &outgoing, now).await?;
    Ok(())
}

/// Undo: of a Follow by its id, else by who and whom, since some send a new id (interop E14, T10).
async fn undo(app: &App, conn: &mut Conn, inbound: &Inbound, incoming: &Incoming) -> sqlx::Result<Verdict> {
    let Some(undone) = &incoming.object else {
        return Ok(Verdict::new(Outcome::Declined, "it undoes nothing"));
    };
    if undone.actor.as_deref().is_some_and(|actor| actor != inbound.actor) {
        return Ok(Verdict::new(Outcome::Declined, "it undoes what somebody else did"));
    }
    let Some(remote) = remote::store::by_url(conn, &inbound.actor).await? else {
        return Ok(Verdict::new(Outcome::Ignored, "its actor is gone"));
    };
    if let Some(id) = &undone.id
        && follower::store::remove_by_follow(conn, remote.id, id).await?
    {
        return Ok(Verdict::new(Outcome::Accepted, "no longer follows"));
    }
    if let Some(id) = &undone.id
        && let Some(kind) = interaction::store::end_by_activity(conn, remote.id, id, app.clock.now()).await?
    {
        return Ok(Verdict::new(Outcome::Accepted, format!("took back a {kind}")));
    }
    match undone.kind.as_deref() {
        Some("Follow") => undo_follow(app, conn, &remote, undone).await,
        Some(kind) if signs::named(kind).is_some() => signs::taken_back(app, conn, &remote, undone).await,
        Some(other) => Ok(Verdict::new(Outcome::Deferred, format!("Undo of {other} is not understood yet"))),
        None => Ok(Verdict::new(Outcome::Deferred, "Undo of an activity that we do not know")),
    }
}

async fn undo_follow(app: &App, conn: &mut Conn, remote: &Remote, undone: &Reference) -> sqlx::Result<Verdict> {
    let ended = match followed(app, conn, undone.object.as_deref()).await? {
        Some(actor) => follower::store::remove(conn, actor.id, remote.id).await?,
        None => false,
    };
    Ok(if ended {
        Verdict::new(Outcome::Accepted, "no longer follows")
    } else {
        Verdict::new(Outcome::Ignored, "there was no follow to undo; remembered, should it come late")
    })
}

/// Delete of an actor by itself: its follows end (interop E11).
async fn actor_gone(app: &App, conn: &mut Conn, inbound: &Inbound) -> sqlx::Result<Verdict> {
    let Some(remote) = remote::store::by_url(conn, &inbound.actor).await? else {
        return Ok(Verdict::new(Outcome::Ignored, "already gone"));
    };
    let now = app.clock.now();
    let follows = follower::store::remove_all(conn, remote.id).await?;
    let said = interaction::store::end_all(conn, remote.id, now).await?;
    remote::store::mark_gone(conn, &inbound.actor, now).await?;
    Ok(Verdict::new(
        Outcome::Accepted,
        format!("the actor is gone, and with it {follows} follows and {said} replies, likes and boosts"),
    ))
}
