//! Where in our conversations a post is: by what it answers, and where that is not known, by what its origin says of it.

use super::super::seeker::DEEPEST;
use super::super::store::wanted;
use super::super::{FETCHED, Inbound, Purpose, Verdict, Want};
use crate::activity::incoming::Statement;
use crate::app::App;
use crate::db::Conn;
use crate::ids::InteractionId;
use crate::interaction::Kind;
use crate::interaction::named::{Named, named};
use crate::post::{self, Article};

/// Where in our conversations a post is.
pub(super) enum Place {
    /// It answers the article, or something that was said of it.
    In(Box<Article>, Option<InteractionId>),
    /// It may be in one as soon as more is known: of what it answers.
    Unknown(String),
    /// It is in none.
    Nowhere(&'static str),
}

/// Where a post is: by the first that it answers of ours, wherever that stands among what it answers.
pub(super) async fn place_of(app: &App, conn: &mut Conn, post: &Statement) -> sqlx::Result<Place> {
    let mut best = None;
    for answered in post.in_reply_to.iter().chain(&post.also_in_reply_to) {
        let place = conversation(app, conn, answered).await?;
        match (&place, &best) {
            (Place::In(..), _) => return Ok(place),
            (_, None) | (Place::Unknown(_), Some(Place::Nowhere(_))) => best = Some(place),
            _ => {}
        }
    }
    Ok(best.unwrap_or(Place::Nowhere("it answers nothing of ours")))
}

async fn conversation(app: &App, conn: &mut Conn, answered: &str) -> sqlx::Result<Place> {
    let (article, parent) = match named(conn, &app.urls, answered).await? {
        Some(Named::Article(article)) => (Some(*article), None),
        // A quote begins a thread of its own, which is not ours.
        Some(Named::Said(said)) if said.kind != Kind::Reply => {
            return Ok(Place::Nowhere("it answers somebody's own post about an article of ours"));
        }
        Some(Named::Said(reply)) => (post::store::article(conn, reply.article).await?, Some(reply.id)),
        Some(Named::Several(_)) => {
            return Ok(Place::Nowhere("several replies say that what it answers is their page"));
        }
        None if app.urls.is_ours(answered) => {
            return Ok(Place::Nowhere("it answers nothing of ours that can be answered"));
        }
        None => return Ok(Place::Unknown(answered.to_owned())),
    };
    Ok(match article {
        Some(article) if article.stands(app.clock.now()) => Place::In(Box::new(article), parent),
        Some(_) => Place::Nowhere("it answers an article that was taken down"),
        None => Place::Nowhere("it answers nothing of ours"),
    })
}

/// A post whose parent is not known: that is read at its origin, and its parent, until the thread reaches us, or is seen
/// not to (interop E7).
pub(super) async fn climb(
    conn: &mut Conn,
    inbound: &Inbound,
    post: &Statement,
    parent: String,
) -> sqlx::Result<Verdict> {
    let (depth, article) = if inbound.path == FETCHED { wanted::depth_of(conn, &post.id).await? } else { (0, None) };
    let waits_for = Some((parent.clone(), Purpose::Post));
    if depth >= DEEPEST {
        let why = format!("its thread does not reach us within {DEEPEST} steps");
        return Ok(Verdict { waits_for, ..Verdict::declined(why) });
    }
    if let Some((outcome, why)) = wanted::ended_since(conn, &parent, Purpose::Post, inbound.received_at).await? {
        let why = match outcome.as_str() {
            "read" => format!("it answers {parent}, which is in no conversation of ours so far"),
            _ => format!("it answers {parent}, which cannot be read: {why}"),
        };
        return Ok(Verdict { waits_for, ..Verdict::declined(why) });
    }
    let want = Want { article, depth: depth + 1, ..Want::now(parent, Purpose::Post) };
    Ok(Verdict::until_read("what it answers is read first, to see whether it reaches us", want))
}

/// The article of ours that a post quotes.
pub(super) async fn quoted(app: &App, conn: &mut Conn, post: &Statement) -> sqlx::Result<Option<Article>> {
    article(app, conn, post.quotes.as_deref()).await
}

/// The article of ours at an address.
pub(super) async fn article(app: &App, conn: &mut Conn, url: Option<&str>) -> sqlx::Result<Option<Article>> {
    let Some(url) = url else { return Ok(None) };
    Ok(named(conn, &app.urls, url).await?.and_then(Named::article))
}
