//! Replies to our articles, at any depth: written, edited, deleted (interop E3 to E10).

use url::Url;

use super::super::{Inbound, Outcome, Verdict, store};
use super::object;
use crate::activity::Local;
use crate::activity::incoming::{Audience, Incoming, Statement, statement};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Conn;
use crate::delivery;
use crate::ids::InteractionId;
use crate::interaction::store::NewReply;
use crate::interaction::{self, Words};
use crate::post::{self, Article};
use crate::remote::{self, Remote};

/// Create or Update of a post. They are one: an Update may overtake its Create, and carries the whole post (D7, E9).
pub(super) async fn written(
    app: &App,
    conn: &mut Conn,
    inbound: &Inbound,
    incoming: &Incoming,
) -> sqlx::Result<Verdict> {
    let Some(document) = incoming.object.as_ref().and_then(|object| object.embedded.as_ref()) else {
        return Ok(Verdict::new(Outcome::Deferred, "the post itself was not sent along, and is not fetched yet"));
    };
    if object(incoming) == Some(inbound.actor.as_str()) {
        return Ok(Verdict::new(Outcome::Ignored, "its actor's document is read when it is needed"));
    }
    let post = match statement(document) {
        Ok(post) => post,
        Err(why) => return Ok(Verdict::new(Outcome::Declined, why.to_string())),
    };
    if let Some(verdict) = refused(inbound, &post) {
        return Ok(verdict);
    }
    let Some(answered) = post.in_reply_to.clone() else {
        return Ok(Verdict::new(
            Outcome::Deferred,
            "it answers nothing of ours; posts to a community are not read yet",
        ));
    };
    let Some(remote) = remote::store::by_url(conn, &inbound.actor).await? else {
        return Ok(Verdict::new(Outcome::Declined, "its author is gone"));
    };
    if store::is_deleted(conn, &inbound.actor, &post.id).await? {
        return Ok(Verdict::new(Outcome::Ignored, "it was deleted before"));
    }
    if let Some(known) = interaction::store::reply(conn, &post.id).await? {
        return edited(conn, &remote, &known, post).await;
    }
    match conversation(app, conn, &answered).await? {
        Place::In(article, parent) => answer(app, conn, inbound, &remote, (&article, parent), post).await,
        Place::Unknown => Ok(Verdict::waiting(
            format!("it answers {answered}, which is not known here; read again when that comes in"),
            answered,
        )),
        Place::Nowhere(why) => Ok(Verdict::new(Outcome::Declined, why)),
    }
}

/// What may not be believed or shown, whatever it answers.
fn refused(inbound: &Inbound, post: &Statement) -> Option<Verdict> {
    let declined = |why: &str| Some(Verdict::new(Outcome::Declined, why));
    if post.author != inbound.actor {
        // T14: nobody puts words into another's mouth.
        return declined("the post is not of the one who sends it");
    }
    if !same_origin(&post.id, &inbound.actor) {
        // T13, CVE-2024-23832.
        return declined("the post lives on another server than its author");
    }
    if post.is_vote {
        return Some(Verdict::new(Outcome::Ignored, "a vote in a poll"));
    }
    if post.audience == Audience::Private {
        return declined("it is for followers or single people, and never shown");
    }
    None
}

fn same_origin(one: &str, other: &str) -> bool {
    let origin = |url: &str| Url::parse(url).ok().map(|url| url.origin());
    origin(one).is_some() && origin(one) == origin(other)
}

