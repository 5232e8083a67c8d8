//! Likes, emoji reactions, dislikes and boosts of what is ours, and their Undo (interop E12, E13, E14).

use uuid::Uuid;

use super::super::{Inbound, Verdict, store};
use super::{object, origin};
use crate::activitypub::incoming::{self, Incoming, Kind as Said};
use crate::app::App;
use crate::base::ids::InteractionId;
use crate::db::Conn;
use crate::federation::delivery;
use crate::federation::remote::{self, Remote};
use crate::model::interaction::named::Named;
use crate::model::interaction::store::{NewReaction, end_opinion, put_opinion};
use crate::model::interaction::{self, Author, Kind, State, Target};
use crate::model::post;
use crate::model::relation::{self, Begun, Event, Relations, SIGNS_MAX};
use crate::moderation;

/// The kind of interaction that a relation is kept as.
fn kept_as(kind: relation::Kind) -> Option<Kind> {
    match kind {
        relation::Kind::Like => Some(Kind::Like),
        relation::Kind::Dislike => Some(Kind::Dislike),
        relation::Kind::Boost => Some(Kind::Boost),
        relation::Kind::Follow | relation::Kind::Block => None,
    }
}

/// An article or a note of ours, whether it stands or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct LocalObject {
    pub(super) target: Target,
    pub(super) uuid: Uuid,
    state: State,
}

/// The article or note of ours at an address, deleted or not.
pub(super) async fn local_object(app: &App, conn: &mut Conn, url: Option<&str>) -> sqlx::Result<Option<LocalObject>> {
    let Some(url) = url else { return Ok(None) };
    Ok(match interaction::named::named(conn, &app.urls, url).await? {
        Some(Named::Article(article)) => {
            let target = Target { article: article.id, said: None };
            Some(LocalObject { target, uuid: article.uuid, state: State::Shown })
        }
        Some(Named::Said(note)) if matches!(note.author, Author::Local(_)) => {
            let target = Target { article: note.article, said: Some(note.id) };
            note.uuid.map(|uuid| LocalObject { target, uuid, state: note.state })
        }
        _ => None,
    })
}

/// The same if it stands, with its name for people.
async fn standing(
    app: &App,
    conn: &mut Conn,
    url: Option<&str>,
) -> sqlx::Result<Result<(LocalObject, String), Verdict>> {
    let Some(named) = local_object(app, conn, url).await? else {
        return Ok(Err(Verdict::declined("it is about nothing of ours")));
    };
    if named.state != State::Shown {
        return Ok(Err(Verdict::declined("it is about an answer that was taken back")));
    }
    Ok(match post::store::article(conn, named.target.article).await? {
        Some(article) if article.stands(app.clock.now()) => {
            let title = article.content.title;
            let is_note = named.target.said.is_some();
            Ok((named, if is_note { format!("an answer below “{title}”") } else { format!("“{title}”") }))
        }
        _ => Err(Verdict::declined("it is about an article that was taken down")),
    })
}

