//! A post's conversation as JSON: for our own web component, and in the shape that comment widgets read from Mastodon.

mod mastodon;

use activitypub_federation::config::Data;
use axum::extract::{Path, RawQuery};
use axum::middleware::{from_fn, map_response};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use bytes::Bytes;
use http::HeaderValue;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS};
use serde_json::Value;
use uuid::Uuid;

pub(super) use crate::model::interaction::conversation::{Conversation, document, fitting, page_of, person, replies};

use super::answer::Document;
use super::discovery::parameter;
use super::error::Failure;
use super::prepared::{Basis, Prepared, keep, rendered};
use crate::app::App;
use crate::base::ids::ArticleId;
use crate::db::{Conn, Topic};
use crate::model::interaction::conversation::media::MediaUrls;
use crate::model::interaction::named::{Named, named};
use crate::model::interaction::store::{ConversationPage, Order};
use crate::model::interaction::{self, Author, Kind};
use crate::model::post::{self, Article};
use crate::site::source;

pub(super) const PAGE: i64 = 200;

/// Most replies in Mastodon's shape, which has no pages.
const CONTEXT: i64 = 1000;

/// Most people in Mastodon's shape, and how many by default.
const LISTED: (i64, i64) = (80, 40);

const JSON: &str = "application/json";

const UNKNOWN: Failure = Failure::NotFound("No article of ours belongs to this page (yet).");

pub(super) fn routes() -> Router {
    Router::new()
        .route("/api/v1/conversation", get(conversation))
        .route("/api/v1/statuses/{id}", get(status))
        .route("/api/v1/statuses/{id}/context", get(context))
        .route(
            "/api/v1/statuses/{id}/favourited_by",
            get(async |data, prepared, id, query| people(data, prepared, id, query, Kind::Like).await),
        )
        .route(
            "/api/v1/statuses/{id}/reblogged_by",
            get(async |data, prepared, id, query| people(data, prepared, id, query, Kind::Boost).await),
        )
        .layer(map_response(readable_by_all))
        .layer(from_fn(keep))
}

/// For scripts on the pages of sites.
async fn readable_by_all(mut response: Response) -> Response {
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response.headers_mut().insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("etag"));
    response
}

async fn conversation(
    data: Data<App>,
    Extension(prepared): Extension<Prepared>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let app: &App = &data;
    let query = query.as_deref();
    let from = from(query)?;
    let basis = basis(app);
    let mut conn = app.db.read().await?;
    let article = asked_for(app, &mut conn, query).await?.ok_or(UNKNOWN)?;
    drop(conn);
    let article = standing(app, article)?;
    let page = ConversationPage { order: Order::Time, from, limit: PAGE };
    let show = |app: &App, conversation: &Conversation| {
        document::conversation(app, conversation, &mut MediaUrls::for_others(app))
    };
    answer_json(app, &prepared, basis, (&article, "conversation", page), show).await
}

/// What a conversation is made from, before it is known of which article.
fn basis(app: &App) -> Basis {
    Basis::of(app, &[Topic::Actors, Topic::Articles])
}

/// What the conversation of an article is made from.
pub(super) fn topics(article: ArticleId) -> [Topic<'static>; 3] {
    [Topic::Actors, Topic::Article(article), Topic::Conversation(article)]
}

/// An article that everyone may see now, read again since it may have changed.
pub(super) async fn read_again(app: &App, conn: &mut Conn, id: ArticleId) -> Result<Article, Failure> {
    standing(app, post::store::article(conn, id).await?.ok_or(UNKNOWN)?)
}

/// A conversation in a shape of JSON, read and rendered only if it is not prepared.
async fn answer_json(
    app: &App,
    prepared: &Prepared,
    basis: Basis,
    (article, shape, page): (&Article, &str, ConversationPage),
    show: fn(&App, &Conversation) -> Value,
) -> Result<Response, Failure> {
    let id = article.id;
    let make = async {
        let mut conn = app.db.read().await?;
        let article = read_again(app, &mut conn, id).await?;
        let conversation = Conversation::read(app, &mut conn, article, page).await?;
        drop(conn);
        let app = app.clone();
        rendered(move || Ok(show(&app, &conversation).to_string())).await
    };
    answer(app, prepared, basis, article, format!("{shape} {}", page.from), make).await
}

async fn answer(
    app: &App,
    prepared: &Prepared,
    mut basis: Basis,
    article: &Article,
    what: String,
    make: impl Future<Output = Result<Bytes, Failure>> + Send,
) -> Result<Response, Failure> {
    basis.add(app, Topic::Conversation(article.id));
    basis.until(article.expires_at);
    let body = prepared.body(app, format!("{what} {}", article.id), &topics(article.id), make).await?;
    Ok(basis.mark(Document::text(JSON, body)))
}

/// Where the page begins that is asked for.
pub(super) fn from(query: Option<&str>) -> Result<i64, Failure> {
    let Some(text) = parameter(query, "from") else { return Ok(0) };
    let number = text.parse::<i64>().ok().filter(|number| (0..1_000_000_000).contains(number));
    number.ok_or_else(|| Failure::Bad("Ask with ?from= and a whole number, or follow `next`.".to_owned()))
}

