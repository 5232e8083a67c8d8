//! Removes a follower: the follow ends here, and a Reject of it tells their server (interop D9).

use crate::activitypub::outgoing::{self, ActivityMeta, Follow};
use crate::app::App;
use crate::base::ids::{Ids, InboundId};
use crate::db::Conn;
use crate::federation::outbox::{Audience, Outgoing, publish};
use crate::federation::remote::Remote;
use crate::model::author::Actor;
use crate::model::follower;
use crate::model::relation;

/// Ends a follow of one of our actors, and tells the follower's server; false when there was none.
pub(crate) async fn end_follow(app: &App, conn: &mut Conn, actor: &Actor, remote: &Remote) -> sqlx::Result<bool> {
    let Some(follow_id) = follower::store::follow_id(conn, actor.id, remote.id).await? else { return Ok(false) };
    follower::store::remove(conn, actor.id, remote.id).await?;
    relation::store::end(conn, &app.ids, remote.id, actor.uuid, relation::Kind::Follow).await?;
    reject(app, conn, actor, remote, &follow_id, None).await?;
    Ok(true)
}

/// Sends a Reject of a Follow.
pub(crate) async fn reject(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    remote: &Remote,
    follow_id: &str,
    because: Option<InboundId>,
) -> sqlx::Result<()> {
    let (uuid, now) = (Ids::uuid(), app.clock.now());
    let object = actor.url(&app.urls);
    let follow = Follow { id: follow_id, actor: &remote.url, object: &object };
    let body = outgoing::reject(&ActivityMeta::new(&app.urls, uuid, now), &follow);
    let audience = Audience::One { inbox: remote.inbox, holds: None };
    let outgoing = Outgoing {
        cause: format!("reject:{uuid}"),
        because,
        ..Outgoing::new(uuid, actor.id, "Reject", audience, body)
    };
    publish(conn, &outgoing, now).await?;
    Ok(())
}
