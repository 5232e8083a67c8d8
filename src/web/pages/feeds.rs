//! Feeds of an author or a community, for readers without the fediverse: Atom (RFC 4287) and JSON Feed 1.1.

use activitypub_federation::config::Data;
use atom_syndication::{Category, Content, Entry, Feed, Generator, Link, Person, Text};
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, FixedOffset};
use clock::Timestamp;
use http::HeaderValue;
use http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use serde::Serialize;

use super::listed::title;
use super::profile::standing;
use crate::activitypub::actor::ActorKind;
use crate::app::App;
use crate::db::Topic;
use crate::model::author::Actor;
use crate::model::post::{self, Article};
use crate::web::answer::Document;
use crate::web::error::Failure;
use crate::web::prepared::Basis;

/// Articles in a feed.
const SHOWN: i64 = 30;

const ATOM: &str = "application/atom+xml; charset=utf-8";
const JSON: &str = "application/feed+json; charset=utf-8";

/// What both kinds are made of.
struct Facts {
    who: Actor,
    articles: Vec<Article>,
    /// `None` of a community and of the editors: then each article names its author.
    author: Option<String>,
    title: String,
    basis: Basis,
}

impl Facts {
    async fn read(app: &App, written: &str) -> Result<Self, Failure> {
        let mut basis = Basis::of(app, &[Topic::Actors, Topic::Articles]);
        let mut conn = app.db.read().await?;
        basis.until(post::store::next_expiry(&mut conn, app.clock.now()).await?);
        let who = standing(&mut conn, written).await?;
        if who.kind == ActorKind::Application {
            return Err(Failure::NotFound("This server itself publishes nothing."));
        }
        let articles = post::store::spoken_of(&mut conn, who.id, (0, SHOWN), app.clock.now()).await?;
        let name = if who.name.trim().is_empty() { who.handle.to_string() } else { who.name.clone() };
        let author = (who.kind == ActorKind::Person).then(|| name.clone());
        Ok(Self { articles, author, title: format!("{name} ({})", app.urls.handle_domain()), basis, who })
    }

    fn address(&self, app: &App, kind: &str) -> String {
        format!("{}/feed.{kind}", app.urls.profile(&self.who.handle))
    }

    /// The authors of an article, as its page names them.
    fn authors<'a>(&'a self, article: &'a Article) -> Vec<&'a str> {
        let byline: Vec<&str> = article.content.byline.iter().map(String::as_str).collect();
        if byline.is_empty() { self.author.as_deref().into_iter().collect() } else { byline }
    }

    fn updated(&self) -> Timestamp {
        let updated = self.articles.iter().map(|article| article.updated_at.unwrap_or(article.published_at)).max();
        updated.unwrap_or(self.who.created_at)
    }
}

pub(super) async fn atom(data: Data<App>, Path(handle): Path<String>) -> Result<Response, Failure> {
    let app: &App = &data;
    let facts = Facts::read(app, &handle).await?;
    let link = |rel: &str, href: String, kind: &str| Link {
        rel: rel.to_owned(),
        href,
        mime_type: Some(kind.to_owned()),
        ..Link::default()
    };
    let feed = Feed {
        title: Text::plain(facts.title.clone()),
        id: facts.who.url(&app.urls),
        updated: date(facts.updated()),
        authors: facts.author.iter().map(|name| named(name)).collect(),
        generator: Some(Generator { value: "Veerpont".to_owned(), ..Generator::default() }),
        links: vec![
            link("self", facts.address(app, "atom"), "application/atom+xml"),
            link("alternate", app.urls.profile(&facts.who.handle), "text/html"),
        ],
        entries: facts.articles.iter().map(|article| entry(app, &facts, article)).collect(),
        ..Feed::default()
    };
    Ok(facts.basis.mark(for_everyone(Document::text(ATOM, feed.to_string()))))
}

fn entry(app: &App, facts: &Facts, article: &Article) -> Entry {
    let content = &article.content;
    Entry {
        title: Text::plain(title(article)),
        id: app.urls.article(article.uuid),
        published: Some(date(article.published_at)),
        updated: date(article.updated_at.unwrap_or(article.published_at)),
        authors: facts.authors(article).into_iter().map(named).collect(),
        categories: content.tags.iter().map(|tag| Category { term: tag.clone(), ..Category::default() }).collect(),
        links: vec![Link { rel: "alternate".to_owned(), href: article.url.clone(), ..Link::default() }],
        summary: (!content.summary.is_empty()).then(|| Text::html(html::clean(&content.summary))),
        content: Some(Content {
            lang: (!content.language.is_empty()).then(|| content.language.clone()),
            value: Some(html::clean(&content.content)),
            content_type: Some("html".to_owned()),
            ..Content::default()
        }),
        ..Entry::default()
    }
}

fn named(name: &str) -> Person {
    Person { name: name.to_owned(), ..Person::default() }
}

fn date(at: Timestamp) -> DateTime<FixedOffset> {
    at.date_time().fixed_offset()
}

/// A feed as <https://jsonfeed.org/version/1.1> has it.
#[derive(Serialize)]
struct JsonFeed<'a> {
    version: &'static str,
    title: &'a str,
    home_page_url: String,
    feed_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<JsonAuthor<'a>>,
    items: Vec<JsonItem<'a>>,
}

#[derive(Serialize)]
struct JsonAuthor<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct JsonItem<'a> {
    id: String,
    url: &'a str,
    title: String,
    content_html: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a str>,
    date_published: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_modified: Option<String>,
    authors: Vec<JsonAuthor<'a>>,
    tags: &'a [String],
    #[serde(skip_serializing_if = "str::is_empty")]
    language: &'a str,
}

pub(super) async fn json(data: Data<App>, Path(handle): Path<String>) -> Result<Response, Failure> {
    let app: &App = &data;
    let facts = Facts::read(app, &handle).await?;
    let item = |article| json_item(app, &facts, article);
    let feed = JsonFeed {
        version: "https://jsonfeed.org/version/1.1",
        title: &facts.title,
        home_page_url: app.urls.profile(&facts.who.handle),
        feed_url: facts.address(app, "json"),
        icon: facts.who.icon.as_ref().map(|icon| icon.url.as_str()),
        authors: facts.author.iter().map(|name| JsonAuthor { name }).collect(),
        items: facts.articles.iter().map(item).collect(),
    };
    let body =
        serde_json::to_string(&feed).map_err(|error| Failure::Broken(format!("cannot write a feed: {error}")))?;
    Ok(facts.basis.clone().mark(for_everyone(Document::text(JSON, body))))
}

fn json_item<'a>(app: &App, facts: &'a Facts, article: &'a Article) -> JsonItem<'a> {
    let content = &article.content;
    let summary = html::text(&content.summary);
    JsonItem {
        id: app.urls.article(article.uuid),
        url: &article.url,
        title: title(article),
        content_html: html::clean(&content.content),
        summary: (!summary.is_empty()).then_some(summary),
        image: content.image.as_ref().map(|image| image.url.as_str()),
        date_published: article.published_at.rfc3339(),
        date_modified: article.updated_at.map(Timestamp::rfc3339),
        authors: facts.authors(article).into_iter().map(|name| JsonAuthor { name }).collect(),
        tags: &content.tags,
        language: &content.language,
    }
}

/// Scripts of other sites read feeds too.
fn for_everyone(feed: Document) -> Response {
    ([(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"))], feed).into_response()
}