pub(super) async fn given(app: &App, conn: &mut Conn, inbound: &Inbound, incoming: &Incoming) -> sqlx::Result<Verdict> {
    let kind = relation::Kind::of_activity(incoming.kind.as_str());
    let Some((kind, word)) = kind.and_then(|kind| Some((kind, kept_as(kind)?))) else {
        return Ok(Verdict::ignored("it is no opinion"));
    };
    let (named, title) = match standing(app, conn, object(incoming)).await? {
        Ok(named) => named,
        // A community that takes part passes posts of our conversations on by their ids.
        Err(_) if incoming.kind == Said::Announce => return boosted(app, conn, inbound, incoming).await,
        Err(verdict) => return Ok(verdict),
    };
    let Some(remote) = remote::store::by_url(conn, &inbound.actor).await? else {
        return Ok(Verdict::declined("its actor is gone"));
    };
    if let Some(article) = post::store::article(conn, named.target.article).await?
        && let Some(why) = moderation::refuses(app, conn, &article, &remote).await?
    {
        return Ok(Verdict::declined(why));
    }
    let sign = if kind == relation::Kind::Like { incoming::reaction_emoji(&incoming.raw) } else { None };
    let undos = store::undone_by(conn, &inbound.actor, &inbound.activity_id).await?;
    let before = relation::store::of(conn, remote.id, named.uuid).await?;
    let mut after = before.clone();
    let begun = after.begin(kind, sign.as_deref().unwrap_or_default(), &inbound.event(), &undos);
    relation::store::keep(conn, remote.id, named.uuid, &before, &after).await?;
    follow_up(app, conn, &remote, named.target, (&before, &after)).await?;
    match begun {
        Begun::Now => {}
        Begun::Before if after.stands(kind, sign.as_deref().unwrap_or_default()) => {}
        Begun::Before => return Ok(Verdict::ignored("it was made before the last word on this")),
        Begun::Undone => return Ok(Verdict::ignored("it was undone before")),
        Begun::TooMany => {
            return Ok(Verdict::declined(format!("more than {SIGNS_MAX} reactions of one to one thing are not kept")));
        }
    }
    delivery::store::reach(conn, named.target.article, remote.nearest_inbox()).await?;
    let verdict = Verdict::accepted(format!("a {} of {title}", word.as_str()));
    Ok(match sign {
        Some(sign) => verdict.step(format!("its sign is {sign}")),
        None => verdict,
    })
}

/// Changes what is kept as the relations say; returns what ended.
async fn follow_up(
    app: &App,
    conn: &mut Conn,
    remote: &Remote,
    target: Target,
    (before, after): (&Relations, &Relations),
) -> sqlx::Result<Vec<String>> {
    let mut ended = Vec::new();
    for (kind, sign, stands) in after.changed_since(before) {
        let Some(word) = kept_as(kind) else { continue };
        if !stands {
            if end_opinion(conn, target, remote.id, word, sign, app.clock.now()).await? {
                ended.push(format!("took back a {}", word.as_str()));
            }
            continue;
        }
        let opinion = NewReaction {
            id: InteractionId(app.ids.row()),
            target,
            author: remote.id,
            kind: word,
            activity_id: after.begun_by(kind, sign).unwrap_or_default(),
            reaction: Some(sign).filter(|sign| !sign.is_empty()),
        };
        put_opinion(conn, &opinion, app.clock.now()).await?;
    }
    ended.dedup();
    Ok(ended)
}

/// Ends reactions of these kinds, each with this emoji or with any; returns what ended. A reaction may be named by any
/// of its ids, or by none, since some servers send a new one (interop E14).
pub(super) async fn end(
    app: &App,
    conn: &mut Conn,
    remote: &Remote,
    named: LocalObject,
    kinds: &[(relation::Kind, Option<String>)],
    undo: &Event,
) -> sqlx::Result<Vec<String>> {
    let before = relation::store::of(conn, remote.id, named.uuid).await?;
    let mut after = before.clone();
    for (kind, sign) in kinds {
        after.end(*kind, sign.as_deref(), undo);
    }
    relation::store::keep(conn, remote.id, named.uuid, &before, &after).await?;
    follow_up(app, conn, remote, named.target, (&before, &after)).await
}

/// A boost of something that is not ours. A community's may be a post of one of our conversations that reached us in no
/// other way; anybody else's means nothing to us.
async fn boosted(app: &App, conn: &mut Conn, inbound: &Inbound, incoming: &Incoming) -> sqlx::Result<Verdict> {
    debug_assert_eq!(incoming.kind, Said::Announce);
    let Some(id) = object(incoming) else { return Ok(Verdict::declined("it shows nothing that has an id")) };
    let known = interaction::store::post(conn, id).await?.is_some();
    let remote = remote::store::by_url(conn, &inbound.actor).await?;
    if app.urls.local(id).is_some() || (!known && remote.is_none_or(|remote| remote.kind != "Group")) {
        return Ok(Verdict::declined("it is about nothing of ours"));
    }
    Ok(origin::read(app, conn, inbound, id, false).await?.step(format!("shown by {}", inbound.actor)))
}
