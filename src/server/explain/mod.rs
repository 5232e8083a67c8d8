//! The whole story of one activity, reply, article or block: how it came, how it was proved, what was considered, what became of
//! it, what it changed, and what was sent because of it, to whom, with which answer.

mod blocks;
mod received;
mod sent;

use clock::Timestamp;
use serde::Serialize;

use crate::activitypub::Local;
use crate::app::App;
use crate::db::Conn;
use crate::model::interaction::named::{Named, named};
use crate::model::post::{self, Article};

/// What happened at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// When.
    #[serde(serialize_with = "clock::as_rfc3339")]
    pub at: Timestamp,
    /// What, in a sentence.
    pub what: String,
    /// More of it, a line each.
    pub details: Vec<String>,
}

impl Event {
    fn new(at: Timestamp, what: impl Into<String>) -> Self {
        Self { at, what: what.into(), details: Vec::new() }
    }

    fn with(mut self, detail: impl Into<String>) -> Self {
        self.details.push(detail.into());
        self
    }
}

/// A story.
#[derive(Clone, Debug, Serialize)]
pub struct Story {
    /// Of what.
    pub subject: String,
    /// In order of time.
    pub events: Vec<Event>,
}

/// Most activities of others that one story tells.
const MOST: i64 = 100;

/// Tells the story of what has this id: an activity, a reply or an article, of whoever it is; of a post also by its page or
/// key. `None` when nothing is known of it.
pub async fn story(app: &App, asked: &str) -> sqlx::Result<Option<Story>> {
    let mut conn = app.db.read().await?;
    let conn = &mut *conn;
    let mut events = Vec::new();
    let mut subject = None;
    if let Some(article) = article(app, conn, asked).await? {
        events.extend(sent::of_article(app, conn, &article).await?);
        subject = Some(format!("the article “{}” {}", article.content.title, app.urls.article(article.uuid)));
    }
    if let Some(Local::Activity(uuid)) = app.urls.local(asked) {
        events.extend(sent::of_activity(app, conn, uuid).await?);
        subject = subject.or_else(|| (!events.is_empty()).then(|| format!("our activity {asked}")));
    }
    if app.urls.local(asked).is_none() {
        let heard = received::of_id(app, conn, asked).await?;
        subject = subject.or_else(|| (!heard.is_empty()).then(|| asked.to_owned()));
        events.extend(heard);
    }
    if let Some(Named::Said(said)) = named(conn, &app.urls, asked).await? {
        events.extend(received::of_post(app, conn, &said).await?);
        subject = Some(format!("the {} {}", said.kind.as_str(), said.object_id));
    }
    for (name, thing) in blocks::subjects(asked) {
        let decided = blocks::decided(conn, &thing).await?;
        subject = subject.or_else(|| (!decided.is_empty()).then_some(name));
        events.extend(decided);
    }
    events.sort_by_key(|event| event.at);
    Ok(subject.map(|subject| Story { subject, events }))
}

/// An article by its id, its page or its post's key.
async fn article(app: &App, conn: &mut Conn, asked: &str) -> sqlx::Result<Option<Article>> {
    if let Some(Named::Article(article)) = named(conn, &app.urls, asked).await? {
        return Ok(Some(*article));
    }
    let mut posts = post::store::posts_by_key(conn, asked).await?;
    match posts.pop().and_then(|post| post.article) {
        Some(id) => post::store::article(conn, id).await,
        None => Ok(None),
    }
}
