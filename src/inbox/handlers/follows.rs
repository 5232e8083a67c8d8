//! Follows of our actors and blocks of them: one relation between two actors (interop D8, E16).

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::super::{Inbound, Verdict};
use super::object;
use super::relations::{self, Became, Begins};
use crate::activitypub::Local;
use crate::activitypub::incoming::Incoming;
use crate::activitypub::outgoing::{self, ActivityMeta, Follow};
use crate::app::App;
use crate::base::ids::Ids;
use crate::db::Conn;
use crate::federation::delivery;
use crate::federation::outbox::{self, Audience, Outgoing, publish};
use crate::federation::remote::Remote;
use crate::model::author::{self, Actor};
use crate::model::follower;
use crate::model::relation::{self, Begun, Event, Kind, Relations};
use crate::moderation::{self, remove_follower};

/// How many answers to one Follow are kept, however often it comes.
const ANSWERS: i64 = 8;

/// One of our actors that can be followed, by address.
pub(super) async fn followed(app: &App, conn: &mut Conn, url: Option<&str>) -> sqlx::Result<Option<Actor>> {
    match url.and_then(|url| app.urls.local(url)) {
        Some(Local::Actor(uuid)) => author::store::actor_by_uuid(conn, uuid).await,
        _ => Ok(None),
    }
}

/// A Follow that is to be taken in.
struct Wanted<'a> {
    inbound: &'a Inbound,
    remote: &'a Remote,
    actor: Actor,
}

/// Follows of different actors: adds the follower and publishes the Accept, to their own inbox (interop D8, T11). Each Follow is
/// answered: with an Accept where they follow, by whichever of their Follows, else with a Reject.
pub(super) async fn follow(app: &App, conn: &mut Conn, all: &[(&Inbound, &Incoming)]) -> sqlx::Result<Vec<Verdict>> {
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let blocks = moderation::compiled::blocks(app, conn).await?;
    let mut known: HashMap<&str, Option<Actor>> = HashMap::new();
    let (mut verdicts, mut wanted) = (Vec::with_capacity(all.len()), Vec::with_capacity(all.len()));
    for (inbound, incoming) in all {
        let url = object(incoming).unwrap_or_default();
        let actor = match known.entry(url) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => free.insert(followed(app, conn, Some(url)).await?),
        };
        verdicts.push(match (actor, &inbound.author) {
            (None, _) => Some(Verdict::declined("it follows nobody of ours")),
            (Some(actor), _) if actor.deleted_at.is_some() => {
                Some(Verdict::declined(format!("@{} was deleted", actor.handle)))
            }
            (_, None) => Some(Verdict::declined("the follower is gone")),
            (Some(actor), Some(remote)) => {
                let refused = moderation::refuses_follow(app, &blocks, actor.id, remote);
                if refused.is_some() {
                    follower::store::remove(conn, actor.id, remote.id).await?;
                    answer(app, conn, actor, remote, inbound, false).await?;
                } else {
                    wanted.push(Wanted { inbound, remote, actor: actor.clone() });
                }
                refused.map(Verdict::declined)
            }
        });
    }
    let mut taken = take_in(app, conn, &wanted).await?.into_iter();
    Ok(verdicts.into_iter().filter_map(|verdict| verdict.or_else(|| taken.next())).collect())
}

async fn take_in(app: &App, conn: &mut Conn, all: &[Wanted<'_>]) -> sqlx::Result<Vec<Verdict>> {
    let begun: Vec<_> = all.iter().map(|one| begins(one.inbound, one.remote, &one.actor, Kind::Follow)).collect();
    let became = relations::begin_all(conn, &begun).await?;
    let mut verdicts = Vec::with_capacity(all.len());
    for (Wanted { inbound, remote, actor }, Became { after, begun, .. }) in all.iter().zip(became) {
        follow_up(app, conn, remote, actor, &after).await?;
        if !after.stands(Kind::Follow, "") {
            answer(app, conn, actor, remote, inbound, false).await?;
            let why = match begun {
                Begun::Undone => "it was undone before",
                _ if after.stands(Kind::Block, "") => "it was made before they blocked",
                _ => "it was made before the follow was ended",
            };
            verdicts.push(Verdict::ignored(why));
            continue;
        }
        let by = after.begun_by(Kind::Follow, "").unwrap_or(&inbound.activity_id);
        follower::store::add(conn, actor.id, remote.id, by, app.clock.now()).await?;
        delivery::store::revive_inbox(conn, remote.inbox).await?;
        answer(app, conn, actor, remote, inbound, true).await?;
        verdicts.push(match begun {
            Begun::Undone => Verdict::ignored("it was undone before; another Follow stands"),
            _ => Verdict::accepted(format!("follows @{}", actor.handle)),
        });
    }
    Ok(verdicts)
}

fn begins<'a>(inbound: &'a Inbound, remote: &Remote, actor: &Actor, kind: Kind) -> Begins<'a> {
    Begins { inbound, who: remote.id, object: actor.uuid, kind, sign: "" }
}

