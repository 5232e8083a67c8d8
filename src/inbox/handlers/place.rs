//! Where in our conversations a post is: by what it answers, and where that is not known, by what its origin says of
//! it.

use super::super::fetcher::DEEPEST;
use super::super::store::fetch_queue;
use super::super::{FETCHED, FetchJob, Inbound, Purpose, Verdict};
use crate::activitypub::incoming::IncomingPost;
use crate::app::App;
use crate::base::ids::InteractionId;
use crate::db::Conn;
use crate::model::interaction::Kind;
use crate::model::interaction::named::{Named, named};
use crate::model::post::{self, Article};

/// Where in our conversations a post is.
pub(super) enum ThreadPosition {
    /// It answers the article, or something below it.
    In(Box<Article>, Option<InteractionId>),
    /// Not known before this post, which it answers, was fetched.
    Unknown(String),
    /// It is in none.
    Nowhere(&'static str),
}

/// Where a post is: by the first known one of those that it answers.
pub(super) async fn place_of(app: &App, conn: &mut Conn, post: &IncomingPost) -> sqlx::Result<ThreadPosition> {
    let mut best = None;
    for answered in post.in_reply_to.iter().chain(&post.also_in_reply_to) {
        let place = conversation(app, conn, answered).await?;
        match (&place, &best) {
            (ThreadPosition::In(..), _) => return Ok(place),
            (_, None) | (ThreadPosition::Unknown(_), Some(ThreadPosition::Nowhere(_))) => best = Some(place),
            _ => {}
        }
    }
    Ok(best.unwrap_or(ThreadPosition::Nowhere("it answers nothing of ours")))
}

async fn conversation(app: &App, conn: &mut Conn, answered: &str) -> sqlx::Result<ThreadPosition> {
    let (article, parent) = match named(conn, &app.urls, answered).await? {
        Some(Named::Article(article)) => (Some(*article), None),
        // A quote begins a thread of its own, which is not ours.
        Some(Named::Said(said)) if said.kind != Kind::Reply => {
            return Ok(ThreadPosition::Nowhere("it answers somebody's own post about an article of ours"));
        }
        Some(Named::Said(reply)) => (post::store::article(conn, reply.article).await?, Some(reply.id)),
        Some(Named::Several(_)) => {
            return Ok(ThreadPosition::Nowhere("several replies say that what it answers is their page"));
        }
        None if app.urls.is_ours(answered) => {
            return Ok(ThreadPosition::Nowhere("it answers nothing of ours that can be answered"));
        }
        None => return Ok(ThreadPosition::Unknown(answered.to_owned())),
    };
    Ok(match article {
        Some(article) if article.stands(app.clock.now()) => ThreadPosition::In(Box::new(article), parent),
        Some(_) => ThreadPosition::Nowhere("it answers an article that was taken down"),
        None => ThreadPosition::Nowhere("it answers nothing of ours"),
    })
}

/// A post whose parent is not known: the parent is fetched, and its parent, until the thread reaches us, or is seen not
/// to (interop E7).
pub(super) async fn climb(
    conn: &mut Conn,
    inbound: &Inbound,
    post: &IncomingPost,
    parent: String,
) -> sqlx::Result<Verdict> {
    let (depth, article) =
        if inbound.path == FETCHED { fetch_queue::depth_of(conn, &post.id).await? } else { (0, None) };
    let waits_for = Some((parent.clone(), Purpose::Post));
    if depth >= DEEPEST {
        let why = format!("its thread does not reach us within {DEEPEST} steps");
        return Ok(Verdict { waits_for, ..Verdict::declined(why) });
    }
    if let Some((outcome, why)) = fetch_queue::ended_since(conn, &parent, Purpose::Post, inbound.received_at).await? {
        let why = match outcome.as_str() {
            "read" => format!("it answers {parent}, which is in no conversation of ours so far"),
            _ => format!("it answers {parent}, which cannot be read: {why}"),
        };
        return Ok(Verdict { waits_for, ..Verdict::declined(why) });
    }
    let job = FetchJob { article, depth: depth + 1, ..FetchJob::now(parent, Purpose::Post) };
    Ok(Verdict::until_read("what it answers is read first, to see whether it reaches us", job))
}

/// The article of ours that a post quotes.
pub(super) async fn quoted(app: &App, conn: &mut Conn, post: &IncomingPost) -> sqlx::Result<Option<Article>> {
    article(app, conn, post.quotes.as_deref()).await
}

/// The article of ours at an address.
pub(super) async fn article(app: &App, conn: &mut Conn, url: Option<&str>) -> sqlx::Result<Option<Article>> {
    let Some(url) = url else { return Ok(None) };
    Ok(named(conn, &app.urls, url).await?.and_then(Named::article))
}
