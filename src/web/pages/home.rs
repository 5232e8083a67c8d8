//! The home page: which communities live here.

use activitypub_federation::config::Data;
use askama::Template;

use super::{page, place};
use crate::app::App;
use crate::web::answer::Document;
use crate::web::error::Failure;
use crate::{author, post};

#[derive(Template)]
#[template(path = "home.html", config = "src/web/pages/askama.toml")]
struct Home<'a> {
    place: &'a str,
    communities: Vec<Listed>,
}

/// A community as the page shows it.
struct Listed {
    name: String,
    address: String,
    profile: String,
    /// Clean HTML.
    summary: String,
    authors: i64,
    articles: i64,
}

pub(super) async fn show(data: Data<App>) -> Result<Document, Failure> {
    let mut conn = data.db.read().await?;
    let mut communities = Vec::new();
    for community in author::store::communities(&mut conn).await? {
        let group = author::store::actor(&mut conn, community.group).await?.ok_or(sqlx::Error::RowNotFound)?;
        let (authors, articles) = post::store::count_in_community(&mut conn, community.id).await?;
        communities.push(Listed {
            address: data.urls.acct(&group.handle),
            profile: data.urls.profile(&group.handle),
            name: group.name,
            summary: group.summary,
            authors,
            articles,
        });
    }
    page(&Home { place: place(&data), communities })
}
