//! What an operator decides about one post: unpublish it for good, or publish it again.

use super::apply::{self, Writers};
use super::plan::{self, Rules};
use super::store;
use super::sync::SyncError;
use crate::app::App;
use crate::base::ids::PostId;
use crate::model::author;
use crate::model::post::{self, PostState};

/// Withholds a post: its article is deleted, and no scan brings it back until it is published again.
pub async fn unpublish(app: &App, id: PostId) -> Result<(), SyncError> {
    let now = app.clock.now();
    app.db
        .decide(move |conn| {
            Box::pin(async move {
                let post = post::store::post(conn, id).await?.ok_or(sqlx::Error::RowNotFound)?;
                post::store::withhold(conn, id, now).await?;
                if let Some(article) = post.article {
                    post::store::delete_article(conn, article, now).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Ends the withholding of a post, and returns its new state: a published one gets a new article (interop R4), which
/// followers are sent when it is young enough, or when `deliver` is true. One that was only listed is sent then.
pub(crate) async fn publish(app: &App, id: PostId, deliver: bool) -> Result<PostState, SyncError> {
    let (sources, post) = {
        let mut conn = app.db.read().await?;
        (store::known(&mut conn).await?, post::store::post(&mut conn, id).await?.ok_or(sqlx::Error::RowNotFound)?)
    };
    let source = sources.into_iter().find(|source| source.id == post.source_id);
    let source = source.ok_or_else(|| SyncError::Unknown(post.source_id.to_string()))?;
    let configured = app.config.sources.iter().find(|configured| configured.name == source.name);
    let removal_grace = configured.map(|configured| configured.removal_grace).unwrap_or_default();
    let writer = app.clone();
    app.db
        .decide(move |conn| {
            Box::pin(async move {
                // Read in the transaction, so that a sync meanwhile is not written over.
                let mut post = post::store::post(conn, id).await?.ok_or(sqlx::Error::RowNotFound)?;
                if matches!(post.state, PostState::Missing | PostState::Held | PostState::Removed) {
                    // A vanished file does not come back by this.
                    return Ok(post.state);
                }
                post.withheld_at = None;
                post::store::release(conn, id).await?;
                let rules = Rules {
                    now: writer.clock.now(),
                    imported: source.imported_at.is_some(),
                    push_within: writer.config.publishing.push_within,
                    removal_grace,
                    keep_moved_away: false,
                    confirm: false,
                    deliver: deliver.then_some(post.key.as_str()),
                };
                let step = plan::step_for_entry(&post.entry, Some(&post), &rules);
                let community = author::store::community(conn, source.community).await?;
                let community = community.ok_or(sqlx::Error::RowNotFound)?;
                let writers = Writers::load(conn, source.id, &community).await?;
                apply::step(conn, &writer, &source, &writers, &step).await?;
                Ok(step.state)
            })
        })
        .await
}
