//! The home page: the communities of this instance, with their authors and latest posts.

use activitypub_federation::config::Data;
use askama::Template;
use axum::response::Response;
use http::HeaderMap;

use super::account_card::AccountCard;
use super::listed::{Listed, listed, owners};
use super::{Frame, page};
use crate::app::App;
use crate::db::Topic;
use crate::model::interaction::conversation::media::MediaUrls;
use crate::model::{author, post};
use crate::web::conversation::person;
use crate::web::error::Failure;
use crate::web::prepared::Basis;

/// Most authors and posts shown of a community.
const AUTHORS: i64 = 60;
const POSTS: i64 = 10;

#[derive(Template)]
#[template(path = "home.html", config = "src/web/pages/askama.toml")]
struct Home<'a> {
    frame: Frame<'a>,
    communities: Vec<Community>,
}

struct Community {
    name: String,
    address: String,
    handle: String,
    profile: String,
    /// Clean HTML.
    summary: String,
    authors: u64,
    posts: u64,
    faces: Vec<AccountCard>,
    articles: Vec<Listed>,
}

pub(super) async fn show(data: Data<App>, headers: HeaderMap) -> Result<Response, Failure> {
    let app: &App = &data;
    let frame = Frame::new(app, &headers)?;
    let mut album = MediaUrls::for_pages(app);
    let mut basis = Basis::of(app, &[Topic::Actors, Topic::Articles]);
    let mut conn = app.db.read().await?;
    basis.until(post::store::next_expiry(&mut conn, app.clock.now()).await?);
    let owners = owners(&mut conn).await?;
    let mut communities = Vec::new();
    for community in author::store::communities(&mut conn).await? {
        let group = owners.get(&community.group).ok_or(sqlx::Error::RowNotFound)?;
        let (authors, posts) = post::store::count_in_community(&mut conn, community.id).await?;
        let articles = post::store::spoken_of(&mut conn, group.id, (0, POSTS), app.clock.now()).await?;
        let faces = post::store::owners_in_community(&mut conn, community.id, AUTHORS).await?;
        let faces =
            faces.iter().filter_map(|id| owners.get(id)).map(|who| AccountCard::new(&person(app, who), &mut album));
        communities.push(Community {
            address: app.urls.acct(&group.handle),
            handle: group.handle.to_string(),
            profile: app.urls.profile(&group.handle),
            name: group.name.clone(),
            summary: group.summary.clone(),
            authors: u64::try_from(authors).unwrap_or(0),
            posts: u64::try_from(posts).unwrap_or(0),
            faces: faces.collect(),
            articles: listed(app, &frame, articles, &owners, group.id),
        });
    }
    let home = Home { frame, communities };
    Ok(basis.mark(page(&home.frame, &home)?))
}
