//! What remote actors say of themselves: that they changed, moved, or are gone (interop E9, E11, E17).

use std::time::Duration;

use super::super::store::fetch_queue;
use super::super::{FetchJob, Inbound, Purpose, Verdict};
use super::object;
use crate::activitypub::incoming::{self, Incoming};
use crate::app::App;
use crate::db::Conn;
use crate::federation::remote::{self, actors};
use crate::model::follower;
use crate::model::interaction;
use crate::model::relation;
use crate::moderation::enforcement;

/// How long an actor that moved cannot move again (interop A20, E17).
const SETTLED: Duration = Duration::from_hours(7 * 24);

/// Update of an actor by itself, signed with a key that its document listed before: its new name, picture and keys.
pub(super) async fn updated(
    app: &App,
    conn: &mut Conn,
    inbound: &Inbound,
    incoming: &Incoming,
) -> sqlx::Result<Verdict> {
    let document = incoming.object.as_ref().and_then(|object| object.embedded.clone());
    let Some(mut document) = document else {
        return Ok(Verdict::accepted("its actor is read anew")
            .with_fetches(vec![FetchJob::now(&inbound.actor, Purpose::Actor)]));
    };
    // Embedded, it stands under the activity's context.
    if document.get("@context").is_none()
        && let (Some(properties), Some(context)) = (document.as_object_mut(), incoming.raw.get("@context"))
    {
        properties.insert("@context".to_owned(), context.clone());
    }
    match incoming::parse_actor(&document) {
        Ok(actor) if actor.id == inbound.actor => {
            let remote = actors::keep(conn, &app.ids, actor, None, app.clock.now()).await?;
            // Its handle may be of a blocked domain now (interop E25).
            enforcement::part_from(app, conn, &remote).await?;
            interaction::store::changed_with(conn, remote.id).await?;
            Ok(Verdict::accepted("its profile is known anew"))
        }
        Ok(_) => Ok(Verdict::declined("it changes somebody else")),
        Err(_) => Ok(Verdict::accepted("what it says of itself is not all there, so its actor is read anew")
            .with_fetches(vec![FetchJob::now(&inbound.actor, Purpose::Actor)])),
    }
}

/// Delete of an actor by itself: its follows end, and what it said (interop E11).
pub(super) async fn gone(app: &App, conn: &mut Conn, inbound: &Inbound) -> sqlx::Result<Verdict> {
    let Some(remote) = inbound.author.clone() else {
        return Ok(Verdict::ignored("already gone"));
    };
    let now = app.clock.now();
    let follows = follower::store::remove_all(conn, remote.id).await?;
    relation::store::forget(conn, remote.id).await?;
    let said = interaction::store::end_all(conn, remote.id, now).await?;
    remote::store::mark_gone(conn, &inbound.actor, now).await?;
    Ok(Verdict::accepted(format!(
        "the actor is gone, and with it {follows} follows and {said} replies, likes and boosts"
    )))
}

/// Move of an actor: counts once the new one lists the old one in `alsoKnownAs`; then its follows are the new one's.
pub(super) async fn moved(app: &App, conn: &mut Conn, inbound: &Inbound, incoming: &Incoming) -> sqlx::Result<Verdict> {
    if object(incoming) != Some(inbound.actor.as_str()) {
        return Ok(Verdict::declined("it moves somebody else"));
    }
    let Some(target) = incoming.named("target").filter(|target| *target != inbound.actor) else {
        return Ok(Verdict::declined("it moves nowhere"));
    };
    let Some(old) = inbound.author.clone() else {
        return Ok(Verdict::declined("its actor is gone"));
    };
    let now = app.clock.now();
    if remote::store::moved_at(conn, old.id).await?.is_some_and(|at| now.since(at) < SETTLED) {
        return Ok(Verdict::declined("it has moved within the last seven days"));
    }
    match fetch_queue::ended_since(conn, &target, Purpose::Actor, inbound.received_at).await? {
        None => {
            let job = FetchJob::now(&target, Purpose::Actor);
            return Ok(Verdict::until_read(format!("{target} is asked first whether it was {}", inbound.actor), job));
        }
        Some((outcome, why)) if outcome != "read" => {
            return Ok(Verdict::declined(format!("where it moves to cannot be read: {why}")));
        }
        Some(_) => {}
    }
    let Some(new) = remote::store::by_url(conn, &target).await? else {
        return Ok(Verdict::declined("where it moves to is gone"));
    };
    if !remote::store::was_known_as(conn, new.id, &inbound.actor).await? {
        return Ok(Verdict::declined(format!("{target} does not say in `alsoKnownAs` that it was {}", inbound.actor)));
    }
    let follows = follower::store::move_all(conn, old.id, new.id).await?;
    relation::store::end_all(conn, &app.ids, old.id, relation::Kind::Follow).await?;
    remote::store::mark_moved(conn, old.id, &target, now).await?;
    let parted = enforcement::part_from(app, conn, &new).await?;
    let also = if parted > 0 { format!(", {parted} of which a block ends") } else { String::new() };
    Ok(Verdict::accepted(format!("it is {target} now; follows that moved along: {follows}{also}")))
}
