//! What a community passes on: an Announce of a whole activity, or of a post by its id (FEP-1b12, interop E12).

use serde_json::Value;

use super::super::{FetchJob, Inbound, Purpose, Verdict, store};
use super::origin::{self, By};
use super::reactions;
use crate::activitypub::incoming::Incoming;
use crate::app::App;
use crate::db::Conn;

/// An activity that a community announces: nothing of it is believed. A post is fetched at its origin, a Delete is
/// checked there; a like or dislike of something of ours counts if its own server shows it.
pub(super) async fn passed_on(
    app: &App,
    conn: &mut Conn,
    inbound: &Inbound,
    incoming: &Incoming,
) -> sqlx::Result<Verdict> {
    let Some(inner) = &incoming.object else { return Ok(Verdict::declined("it passes nothing on")) };
    let (kind, about) = (inner.kind.as_deref().unwrap_or_default(), inner.object.as_deref());
    let by = format!("passed on by {}", inbound.actor);
    if inner.id.as_deref().is_some_and(|id| app.urls.is_ours(id)) {
        return Ok(Verdict::ignored("it passes on what we said ourselves"));
    }
    let verdict = match (kind, about) {
        ("Create" | "Update", Some(id)) => origin::read(app, conn, inbound, id, kind == "Update").await?,
        ("Delete", Some(id)) => origin::ended(app, conn, inbound, id, By::Another).await?,
        ("Like" | "Dislike" | "EmojiReact", Some(_)) if reactions::local_object(app, conn, about).await?.is_some() => {
            at_its_server(conn, inbound, inner.id.as_deref()).await?
        }
        ("Undo", _) if undoes_local_reaction(app, conn, inner.embedded.as_ref()).await? => {
            at_its_server(conn, inbound, inner.id.as_deref()).await?
        }
        _ => Verdict::ignored(format!("it passes on a {kind} that is about nothing of ours")),
    };
    Ok(verdict.step(by))
}

async fn undoes_local_reaction(app: &App, conn: &mut Conn, undo: Option<&Value>) -> sqlx::Result<bool> {
    let about = undo.and_then(|undo| undo.pointer("/object/object")).and_then(Value::as_str);
    Ok(reactions::local_object(app, conn, about).await?.is_some())
}

/// An activity itself, fetched from its own server: as good as signed.
async fn at_its_server(conn: &mut Conn, inbound: &Inbound, id: Option<&str>) -> sqlx::Result<Verdict> {
    // An id with a fragment leads to something else.
    let Some(id) = id.filter(|id| !id.contains('#')) else {
        return Ok(Verdict::declined("it cannot be confirmed: it has no address of its own"));
    };
    Ok(match store::fetch_queue::ended_since(conn, id, Purpose::Post, inbound.received_at).await? {
        None => Verdict::until_read(format!("{id} is read at its origin first"), FetchJob::now(id, Purpose::Post)),
        Some((outcome, _)) if outcome == "read" => Verdict::accepted("it was read at its origin"),
        Some((_, why)) => Verdict::declined(format!("it cannot be confirmed at its origin: {why}")),
    })
}
