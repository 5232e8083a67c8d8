//! Deletes one of our actors: first each article and answer, then the actor, told to everyone who may know of them
//! (interop D14).

use crate::app::App;
use crate::base::ids::ActorId;
use crate::model::author;
use crate::model::interaction::{self, store::NotesToEnd};
use crate::model::post;

/// Articles and answers that end in one transaction, so that it holds up nobody.
const CHUNK: i64 = 200;

/// Deletes an actor for ever, with their articles and answers, and withholds the posts; returns how many articles. The
/// outbox sends the Deletes, in that order. It is decided in one transaction; if this process dies then, the outbox
/// ends what still stands.
pub async fn delete_actor(app: &App, id: ActorId) -> sqlx::Result<usize> {
    let now = app.clock.now();
    app.db.decide(move |conn| Box::pin(async move { author::store::set_deleted(conn, id, now).await })).await?;
    let mut articles = 0;
    loop {
        let ended = end_some(app, id).await?;
        articles += ended.articles;
        if ended == Ended::default() {
            return Ok(articles);
        }
    }
}

/// What was ended of a deleted actor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ended {
    articles: usize,
    notes: usize,
}

/// Ends the next articles and answers of a deleted actor; nothing, where nothing of theirs stands any more.
pub(super) async fn end_some(app: &App, id: ActorId) -> sqlx::Result<Ended> {
    let now = app.clock.now();
    app.db
        .decide(move |conn| {
            Box::pin(async move {
                let articles = post::store::standing_articles(conn, id, CHUNK).await?;
                for article in &articles {
                    // Else the next scan would publish them anew, in the team account's name.
                    post::store::withhold_post(conn, article.id, now).await?;
                    post::store::delete_article(conn, article.id, now).await?;
                }
                let notes = interaction::store::end_notes(conn, NotesToEnd::Author(id), CHUNK, now).await?;
                Ok(Ended { articles: articles.len(), notes })
            })
        })
        .await
}
