//! Likes, emoji reactions, dislikes and boosts of what is ours, and their Undo (interop E12, E13, E14).

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use uuid::Uuid;

use super::super::{Inbound, Verdict};
use super::relations::{self, Became, Begins};
use super::{object, origin};
use crate::activitypub::incoming::{self, Incoming, Kind as Said};
use crate::app::App;
use crate::base::ids::{ArticleId, InteractionId, RemoteActorId};
use crate::db::Conn;
use crate::federation::remote::Remote;
use crate::model::interaction::named::Named;
use crate::model::interaction::store::{NewReaction, end_opinion, put_opinions};
use crate::model::interaction::{self, Author, Kind, State, Target};
use crate::model::post::{self, Article};
use crate::model::relation::{self, Begun, Event, Relations, SIGNS_MAX};
use crate::moderation::Keepers;

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

/// What a reaction is to, while it stands.
#[derive(Clone, Debug)]
struct Standing {
    object: LocalObject,
    article: Article,
}

impl Standing {
    /// For people.
    fn title(&self) -> String {
        let title = &self.article.content.title;
        if self.object.target.said.is_some() {
            format!("an answer below “{title}”")
        } else {
            format!("“{title}”")
        }
    }
}

async fn standing(app: &App, conn: &mut Conn, url: Option<&str>) -> sqlx::Result<Result<Standing, Verdict>> {
    let Some(object) = local_object(app, conn, url).await? else {
        return Ok(Err(Verdict::declined("it is about nothing of ours")));
    };
    if object.state != State::Shown {
        return Ok(Err(Verdict::declined("it is about an answer that was taken back")));
    }
    Ok(match post::store::article(conn, object.target.article).await? {
        Some(article) if article.stands(app.clock.now()) => Ok(Standing { object, article }),
        _ => Err(Verdict::declined("it is about an article that was taken down")),
    })
}

/// A reaction that is to count.
struct Given<'a> {
    inbound: &'a Inbound,
    kind: relation::Kind,
    word: Kind,
    sign: Option<String>,
    remote: &'a Remote,
    to: Standing,
}

impl Given<'_> {
    fn begins(&self) -> Begins<'_> {
        let (who, object) = (self.remote.id, self.to.object.uuid);
        Begins { inbound: self.inbound, who, object, kind: self.kind, sign: self.sign.as_deref().unwrap_or_default() }
    }
}

/// Reactions of different actors, together: what is known of all of them is read at once, and what becomes of them written at
/// once. Returns the verdict of each.
pub(super) async fn given(app: &App, conn: &mut Conn, all: &[(&Inbound, &Incoming)]) -> sqlx::Result<Vec<Verdict>> {
    let (verdicts, counting) = sort_out(app, conn, all).await?;
    if counting.is_empty() {
        return Ok(verdicts.into_iter().flatten().collect());
    }
    let mut counted = count(app, conn, &counting).await?.into_iter();
    Ok(verdicts.into_iter().filter_map(|verdict| verdict.or_else(|| counted.next())).collect())
}

/// Those that count, in their order; of the others, the verdict.
async fn sort_out<'a>(
    app: &App,
    conn: &mut Conn,
    all: &[(&'a Inbound, &Incoming)],
) -> sqlx::Result<(Vec<Option<Verdict>>, Vec<Given<'a>>)> {
    let (mut verdicts, mut counting) = (Vec::with_capacity(all.len()), Vec::new());
    let mut seen: HashMap<&str, Result<Standing, Verdict>> = HashMap::new();
    let mut keepers: HashMap<ArticleId, Keepers> = HashMap::new();
    for (inbound, incoming) in all {
        let url = object(incoming);
        let known = seen.get(url.unwrap_or_default()).cloned();
        let to = match known {
            Some(known) => known,
            None => standing(app, conn, url).await?,
        };
        seen.insert(url.unwrap_or_default(), to.clone());
        let kind = relation::Kind::of_activity(incoming.kind.as_str());
        let verdict = match (kind.and_then(|kind| Some((kind, kept_as(kind)?))), to, &inbound.author) {
            (None, ..) => Some(Verdict::ignored("it is no opinion")),
            // A community that takes part passes posts of our conversations on by their ids.
            (_, Err(_), _) if incoming.kind == Said::Announce => Some(boosted(app, conn, inbound, incoming).await?),
            (_, Err(verdict), _) => Some(verdict),
            (_, _, None) => Some(Verdict::declined("its actor is gone")),
            (Some((kind, word)), Ok(to), Some(remote)) => {
                let keepers = match keepers.entry(to.article.id) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(free) => free.insert(Keepers::of(app, conn, &to.article).await?),
                };
                let refused = keepers.refuse(app, remote);
                if refused.is_none() {
                    let sign =
                        if kind == relation::Kind::Like { incoming::reaction_emoji(&incoming.raw) } else { None };
                    counting.push(Given { inbound, kind, word, sign, remote, to });
                }
                refused.map(Verdict::declined)
            }
        };
        verdicts.push(verdict);
    }
    Ok((verdicts, counting))
}

