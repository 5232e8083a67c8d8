//! Lists of articles on pages.

use std::collections::HashMap;

use super::Frame;
use crate::app::App;
use crate::base::ids::ActorId;
use crate::model::author::Actor;
use crate::model::post::Article;
use crate::web::conversation::page_of;

/// An article in a list.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) title: String,
    /// The site's own page.
    pub(super) url: String,
    /// Our page, with the conversation.
    pub(super) page: String,
    pub(super) language: String,
    /// Its author, where the page is another's.
    pub(super) by: Option<String>,
    /// For programs.
    pub(super) published: String,
    /// For people.
    pub(super) day: String,
}

/// All our actors by row.
pub(super) type Owners = HashMap<ActorId, Actor>;

pub(super) async fn owners(conn: &mut crate::db::Conn) -> sqlx::Result<Owners> {
    let actors = crate::model::author::store::actors(conn).await?;
    Ok(actors.into_iter().map(|actor| (actor.id, actor)).collect())
}

/// Articles for the page of `whose`, or of everyone.
pub(super) fn listed(
    app: &App,
    frame: &Frame<'_>,
    articles: Vec<Article>,
    owners: &Owners,
    whose: ActorId,
) -> Vec<Listed> {
    let show = |article: Article| {
        let owner = owners.get(&article.owner)?;
        let page = page_of(app, owner, &article);
        let title = title(&article);
        Some(Listed {
            title,
            page,
            url: article.url,
            language: article.content.language,
            by: (article.owner != whose).then(|| owner.name.clone()),
            published: article.published_at.rfc3339(),
            day: frame.say.day(article.published_at),
        })
    };
    articles.into_iter().filter_map(show).collect()
}

/// The title of an article; its address where it has none.
pub(super) fn title(article: &Article) -> String {
    let title = article.content.title.trim();
    if title.is_empty() { article.url.clone() } else { title.to_owned() }
}
