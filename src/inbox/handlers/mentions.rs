//! Somebody mentions one of our authors in a conversation that is not ours: for the operator to see, and shown to
//! nobody else.

use super::super::{FETCHED, Inbound, Outcome, Verdict};
use crate::activitypub::actor::ActorKind;
use crate::activitypub::incoming::IncomingPost;
use crate::activitypub::urls::Local;
use crate::app::App;
use crate::db::Conn;
use crate::federation::remote::Remote;
use crate::model::author::{self, Actor};
use crate::moderation;

/// Most mentions of one post that are looked up.
const LOOKED_UP: usize = 5;

/// The verdict `mention` for a post that was sent to us and mentions an author of ours; else the verdict that it has
/// without one. If its conversation turns out to be ours, it is interpreted again all the same. Its text is forgotten
/// with those of everything that has its verdict.
pub(super) async fn or(
    app: &App,
    conn: &mut Conn,
    inbound: &Inbound,
    remote: &Remote,
    post: &IncomingPost,
    otherwise: Verdict,
) -> sqlx::Result<Verdict> {
    if inbound.path == FETCHED {
        return Ok(otherwise);
    }
    let Some(named) = named(app, conn, post).await? else { return Ok(otherwise) };
    // Whoever may not follow an author need not be listened to either.
    let blocks = moderation::compiled::blocks(app, conn).await?;
    if let Some(why) = moderation::refuses_follow(app, &blocks, named.id, remote) {
        return Ok(Verdict::declined(why));
    }
    let mention = Verdict::new(
        Outcome::Mention,
        format!("it mentions @{} in a conversation that is not ours: {}", app.urls.acct(&named.handle), post.url),
    );
    Ok(Verdict { waits_for: otherwise.waits_for, fetches: otherwise.fetches, ..mention }.step(otherwise.reason))
}

/// The first of our actors, except the instance, that a post mentions.
async fn named(app: &App, conn: &mut Conn, post: &IncomingPost) -> sqlx::Result<Option<Actor>> {
    for local in post.mentions.iter().filter_map(|mention| app.urls.local(&mention.href)).take(LOOKED_UP) {
        let found = match local {
            Local::Actor(uuid) => author::store::actor_by_uuid(conn, uuid).await?,
            Local::Profile(handle) => author::store::actor_by_handle(conn, &handle).await?,
            _ => None,
        };
        if let Some(actor) = found.filter(|who| who.kind != ActorKind::Application && who.deleted_at.is_none()) {
            return Ok(Some(actor));
        }
    }
    Ok(None)
}
