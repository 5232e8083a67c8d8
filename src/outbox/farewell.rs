//! Deleting one of our actors: first each article and answer, then the actor, told to everyone who may know of them (interop D14).

use crate::app::App;
use crate::author;
use crate::ids::ActorId;
use crate::interaction::{self, store::Ending};
use crate::post;

/// Deletes an actor for ever, with their articles and answers, and withholds the posts; says how many articles. The outbox says it, in that order.
///
/// # Errors
/// The database's.
pub async fn delete_actor(app: &App, id: ActorId) -> sqlx::Result<usize> {
    let now = app.clock.now();
    app.db
        .decide(move |conn| {
            Box::pin(async move {
                let articles = post::store::standing_articles(conn, id).await?;
                // Else the next scan would publish them anew, in the house's name.
                post::store::withhold_posts(conn, id, now).await?;
                for article in &articles {
                    post::store::delete_article(conn, article.id, now).await?;
                }
                interaction::store::end_notes(conn, Ending::Author(id), now).await?;
                author::store::set_deleted(conn, id, now).await?;
                Ok(articles.len())
            })
        })
        .await
}
