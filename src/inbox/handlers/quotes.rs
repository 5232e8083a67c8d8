//! Quotes of our articles: posts that quote them, and requests for permission (FEP-044f, interop E20).

use clock::Timestamp;

use super::super::store::fetch_queue;
use super::super::{FetchJob, Inbound, Purpose, Verdict, store};
use super::reading::Brought;
use super::{object, place, posts};
use crate::activitypub::incoming::{Incoming, same_origin};
use crate::activitypub::outgoing::{self, ActivityMeta, QuoteRequest};
use crate::app::App;
use crate::base::ids::Ids;
use crate::db::Conn;
use crate::federation::outbox::{Audience, Outgoing, publish};
use crate::model::interaction::{self, State};

/// `QuoteRequest`: a quote of what everyone may quote is accepted, with the address of the permission, without which
/// Mastodon does not show the quote.
pub(super) async fn requested(
    app: &App,
    conn: &mut Conn,
    inbound: &Inbound,
    incoming: &Incoming,
    brought: Brought,
) -> sqlx::Result<Verdict> {
    let article = place::article(app, conn, object(incoming)).await?;
    let Some(article) = article.filter(|article| article.stands(app.clock.now())) else {
        return Ok(Verdict::declined("it asks to quote nothing of ours"));
    };
    let Some(quote) = incoming.named("instrument") else {
        return Ok(Verdict::declined("it does not name the post that quotes"));
    };
    let Some(remote) = inbound.author.clone() else {
        return Ok(Verdict::declined("its actor is gone"));
    };
    if interaction::store::post(conn, &quote).await?.is_none()
        && let Some(verdict) = take_in(app, conn, inbound, &quote, brought).await?
    {
        return Ok(verdict);
    }
    let known = interaction::store::post(conn, &quote).await?;
    let Some((known, uuid)) = known.and_then(|post| post.uuid.map(|uuid| (post, uuid))) else {
        return Ok(Verdict::declined("what it names does not quote an article of ours"));
    };
    if known.author != interaction::Author::Remote(remote.id) || known.article != article.id {
        return Ok(Verdict::declined("the quote is somebody else's, or of another article"));
    }
    if known.state != State::Shown {
        let why = format!("the quote is {}, so it is not granted", known.state.as_str());
        // Asked again once a moderator lets it in.
        return Ok(Verdict { waits_for: Some((quote, Purpose::Post)), ..Verdict::declined(why) });
    }
    // Hidden, its permission is taken back: let in again, it is given anew.
    let decided = interaction::store::ruling(conn, known.id).await?.decided;
    let owner = crate::model::author::store::actor(conn, article.owner).await?.ok_or(sqlx::Error::RowNotFound)?;
    let (activity, now) = (Ids::uuid(), app.clock.now());
    let (owner_url, article_url, stamp) = (owner.url(&app.urls), app.urls.article(article.uuid), app.urls.quote(uuid));
    let request =
        QuoteRequest { id: &inbound.activity_id, actor: &inbound.actor, object: &article_url, instrument: &quote };
    let outgoing = Outgoing {
        cause: format!("quote:{}:{}", inbound.id, decided.map_or(0, Timestamp::millis)),
        because: Some(inbound.id),
        article: Some(article.id),
        ..Outgoing::new(
            activity,
            owner.id,
            "Accept",
            Audience::One { inbox: remote.inbox, holds: None },
            outgoing::accept_quote(&ActivityMeta::new(&app.urls, activity, now), &owner_url, &request, &stamp),
        )
    };
    publish(conn, &outgoing, now).await?;
    let verdict = Verdict::accepted(format!("may quote “{}”", article.content.title));
    Ok(Verdict { waits_for: Some((quote, Purpose::Post)), ..verdict })
}

/// The quoting post itself: from the request, if its author sent it, else fetched at its origin. A verdict where that
/// ends the matter for now.
async fn take_in(
    app: &App,
    conn: &mut Conn,
    inbound: &Inbound,
    quote: &str,
    brought: Brought,
) -> sqlx::Result<Option<Verdict>> {
    if let Brought::Post(Ok(post)) = brought
        && post.author == inbound.actor
        && same_origin(&post.id, &inbound.actor)
    {
        let verdict = posts::told(app, conn, inbound, *post).await?;
        if verdict.outcome != super::super::Outcome::Accepted {
            return Ok(Some(verdict));
        }
        store::follow_up(conn, &[&verdict], app.clock.now()).await?;
        return Ok(None);
    }
    Ok(match fetch_queue::ended_since(conn, quote, Purpose::Post, inbound.received_at).await? {
        None => Some(Verdict::until_read(
            format!("{quote} is read at its origin first"),
            FetchJob::now(quote, Purpose::Post),
        )),
        Some((outcome, why)) if outcome != "read" => {
            Some(Verdict::declined(format!("the quote cannot be read at its origin: {why}")))
        }
        Some(_) => None,
    })
}
