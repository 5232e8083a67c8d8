//! Likes, dislikes and boosts of our articles, and their taking back (interop E12, E13, E14).

use super::super::{Inbound, Outcome, Verdict, store};
use super::object;
use crate::activity::Local;
use crate::activity::incoming::{Incoming, Kind as Said, Reference};
use crate::app::App;
use crate::db::Conn;
use crate::delivery;
use crate::ids::InteractionId;
use crate::interaction::Kind;
use crate::interaction::store::{NewSign, end_sign, put_sign};
use crate::post::{self, Article};
use crate::remote::{self, Remote};

/// Longest reaction kept, in characters: an emoji of several parts, or a `:shortcode:`.
const REACTION_MAX: usize = 64;

/// Which sign an activity gives.
pub(super) fn of(said: &Said) -> Option<Kind> {
    named(said.as_str())
}

/// As [`of`], by name. A reaction is a like with a sign of its own (FEP-c0e0).
pub(super) fn named(said: &str) -> Option<Kind> {
    match said {
        "Like" | "EmojiReact" => Some(Kind::Like),
        "Dislike" => Some(Kind::Dislike),
        "Announce" => Some(Kind::Boost),
        _ => None,
    }
}

/// An article of ours that stands, by address.
async fn article(app: &App, conn: &mut Conn, url: Option<&str>) -> sqlx::Result<Result<Article, Verdict>> {
    let Some(Local::Article(uuid)) = url.and_then(|url| app.urls.local(url)) else {
        return Ok(Err(Verdict::new(Outcome::Declined, "it is about nothing of ours")));
    };
    Ok(match post::store::article_by_uuid(conn, uuid).await? {
        Some(article) if article.stands(app.clock.now()) => Ok(article),
        Some(_) => Err(Verdict::new(Outcome::Declined, "it is about an article that was taken down")),
        None => Err(Verdict::new(Outcome::Declined, "it is about nothing of ours")),
    })
}

pub(super) async fn given(app: &App, conn: &mut Conn, inbound: &Inbound, incoming: &Incoming) -> sqlx::Result<Verdict> {
    let Some(kind) = of(&incoming.kind) else { return Ok(Verdict::new(Outcome::Deferred, "it is not understood yet")) };
    if is_wrapped(incoming) {
        return Ok(Verdict::new(Outcome::Deferred, "what a community passes on is not read yet"));
    }
    let article = match article(app, conn, object(incoming)).await? {
        Ok(article) => article,
        Err(verdict) => return Ok(verdict),
    };
    let Some(remote) = remote::store::by_url(conn, &inbound.actor).await? else {
        return Ok(Verdict::new(Outcome::Declined, "its actor is gone"));
    };
    if store::is_undone(conn, &inbound.actor, &inbound.activity_id).await? {
        return Ok(Verdict::new(Outcome::Ignored, "it was undone before"));
    }
    let reaction = reaction(incoming);
    let sign = NewSign {
        id: InteractionId(app.ids.row()),
        article: article.id,
        author: remote.id,
        kind,
        activity_id: &inbound.activity_id,
        reaction: reaction.as_deref(),
    };
    put_sign(conn, &sign, app.clock.now()).await?;
    delivery::store::reach(conn, article.id, remote.shared_inbox.unwrap_or(remote.inbox)).await?;
    Ok(Verdict::new(Outcome::Accepted, format!("a {} of “{}”", kind.as_str(), article.content.title)))
}

/// An Announce of an activity, or of somebody else's post: FEP-1b12.
fn is_wrapped(incoming: &Incoming) -> bool {
    let inner = incoming.object.as_ref().and_then(|object| object.kind.as_deref());
    incoming.kind == Said::Announce && inner.is_some_and(|kind| !matches!(kind, "Article" | "Note" | "Page"))
}

/// The sign of a reaction, as plain text.
fn reaction(incoming: &Incoming) -> Option<String> {
    let text = ["content", "_misskey_reaction"].iter().find_map(|key| incoming.raw.get(*key)?.as_str())?;
    let shown: String = text.chars().filter(|c| !c.is_control() && !c.is_whitespace()).take(REACTION_MAX).collect();
    (!shown.is_empty()).then_some(shown)
}

/// Undo by who and what, since some send a new id (interop E14).
pub(super) async fn taken_back(
    app: &App,
    conn: &mut Conn,
    remote: &Remote,
    undone: &Reference,
) -> sqlx::Result<Verdict> {
    let kind = undone.kind.as_deref().and_then(named);
    let article = match undone.object.as_deref().and_then(|url| app.urls.local(url)) {
        Some(Local::Article(uuid)) => post::store::article_by_uuid(conn, uuid).await?,
        _ => None,
    };
    let ended = match (kind, article) {
        (Some(kind), Some(article)) => end_sign(conn, article.id, remote.id, kind, app.clock.now()).await?,
        _ => false,
    };
    Ok(if ended {
        Verdict::new(Outcome::Accepted, format!("took back a {}", kind.map_or("sign", Kind::as_str)))
    } else {
        Verdict::new(Outcome::Ignored, "there was nothing to undo; remembered, should it come late")
    })
}