/// Takes reactions into the relations of their actors, and keeps what follows.
async fn count(app: &App, conn: &mut Conn, all: &[Given<'_>]) -> sqlx::Result<Vec<Verdict>> {
    let begins: Vec<_> = all.iter().map(Given::begins).collect();
    let became = relations::begin_all(conn, &begins).await?;
    let (mut changes, mut verdicts) = (Vec::with_capacity(all.len()), Vec::with_capacity(all.len()));
    for (given, Became { before, after, begun }) in all.iter().zip(became) {
        verdicts.push(verdict(given, begun, after.stands(given.kind, given.sign.as_deref().unwrap_or_default())));
        changes.push(Change { who: given.remote.id, target: given.to.object.target, before, after });
    }
    follow_up(app, conn, &changes).await?;
    Ok(verdicts)
}

fn verdict(given: &Given<'_>, begun: Begun, stands: bool) -> Verdict {
    match begun {
        Begun::Before if !stands => return Verdict::ignored("it was made before the last word on this"),
        Begun::Now | Begun::Before => {}
        Begun::Undone => return Verdict::ignored("it was undone before"),
        Begun::TooMany => {
            return Verdict::declined(format!("more than {SIGNS_MAX} reactions of one to one thing are not kept"));
        }
    }
    let verdict = Verdict::accepted(format!("a {} of {}", given.word.as_str(), given.to.title()))
        .reaching(given.to.article.id, given.remote.nearest_inbox());
    match &given.sign {
        Some(sign) => verdict.step(format!("its sign is {sign}")),
        None => verdict,
    }
}

/// What became of the relations of somebody to something of ours.
struct Change {
    who: RemoteActorId,
    target: Target,
    before: Relations,
    after: Relations,
}

/// Changes what is kept as the relations say; returns what ended.
async fn follow_up(app: &App, conn: &mut Conn, changes: &[Change]) -> sqlx::Result<Vec<String>> {
    let (mut ended, mut opinions) = (Vec::new(), Vec::new());
    for Change { who, target, before, after } in changes {
        for (kind, sign, stands) in after.changed_since(before) {
            let Some(word) = kept_as(kind) else { continue };
            if !stands {
                if end_opinion(conn, *target, *who, word, sign, app.clock.now()).await? {
                    ended.push(format!("took back a {}", word.as_str()));
                }
                continue;
            }
            opinions.push(NewReaction {
                id: InteractionId(app.ids.row()),
                target: *target,
                author: *who,
                kind: word,
                activity_id: after.begun_by(kind, sign).unwrap_or_default(),
                reaction: Some(sign).filter(|sign| !sign.is_empty()),
            });
        }
    }
    put_opinions(conn, &opinions, app.clock.now()).await?;
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
    follow_up(app, conn, &[Change { who: remote.id, target: named.target, before, after }]).await
}

/// A boost of something that is not ours. A community's may be a post of one of our conversations that reached us in no
/// other way; anybody else's means nothing to us.
async fn boosted(app: &App, conn: &mut Conn, inbound: &Inbound, incoming: &Incoming) -> sqlx::Result<Verdict> {
    debug_assert_eq!(incoming.kind, Said::Announce);
    let Some(id) = object(incoming) else { return Ok(Verdict::declined("it shows nothing that has an id")) };
    let known = interaction::store::post(conn, id).await?.is_some();
    let is_group = inbound.author.as_ref().is_some_and(|author| author.kind == "Group");
    if app.urls.local(id).is_some() || (!known && !is_group) {
        return Ok(Verdict::declined("it is about nothing of ours"));
    }
    Ok(origin::read(app, conn, inbound, id, false).await?.step(format!("shown by {}", inbound.actor)))
}
