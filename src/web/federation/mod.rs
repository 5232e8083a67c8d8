//! What other servers read: actors, articles, collections and activities, each at exactly its id; and the inboxes.

mod collections;
pub(super) mod inbox;
mod reader;

use activitypub_federation::config::Data;
use axum::extract::{OriginalUri, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use http::header::HOST;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Uri};
use uuid::Uuid;

use self::reader::Reader;
use super::answer::{Document, Form, Personal};
use super::error::Failure;
use super::pages;
use super::prepared::{Asked, Basis, Made, Prepared};
use super::redirect::lead_to;
use crate::activitypub::actor::{ActorKind, keys_alone, tombstone};
use crate::activitypub::outgoing::quote_permission;
use crate::activitypub::urls::Local;
use crate::app::App;
use crate::db::{Conn, Topic};
use crate::federation::outbox;
use crate::model::author::{self, Actor};
use crate::model::interaction::{self, Note, State};
use crate::model::post::{self, Article};

/// Every address under `/ap` that is read.
const READ: [&str; 18] = [
    "/ap/instance",
    "/ap/instance/outbox",
    "/ap/actors/{uuid}",
    "/ap/actors/{uuid}/outbox",
    "/ap/actors/{uuid}/followers",
    "/ap/actors/{uuid}/following",
    "/ap/actors/{uuid}/featured",
    "/ap/articles/{uuid}",
    "/ap/articles/{uuid}/replies",
    "/ap/articles/{uuid}/likes",
    "/ap/articles/{uuid}/shares",
    "/ap/notes/{uuid}",
    "/ap/notes/{uuid}/replies",
    "/ap/notes/{uuid}/likes",
    "/ap/notes/{uuid}/shares",
    "/ap/quotes/{uuid}",
    "/ap/activities/{uuid}",
    "/ap/contexts/{uuid}",
];

pub(super) fn routes() -> Router {
    // A personal inbox takes what the shared one takes, also of an actor that is gone or never was: a 404 or 410 there
    // makes other servers drop us (interop R5, T22). `/inbox` is the shared one too: PieFed sends reports there
    // (interop U8).
    let inboxes = ["/ap/inbox", "/inbox", "/ap/actors/{uuid}/inbox"];
    let inboxes = inboxes.iter().fold(Router::new(), |router, path| router.route(path, post(inbox::take)));
    READ.iter().fold(inboxes, |router, path| router.route(path, get(read)))
}

/// The headers with a Host: HTTP/2 has it in the address, and signatures cover `host` all the same (interop C16).
fn with_host(mut headers: HeaderMap, uri: &Uri) -> HeaderMap {
    if !headers.contains_key(HOST)
        && let Some(authority) = uri.authority()
        && let Ok(host) = HeaderValue::try_from(authority.as_str())
    {
        headers.insert(HOST, host);
    }
    headers
}

const UNKNOWN: Failure = Failure::NotFound("Nothing of ours has this id.");