/// Where in our conversations a post is.
enum Place {
    /// It answers the article, or one of its replies.
    In(Box<Article>, Option<InteractionId>),
    /// It may be one of ours as soon as more is known.
    Unknown,
    /// It is none of ours.
    Nowhere(&'static str),
}

async fn conversation(app: &App, conn: &mut Conn, answered: &str) -> sqlx::Result<Place> {
    let (article, parent) = match app.urls.local(answered) {
        Some(Local::Article(uuid)) => (post::store::article_by_uuid(conn, uuid).await?, None),
        Some(_) => return Ok(Place::Nowhere("it answers nothing of ours that can be answered")),
        None => match interaction::store::reply(conn, answered).await? {
            Some(reply) => (post::store::article(conn, reply.article).await?, Some(reply.id)),
            None if answered.starts_with(app.urls.origin()) => {
                return Ok(Place::Nowhere("it answers nothing of ours that can be answered"));
            }
            None => return Ok(Place::Unknown),
        },
    };
    Ok(match article {
        Some(article) if article.stands(app.clock.now()) => Place::In(Box::new(article), parent),
        Some(_) => Place::Nowhere("it answers an article that was taken down"),
        None => Place::Nowhere("it answers nothing of ours"),
    })
}

async fn answer(
    app: &App,
    conn: &mut Conn,
    inbound: &Inbound,
    remote: &Remote,
    (article, parent): (&Article, Option<InteractionId>),
    post: Statement,
) -> sqlx::Result<Verdict> {
    let now = app.clock.now();
    let (object_id, updated) = (post.id.clone(), post.updated);
    let published = post.published.filter(|published| *published <= now).unwrap_or(inbound.received_at);
    let words = Words::of(post);
    let reply = NewReply {
        id: InteractionId(app.ids.row()),
        article: article.id,
        author: remote.id,
        activity_id: &inbound.activity_id,
        object_id: &object_id,
        parent,
        words: &words,
        published,
        updated,
    };
    interaction::store::insert_reply(conn, &reply, now).await?;
    delivery::store::reach(conn, article.id, remote.shared_inbox.unwrap_or(remote.inbox)).await?;
    store::wake_waiting(conn, &object_id, now).await?;
    let to = if parent.is_some() { "a reply to a reply to" } else { "a reply to" };
    Ok(Verdict::new(Outcome::Accepted, format!("{to} “{}”", article.content.title)))
}

/// A post that is known: newer words replace older ones, its author stays (E5, E9).
async fn edited(
    conn: &mut Conn,
    remote: &Remote,
    known: &interaction::Reply,
    post: Statement,
) -> sqlx::Result<Verdict> {
    if known.author != remote.id {
        return Ok(Verdict::new(Outcome::Declined, "the reply is somebody else's"));
    }
    if known.ended_at.is_some() {
        return Ok(Verdict::new(Outcome::Ignored, "the reply was deleted"));
    }
    let as_of = post.updated.or(post.published).unwrap_or(Timestamp::from_millis(0));
    if as_of <= known.as_of {
        return Ok(Verdict::new(Outcome::Ignored, "the reply is known in these words or newer ones"));
    }
    interaction::store::edit_reply(conn, known.id, &Words::of(post), as_of).await?;
    Ok(Verdict::new(Outcome::Accepted, "the reply has new words"))
}

/// Delete of a post by who wrote it; of an unknown one it is remembered, should that come late (D7, E10, T8).
pub(super) async fn deleted(
    app: &App,
    conn: &mut Conn,
    inbound: &Inbound,
    incoming: &Incoming,
) -> sqlx::Result<Verdict> {
    let Some(id) = object(incoming) else {
        return Ok(Verdict::new(Outcome::Declined, "it deletes nothing that has an id"));
    };
    let Some(known) = interaction::store::reply(conn, id).await? else {
        return Ok(Verdict::new(Outcome::Ignored, "nothing of that id is known; remembered, should it come late"));
    };
    let author = remote::store::by_url(conn, &inbound.actor).await?;
    if author.is_none_or(|author| author.id != known.author) {
        return Ok(Verdict::new(Outcome::Deferred, "it is not its author's; moderators are not known yet"));
    }
    interaction::store::end_reply(conn, known.id, app.clock.now()).await?;
    Ok(Verdict::new(Outcome::Accepted, "the reply is gone"))
}
