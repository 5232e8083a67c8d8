//! What its sender cannot prove is fetched at its origin: forwarded activities, posts that were only named (interop E4,
//! E24).

use super::super::store::fetch_queue;
use super::super::{FetchJob, Inbound, Purpose, Verdict};
use super::object;
use crate::activitypub::incoming::{Incoming, Kind};
use crate::app::App;
use crate::db::Conn;
use crate::model::interaction;
use crate::model::interaction::named::{Named, named};

/// An activity that was not signed by its actor. Nothing of it is believed (Linked Data signatures are not read): a
/// post is fetched at its origin, a Delete is checked there.
pub(super) async fn forwarded(
    app: &App,
    conn: &mut Conn,
    inbound: &Inbound,
    incoming: &Incoming,
) -> sqlx::Result<Verdict> {
    let by = format!("signed by {}, not by its actor", inbound.signer);
    let verdict = match (&incoming.kind, object(incoming)) {
        (Kind::Create | Kind::Update, Some(id)) if id != inbound.actor => {
            read(app, conn, inbound, id, incoming.kind == Kind::Update).await?
        }
        (Kind::Delete, Some(id)) if id != inbound.actor => ended(app, conn, inbound, id, By::Forwarder).await?,
        _ => Verdict::declined(format!(
            "{} by somebody else's hand cannot be confirmed at its origin",
            incoming.kind.as_str()
        )),
    };
    Ok(verdict.step(by))
}

/// A post by its id: fetched at its origin, and then interpreted by itself. A known one is fetched again only when it
/// is said to have changed.
pub(super) async fn read(
    app: &App,
    conn: &mut Conn,
    inbound: &Inbound,
    id: &str,
    changed: bool,
) -> sqlx::Result<Verdict> {
    if app.urls.is_ours(id) {
        return Ok(Verdict::ignored("it is our own"));
    }
    let known = match named(conn, &app.urls, id).await? {
        Some(Named::Said(post)) => Some(*post),
        _ => None,
    };
    match fetch_queue::ended_since(conn, id, Purpose::Post, inbound.received_at).await? {
        Some((outcome, _)) if outcome == "read" => {
            return Ok(match known {
                Some(_) => Verdict::accepted("it was read at its origin"),
                None => Verdict::declined("it was read at its origin, and is no part of a conversation of ours"),
            });
        }
        Some((_, why)) => return Ok(Verdict::declined(format!("it cannot be read at its origin: {why}"))),
        None => {}
    }
    if known.is_some() && !changed {
        return Ok(Verdict::ignored("it is known"));
    }
    let job = FetchJob { article: known.map(|post| post.article), ..FetchJob::now(id, Purpose::Post) };
    Ok(Verdict::until_read(format!("{id} is read at its origin first"), job))
}

/// Who says that a post is gone, if not its author.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// Somebody who forwards the author's Delete: a 404 is as good as gone (E24).
    Forwarder,
    /// Somebody else, perhaps a moderator: only 410, or a tombstone, is believed.
    Another,
}

/// A Delete of a post that its author did not sign: believed when its origin confirms it.
pub(super) async fn ended(app: &App, conn: &mut Conn, inbound: &Inbound, id: &str, by: By) -> sqlx::Result<Verdict> {
    let Some(known) = interaction::store::post(conn, id).await?.filter(|post| post.ended_at.is_none()) else {
        return Ok(Verdict::ignored("nothing of that id stands here"));
    };
    if app.urls.is_ours(id) {
        return Ok(Verdict::declined("it is ours"));
    }
    match fetch_queue::ended_since(conn, id, Purpose::End, inbound.received_at).await? {
        None => {
            let job = FetchJob { article: Some(known.article), ..FetchJob::now(id, Purpose::End) };
            Ok(Verdict::until_read(format!("whether {id} is gone is seen at its origin first"), job))
        }
        Some((outcome, _)) if outcome == "gone" || (outcome == "absent" && by == By::Forwarder) => {
            interaction::store::end_post(conn, known.id, app.clock.now()).await?;
            Ok(Verdict::accepted(format!("the {} is gone, as its origin says too", known.kind.as_str())))
        }
        Some((outcome, _)) if outcome == "read" => Ok(Verdict::declined("its origin still shows it")),
        Some((_, why)) => Ok(Verdict::declined(format!("its origin does not say that it is gone: {why}"))),
    }
}