/// The article that a query names, the deleted ones too.
async fn asked_for(app: &App, conn: &mut Conn, query: Option<&str>) -> Result<Option<Article>, Failure> {
    if let Some(id) = parameter(query, "id") {
        return Ok(named(conn, &app.urls, &id).await?.and_then(Named::article));
    }
    if let Some(key) = parameter(query, "key") {
        return by_key(conn, &key, parameter(query, "source").as_deref()).await;
    }
    if let Some(page) = parameter(query, "url") {
        return Ok(named(conn, &app.urls, &page).await?.and_then(Named::article));
    }
    Err(Failure::Bad(
        "Ask with ?url= and the address of the post's page, ?key= and its key, or ?id= and its id.".to_owned(),
    ))
}

async fn by_key(conn: &mut Conn, key: &str, source: Option<&str>) -> Result<Option<Article>, Failure> {
    let mut posts = post::store::posts_by_key(conn, key).await?;
    if let Some(name) = source {
        let sources = source::store::known(conn).await?;
        let id = sources.iter().find(|source| source.name == name).map(|source| source.id);
        posts.retain(|post| Some(post.source_id) == id);
    }
    if posts.len() > 1 {
        return Err(Failure::Bad("Several sources have a post with this key: name one with &source=.".to_owned()));
    }
    match posts.first().and_then(|post| post.article) {
        Some(id) => Ok(post::store::article(conn, id).await?),
        None => Ok(None),
    }
}

/// An article that everyone may see now.
pub(super) fn standing(app: &App, article: Article) -> Result<Article, Failure> {
    if article.stands(app.clock.now()) {
        Ok(article)
    } else {
        Err(Failure::Gone("The article of this page has been taken down."))
    }
}

/// An article by the UUID in its id.
async fn by_uuid(app: &App, id: &str) -> Result<Article, Failure> {
    const UNKNOWN: Failure =
        Failure::NotFound("No article of ours has this id: ask with the last part of its id, a UUID.");
    let uuid = Uuid::try_parse(id).map_err(|_| UNKNOWN)?;
    let mut conn = app.db.read().await?;
    let article = post::store::article_by_uuid(&mut conn, uuid).await?.ok_or(UNKNOWN)?;
    standing(app, article)
}

async fn status(
    data: Data<App>,
    Extension(prepared): Extension<Prepared>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let app: &App = &data;
    let basis = basis(app);
    let article = by_uuid(app, &id).await?;
    let page = ConversationPage { order: Order::Time, from: 0, limit: 0 };
    let show =
        |app: &App, conversation: &Conversation| mastodon::status(app, conversation, &mut MediaUrls::for_others(app));
    answer_json(app, &prepared, basis, (&article, "status", page), show).await
}

async fn context(
    data: Data<App>,
    Extension(prepared): Extension<Prepared>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let app: &App = &data;
    let basis = basis(app);
    let article = by_uuid(app, &id).await?;
    let row = article.id;
    let make = async {
        let mut conn = app.db.read().await?;
        let article = read_again(app, &mut conn, row).await?;
        let page = ConversationPage { order: Order::Time, from: 0, limit: CONTEXT };
        let mut replies = interaction::store::conversation(&mut conn, &app.urls, article.id, page).await?;
        drop(conn);
        replies.truncate(fitting(&replies));
        let app = app.clone();
        rendered(move || {
            let (root, owner) = (id_of(&article), Author::Local(article.owner));
            Ok(mastodon::context(&app, &root, &owner, &replies, &mut MediaUrls::for_others(&app)).to_string())
        })
        .await
    };
    answer(app, &prepared, basis, &article, "context".to_owned(), make).await
}

/// The id of an article in Mastodon's shape.
fn id_of(article: &Article) -> String {
    article.uuid.to_string()
}

async fn people(
    data: Data<App>,
    Extension(prepared): Extension<Prepared>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    kind: Kind,
) -> Result<Response, Failure> {
    let app: &App = &data;
    let (most, usual) = LISTED;
    let limit = match parameter(query.as_deref(), "limit") {
        None => usual,
        Some(text) => text
            .parse::<i64>()
            .ok()
            .filter(|limit| *limit > 0)
            .map(|limit| limit.min(most))
            .ok_or_else(|| Failure::Bad(format!("Ask with ?limit= and a whole number from 1 to {most}.")))?,
    };
    let basis = basis(app);
    let article = by_uuid(app, &id).await?;
    let row = article.id;
    let make = async {
        let mut conn = app.db.read().await?;
        read_again(app, &mut conn, row).await?;
        let people = interaction::store::people(&mut conn, &app.urls, row, kind, limit).await?;
        let people = people.iter().map(|(who, _)| who);
        Ok(Bytes::from(mastodon::accounts(app, people, &mut MediaUrls::for_others(app)).to_string()))
    };
    answer(app, &prepared, basis, &article, format!("{} {limit}", kind.as_str()), make).await
}