/// Ends what no longer stands; returns what that was.
async fn follow_up(
    app: &App,
    conn: &mut Conn,
    remote: &Remote,
    actor: &Actor,
    relations: &Relations,
) -> sqlx::Result<Vec<String>> {
    let mut ended = Vec::new();
    if !relations.stands(Kind::Follow, "") && follower::store::remove(conn, actor.id, remote.id).await? {
        ended.push(format!("no longer follows @{}", actor.handle));
    }
    if let Some(block) = relations.begun_by(Kind::Block, "").filter(|_| relations.stands(Kind::Block, "")) {
        follower::store::block(conn, actor.id, remote.id, block, app.clock.now()).await?;
    } else if follower::store::unblock(conn, actor.id, remote.id).await? {
        ended.push(format!("blocks @{} no longer", actor.handle));
    }
    Ok(ended)
}

/// Answers each arrival of a Follow once; one that comes while the same answer is under way is answered by that.
async fn answer(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    remote: &Remote,
    inbound: &Inbound,
    stands: bool,
) -> sqlx::Result<()> {
    // What came once was answered by none before.
    let again = inbound.times > 1;
    if again {
        let under_way = outbox::store::answer_under_way(conn, inbound.id).await?;
        if under_way.as_deref() == Some(if stands { "Accept" } else { "Reject" }) {
            return Ok(());
        }
    }
    if stands {
        accept(app, conn, actor, remote, inbound).await?;
    } else {
        remove_follower::reject(app, conn, actor, remote, &inbound.activity_id, Some(inbound.id)).await?;
    }
    if again { outbox::store::forget_answers(conn, inbound.id, ANSWERS).await } else { Ok(()) }
}

async fn accept(app: &App, conn: &mut Conn, actor: &Actor, remote: &Remote, inbound: &Inbound) -> sqlx::Result<()> {
    let (uuid, now) = (Ids::uuid(), app.clock.now());
    let actor_url = actor.url(&app.urls);
    let follow = Follow { id: &inbound.activity_id, actor: &inbound.actor, object: &actor_url };
    let outgoing = Outgoing {
        cause: if inbound.times > 1 {
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
            outgoing::accept(&ActivityMeta::new(&app.urls, uuid, now), &follow),
        )
    };
    publish(conn, &outgoing, now).await?;
    Ok(())
}

/// Ends a follow, a block, or whichever of them there is; returns what ended. It may be named by any of its ids, or by
/// none, since some servers send a new one (interop E14, T10).
pub(super) async fn end(
    app: &App,
    conn: &mut Conn,
    remote: &Remote,
    actor: &Actor,
    kinds: &[Kind],
    undo: &Event,
) -> sqlx::Result<Vec<String>> {
    let before = relation::store::of(conn, remote.id, actor.uuid).await?;
    let mut after = before.clone();
    for kind in kinds {
        after.end(*kind, None, undo);
    }
    relation::store::keep(conn, remote.id, actor.uuid, &before, &after).await?;
    follow_up(app, conn, remote, actor, &after).await
}

/// Block of one of our actors: its sender no longer follows, until they follow anew. Their earlier posts stay, for them
/// to delete.
pub(super) async fn block(app: &App, conn: &mut Conn, inbound: &Inbound, incoming: &Incoming) -> sqlx::Result<Verdict> {
    // With a target it is a ban from that community, as in Lemmy, and not its sender's own wish (interop E16, F9).
    if let Some(community) = incoming.named("target") {
        return Ok(Verdict::ignored(format!("a ban from {community}, which changes nothing here")));
    }
    let Some(actor) = followed(app, conn, object(incoming)).await? else {
        return Ok(Verdict::declined("it blocks nobody of ours"));
    };
    let Some(remote) = inbound.author.clone() else {
        return Ok(Verdict::declined("its actor is gone"));
    };
    let followed = follower::store::follow_id(conn, actor.id, remote.id).await?.is_some();
    let Became { after, begun, .. } = relations::begin(conn, begins(inbound, &remote, &actor, Kind::Block)).await?;
    follow_up(app, conn, &remote, &actor, &after).await?;
    if !after.stands(Kind::Block, "") {
        return Ok(Verdict::ignored(match begun {
            Begun::Undone => "it was undone before",
            _ => "it was made before the block was ended",
        }));
    }
    let also = if followed { ", and follows no longer" } else { "" };
    Ok(Verdict::accepted(format!("blocks @{}{also}", actor.handle)))
}
