//! Undo: ends a relation that it names by any of its ids, by its shape, since some servers send a new id, or by its
//! object (interop E14, U9, U12).

use super::super::{FetchJob, Inbound, Purpose, Verdict, store};
use super::reactions::LocalObject;
use super::{follows, reactions};
use crate::activitypub::incoming::{self, Incoming, Reference};
use crate::app::App;
use crate::base::ids::RemoteActorId;
use crate::base::stored::Word;
use crate::db::Conn;
use crate::federation::remote::Remote;
use crate::model::author::Actor;
use crate::model::interaction::{self, Author};
use crate::model::relation::Kind;

/// What an Undo ends.
enum Undone {
    /// Relations to one of our actors.
    OfActor(Box<Actor>, Vec<Kind>),
    /// Reactions to an article or a note of ours, with this emoji or with any.
    OfPost(LocalObject, Vec<(Kind, Option<String>)>),
    /// A Delete, of what it deleted.
    Delete(Option<String>),
    /// Nothing that is known yet.
    Unknown,
    /// Nothing that has an effect here.
    Nothing(String),
}

pub(super) async fn undo(app: &App, conn: &mut Conn, inbound: &Inbound, incoming: &Incoming) -> sqlx::Result<Verdict> {
    let Some(undone) = &incoming.object else {
        return Ok(Verdict::declined("it undoes nothing"));
    };
    if undone.actor.as_deref().is_some_and(|actor| actor != inbound.actor) {
        return Ok(Verdict::declined("it undoes what somebody else did"));
    }
    let Some(remote) = inbound.author.clone() else {
        return Ok(Verdict::ignored("its actor is gone"));
    };
    let what = match by_id(app, conn, inbound, undone.id.as_deref()).await? {
        Undone::Unknown => by_shape(app, conn, undone).await?,
        known => known,
    };
    end(app, conn, inbound, &remote, what).await
}

/// A Delete of an activity's id is its Undo (Friendica and others). `None` where that is no activity of its own that stood in
/// a relation.
pub(super) async fn deleted(app: &App, conn: &mut Conn, inbound: &Inbound, id: &str) -> sqlx::Result<Option<Verdict>> {
    let what = by_id(app, conn, inbound, Some(id)).await?;
    let Some(remote) = inbound.author.clone() else { return Ok(None) };
    Ok(match what {
        Undone::OfActor(..) | Undone::OfPost(..) => Some(end(app, conn, inbound, &remote, what).await?),
        _ => None,
    })
}

/// What the actor's own activity with this id began, also if another one confirmed it since.
async fn by_id(app: &App, conn: &mut Conn, inbound: &Inbound, id: Option<&str>) -> sqlx::Result<Undone> {
    let Some(id) = id else { return Ok(Undone::Unknown) };
    let Some(named) = store::named(conn, &inbound.actor, id).await? else { return Ok(Undone::Unknown) };
    if named.kind == "Delete" {
        return Ok(Undone::Delete(named.object));
    }
    let Some(kind) = Kind::of_activity(&named.kind) else {
        return Ok(Undone::Nothing(format!("what {} does is not undone here", named.kind)));
    };
    let sign = named.sign;
    Ok(match of(app, conn, named.object.as_deref(), vec![(kind, sign)]).await? {
        Undone::Unknown => Undone::Nothing("what it undoes had no effect here".to_owned()),
        known => known,
    })
}

/// What an Undo describes, by actor and object; or the object alone, which ends everything between the two.
async fn by_shape(app: &App, conn: &mut Conn, undone: &Reference) -> sqlx::Result<Undone> {
    let object = undone.object.as_deref();
    let Some(said) = undone.kind.as_deref() else {
        let all = Kind::ALL.iter().map(|kind| (*kind, None));
        return of(app, conn, object.or(undone.id.as_deref()), all.collect()).await;
    };
    if said == "Delete" {
        return Ok(Undone::Delete(object.map(str::to_owned)));
    }
    let Some(kind) = Kind::of_activity(said) else {
        return Ok(Undone::Nothing(format!("what {said} does is not undone here")));
    };
    let sign = undone.embedded.as_ref().and_then(incoming::reaction_emoji);
    let kinds = match said {
        // Lemmy undoes a downvote with the same activity (interop U9).
        "Like" => vec![(kind, Some(sign.unwrap_or_default())), (Kind::Dislike, None)],
        _ => vec![(kind, sign)],
    };
    of(app, conn, object, kinds).await
}

/// Those of the kinds that are possible for what is at an address of ours.
async fn of(
    app: &App,
    conn: &mut Conn,
    url: Option<&str>,
    mut kinds: Vec<(Kind, Option<String>)>,
) -> sqlx::Result<Undone> {
    if let Some(actor) = follows::followed(app, conn, url).await? {
        let kinds: Vec<Kind> =
            kinds.into_iter().map(|(kind, _)| kind).filter(|kind| Kind::OF_ACTORS.contains(kind)).collect();
        return Ok(if kinds.is_empty() { Undone::Unknown } else { Undone::OfActor(Box::new(actor), kinds) });
    }
    kinds.retain(|(kind, _)| Kind::OF_POSTS.contains(kind));
    Ok(match reactions::local_object(app, conn, url).await? {
        Some(named) if !kinds.is_empty() => Undone::OfPost(named, kinds),
        _ => Undone::Unknown,
    })
}

async fn end(app: &App, conn: &mut Conn, inbound: &Inbound, remote: &Remote, what: Undone) -> sqlx::Result<Verdict> {
    let ended = match what {
        Undone::OfActor(actor, kinds) => follows::end(app, conn, remote, &actor, &kinds, &inbound.event()).await?,
        Undone::OfPost(named, kinds) => reactions::end(app, conn, remote, named, &kinds, &inbound.event()).await?,
        // It did so when it came first; the post may have been deleted once more since.
        Undone::Delete(_) if inbound.heard != inbound.id.0 => return Ok(Verdict::ignored("it came again")),
        Undone::Delete(deleted) => return undo_delete(conn, inbound, remote.id, deleted.as_deref()).await,
        Undone::Unknown => {
            return Ok(Verdict::ignored("nothing of that id is known; remembered, should it come late"));
        }
        Undone::Nothing(why) => return Ok(Verdict::ignored(why)),
    };
    Ok(if ended.is_empty() {
        Verdict::ignored("there was nothing to undo; remembered, should it come late")
    } else {
        Verdict::accepted(ended.join(", and "))
    })
}

/// A post is restored, as in Lemmy: its text is fetched at its origin.
async fn undo_delete(
    conn: &mut Conn,
    inbound: &Inbound,
    remote: RemoteActorId,
    deleted: Option<&str>,
) -> sqlx::Result<Verdict> {
    let Some(id) = deleted else {
        return Ok(Verdict::declined("it restores nothing that has an id"));
    };
    match interaction::store::post(conn, id).await? {
        Some(post) if post.author != Author::Remote(remote) => {
            Ok(Verdict::declined("it restores what somebody else wrote"))
        }
        Some(post) if post.ended_at.is_some() => {
            if !interaction::store::reopen_post(conn, post.id, inbound.received_at).await? {
                return Ok(Verdict::declined("a moderator had hidden or deleted it"));
            }
            let job = FetchJob { article: Some(post.article), ..FetchJob::now(id, Purpose::Post) };
            Ok(Verdict::accepted("the reply is restored; its words are read at its origin").with_fetches(vec![job]))
        }
        _ => Ok(Verdict::ignored("nothing of that id was deleted here")),
    }
}
