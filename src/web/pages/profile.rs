//! An actor's page: who this is, how to follow, and what they published.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use activitypub_federation::config::Data;
use askama::Template;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;

use super::{day, page, place};
use crate::activity::actor::ActorKind;
use crate::app::App;
use crate::author::{self, Actor};
use crate::db::Conn;
use crate::ids::Handle;
use crate::web::answer::{Form, lead_to};
use crate::web::error::Failure;
use crate::{outbox, post};

/// Articles on a page.
const SHOWN: i64 = 50;

#[derive(Template)]
#[template(path = "profile.html", config = "src/web/pages/askama.toml")]
struct Profile<'a> {
    place: &'a str,
    /// The actor's id.
    id: String,
    name: &'a str,
    address: String,
    /// What is followed here, for people.
    kind: &'static str,
    /// Clean HTML.
    summary: &'a str,
    articles: Vec<Listed>,
}

/// An article as the page shows it.
struct Listed {
    title: String,
    url: String,
    language: String,
    /// Whose it is, where the page is another's.
    by: Option<String>,
    /// For programs.
    published: String,
    /// For people.
    day: String,
}

pub(super) async fn show(
    data: Data<App>,
    Path(written): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    const NOBODY: Failure = Failure::NotFound("Nobody here goes by this name.");
    let handle = Handle::parse(&written).map_err(|_| NOBODY)?;
    let mut conn = data.db.read().await?;
    let who = author::store::actor_by_handle(&mut conn, &handle).await?.ok_or(NOBODY)?;
    if who.deleted_at.is_some() {
        return Err(Failure::Gone("This profile has been deleted."));
    }
    let id = who.url(&data.urls);
    // An id is served at its own address alone (interop A22).
    if Form::wanted(&headers) == Form::Document {
        return lead_to(&id);
    }
    if handle.as_str() != written {
        return lead_to(&data.urls.profile(&handle));
    }
    let articles = articles(&data, &mut conn, &who).await?;
    let profile = Profile {
        place: place(&data),
        id,
        name: if who.name.trim().is_empty() { who.handle.as_str() } else { &who.name },
        address: data.urls.acct(&who.handle),
        kind: kind(who.kind),
        summary: &who.summary,
        articles,
    };
    Ok(page(&profile)?.into_response())
}

const fn kind(kind: ActorKind) -> &'static str {
    match kind {
        ActorKind::Person => "Author",
        ActorKind::Group => "Community",
        ActorKind::Service => "Editors",
        ActorKind::Application => "This server",
    }
}

/// The newest articles that the actor published or shared.
async fn articles(app: &App, conn: &mut Conn, who: &Actor) -> sqlx::Result<Vec<Listed>> {
    let mut names = BTreeMap::from([(who.id, None)]);
    let mut listed = Vec::new();
    for id in outbox::store::spoken_of(conn, who.id, SHOWN, app.clock.now()).await? {
        let Some(article) = post::store::article(conn, id).await? else { continue };
        if let Entry::Vacant(name) = names.entry(article.owner) {
            let owner = author::store::actor(conn, article.owner).await?;
            name.insert(owner.map(|owner| owner.name));
        }
        let title = article.content.title;
        listed.push(Listed {
            title: if title.trim().is_empty() { article.url.clone() } else { title },
            url: article.url,
            language: article.content.language,
            by: names.get(&article.owner).cloned().flatten(),
            published: article.published_at.rfc3339(),
            day: day(article.published_at),
        });
    }
    Ok(listed)
}