/// Answers with the object of an id; an id must match byte for byte (interop A22).
async fn read(
    data: Data<App>,
    Extension(prepared): Extension<Prepared>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Result<Response, Failure> {
    let app: &App = &data;
    let local = app.urls.local(&format!("{}{}", app.urls.origin(), uri.path())).ok_or(UNKNOWN)?;
    let mut asked = request.into_parts().0;
    asked.headers = with_host(asked.headers, &uri);
    asked.uri = uri;
    let reader = reader::admit(app, &local, &asked).await?;
    let read = || document(app, &local, &asked, &reader);
    let made = match asked.extensions.get::<Asked>() {
        Some(Asked(key)) if !reader.sees_keys_alone() => prepared.get(app, key, read).await,
        _ => read().await.map(Made::Alone),
    };
    if let Some(article) = made.as_ref().ok().and_then(Made::article) {
        reader.remember(app, article);
    }
    let mut answer = match made {
        Ok(made) => made.respond(&asked).await,
        Err(failure) => failure.into_response(),
    };
    if reader.is_personal() {
        answer.extensions_mut().insert(Personal);
    }
    Ok(answer)
}

async fn document(app: &App, local: &Local, asked: &Parts, reader: &Reader) -> Result<Response, Failure> {
    let (local, headers) = (local.clone(), &asked.headers);
    let mut basis = Basis::of(app, &[Topic::Actors, Topic::Articles]);
    let mut conn = app.db.read().await?;
    let conn = &mut *conn;
    let answer = match local {
        Local::Instance => {
            let instance = author::store::instance(conn).await?.ok_or(UNKNOWN)?;
            actor(app, conn, &instance, headers, reader).await?
        }
        Local::Actor(uuid) => {
            let who = standing_actor(app, conn, uuid, &local).await?;
            actor(app, conn, &who, headers, reader).await?
        }
        Local::Article(uuid) => {
            let found = standing_article(app, conn, uuid, &local).await?;
            note_article(app, &mut basis, &found);
            basis.article = Some(found.id);
            article(app, conn, &found, headers).await?
        }
        Local::Note(uuid) => {
            let (_, article) = standing_note(app, conn, uuid, &local).await?;
            note_article(app, &mut basis, &article);
            // A client that reads the conversation may have the article too.
            basis.article = Some(article.id);
            // Its state is a part of the conversation.
            let (found, article) = standing_note(app, conn, uuid, &local).await?;
            note(app, conn, &found, &article, headers).await?
        }
        Local::Quote(uuid) => return quote(app, conn, uuid).await,
        Local::Activity(uuid) => {
            basis.until(post::store::next_expiry(conn, app.clock.now()).await?);
            activity(app, conn, uuid).await?
        }
        other => collection(app, conn, &other, &asked.uri, &mut basis).await?,
    };
    Ok(basis.mark(answer))
}

/// Notes that what is made shows what is said below an article, for as long as that is public.
fn note_article(app: &App, basis: &mut Basis, article: &Article) {
    basis.add(app, Topic::Conversation(article.id));
    basis.until(article.expires_at);
}

async fn actor(
    app: &App,
    conn: &mut Conn,
    who: &Actor,
    headers: &HeaderMap,
    reader: &Reader,
) -> Result<Response, Failure> {
    if Form::wanted(headers) == Form::Page {
        return lead_to(&app.urls.profile(&who.handle));
    }
    let document = outbox::documents::actor(app, conn, who).await?;
    let document = document.ok_or_else(|| Failure::Broken(format!("actor @{} has no keys", who.handle)))?;
    let shown = if reader.sees_keys_alone() { keys_alone(&document) } else { document };
    Ok(Document::activity(&shown).into_response())
}

/// The article for programs; people read it on the site's own page (interop B24).
async fn article(app: &App, conn: &mut Conn, found: &Article, headers: &HeaderMap) -> Result<Response, Failure> {
    if Form::wanted(headers) == Form::Page {
        return lead_to(&found.url);
    }
    Ok(Document::activity(&outbox::documents::article(app, conn, found).await?).into_response())
}

/// An answer of one of our authors for programs; people read it below the article on our own page: not every site shows
/// its conversations.
async fn note(
    app: &App,
    conn: &mut Conn,
    found: &Note,
    article: &Article,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    if Form::wanted(headers) == Form::Page {
        return lead_to(&pages::post::place_of(app, conn, article, found.id).await?);
    }
    Ok(Document::activity(&outbox::documents::note(app, conn, found).await?).into_response())
}

/// The permission of a quote, for as long as the quote is shown: hiding or deleting it revokes the permission
/// (FEP-044f).
async fn quote(app: &App, conn: &mut Conn, uuid: Uuid) -> Result<Response, Failure> {
    let quote = interaction::store::post_by_uuid(conn, uuid).await?;
    let elsewhere = |quote: &interaction::Reply| matches!(quote.author, interaction::Author::Remote(_));
    let quote = quote.filter(|quote| elsewhere(quote) && quote.state == State::Shown).ok_or(UNKNOWN)?;
    let article = post::store::article(conn, quote.article).await?.ok_or(UNKNOWN)?;
    let article = standing(app, article, &Local::Quote(uuid))?;
    let owner = author::store::actor(conn, article.owner).await?.ok_or(UNKNOWN)?;
    let (id, author) = (app.urls.quote(uuid), owner.url(&app.urls));
    let permission = quote_permission(&id, &author, &quote.object_id, &app.urls.article(article.uuid));
    Ok(Document::activity(&permission).into_response())
}

async fn activity(app: &App, conn: &mut Conn, uuid: Uuid) -> Result<Response, Failure> {
    let (body, gone) = outbox::store::public_activity(conn, uuid, app.clock.now()).await?.ok_or(UNKNOWN)?;
    if gone {
        return Err(Failure::Gone("What this activity was about has been taken down."));
    }
    Ok(Document::activity(&body).into_response())
}

async fn collection(
    app: &App,
    conn: &mut Conn,
    local: &Local,
    uri: &Uri,
    basis: &mut Basis,
) -> Result<Response, Failure> {
    let id = app.urls.of(local);
    let document = match *local {
        Local::InstanceOutbox => collections::never_filled(&id),
        Local::Outbox(uuid) => {
            let who = standing_actor(app, conn, uuid, local).await?;
            basis.until(post::store::next_expiry(conn, app.clock.now()).await?);
            collections::outbox(conn, &who, &id, uri.query(), app.clock.now()).await?
        }
        Local::Followers(uuid) => {
            let who = standing_actor(app, conn, uuid, local).await?;
            basis.add(app, Topic::Followers(who.id));
            collections::followers(conn, &who, &id).await?
        }
        Local::Following(uuid) | Local::Featured(uuid) => {
            standing_actor(app, conn, uuid, local).await?;
            collections::nothing_chosen(local, &id)
        }
        Local::Replies(uuid) => {
            let found = standing_article(app, conn, uuid, local).await?;
            note_article(app, basis, &found);
            collections::replies(app, conn, &found, (&id, uri.query())).await?
        }
        Local::Likes(uuid) | Local::Shares(uuid) => {
            let found = standing_article(app, conn, uuid, local).await?;
            note_article(app, basis, &found);
            collections::tally(conn, &found, local, &id).await?
        }
        Local::NoteReplies(uuid) => {
            let (_, article) = standing_note(app, conn, uuid, local).await?;
            note_article(app, basis, &article);
            let (found, _) = standing_note(app, conn, uuid, local).await?;
            collections::note_replies(app, conn, &found, (&id, uri.query())).await?
        }
        Local::NoteLikes(uuid) | Local::NoteShares(uuid) => {
            let (_, article) = standing_note(app, conn, uuid, local).await?;
            note_article(app, basis, &article);
            let (found, _) = standing_note(app, conn, uuid, local).await?;
            collections::note_tally(conn, &found, local, &id).await?
        }
        Local::Context(uuid) => {
            let found = post::store::article_by_context(conn, uuid).await?.ok_or(UNKNOWN)?;
            let found = standing(app, found, local)?;
            note_article(app, basis, &found);
            collections::conversation(app, conn, &found, (&id, uri.query())).await?
        }
        _ => return Err(UNKNOWN),
    };
    Ok(Document::activity(&document).into_response())
}

/// An actor under `/ap/actors`: the instance is not one of them.
async fn standing_actor(app: &App, conn: &mut Conn, uuid: Uuid, asked: &Local) -> Result<Actor, Failure> {
    let who = author::store::actor_by_uuid(conn, uuid).await?;
    let who = who.filter(|who| who.kind != ActorKind::Application).ok_or(UNKNOWN)?;
    match who.deleted_at {
        None => Ok(who),
        Some(at) if matches!(asked, Local::Actor(_)) => {
            Err(Failure::Buried(tombstone(&who.url(&app.urls), who.kind.as_str(), at)))
        }
        Some(_) => Err(Failure::Gone("The actor has been deleted.")),
    }
}

async fn standing_article(app: &App, conn: &mut Conn, uuid: Uuid, asked: &Local) -> Result<Article, Failure> {
    let found = post::store::article_by_uuid(conn, uuid).await?.ok_or(UNKNOWN)?;
    standing(app, found, asked)
}

fn standing(app: &App, found: Article, asked: &Local) -> Result<Article, Failure> {
    let now = app.clock.now();
    if found.stands(now) {
        return Ok(found);
    }
    if !matches!(asked, Local::Article(_)) {
        return Err(Failure::Gone("The article has been taken down."));
    }
    let since = found.deleted_at.or(found.expires_at).unwrap_or(now);
    Err(Failure::Buried(tombstone(&app.urls.article(found.uuid), "Article", since)))
}

/// An answer of one of our authors that is shown, with its article; one that a moderator hid is not found.
async fn standing_note(app: &App, conn: &mut Conn, uuid: Uuid, asked: &Local) -> Result<(Note, Article), Failure> {
    let note = interaction::store::note_by_uuid(conn, uuid).await?.ok_or(UNKNOWN)?;
    let article = post::store::article(conn, note.article).await?.ok_or(UNKNOWN)?;
    let now = app.clock.now();
    if note.ended_at.is_none() && article.stands(now) {
        return if note.state == State::Shown { Ok((note, article)) } else { Err(UNKNOWN) };
    }
    if !matches!(asked, Local::Note(_)) {
        return Err(Failure::Gone("The answer has been taken down."));
    }
    let since = note.ended_at.or(article.deleted_at).or(article.expires_at).unwrap_or(now);
    Err(Failure::Buried(tombstone(&app.urls.note(uuid), "Note", since)))
}
