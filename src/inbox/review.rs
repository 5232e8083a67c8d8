//! A moderator decides about a post, and what waited for that goes on: a quote request is answered, the rest of its
//! thread is fetched.

use super::store::fetch_queue::Asker;
use super::store::{self, fetch_queue};
use super::{FetchJob, Purpose};
use crate::app::App;
use crate::model::interaction::State;
use crate::moderation::ModerationNote;
use crate::moderation::review::{self, Decision, Impossible};

/// Decides about a post of a remote author, by its id; returns its state then. A post that is approved is fetched at
/// its origin once more, for its present text and the rest of its thread.
///
/// # Errors
/// When it cannot be, or the database fails: then nothing has changed.
pub async fn decide(app: &App, id: &str, decision: Decision, note: ModerationNote) -> Result<State, Impossible> {
    let (ours, id) = (app.clone(), id.to_owned());
    app.db
        .decide(move |conn| {
            Box::pin(async move {
                let state = review::decide(&ours, conn, &id, decision, &note).await?;
                if state == State::Shown {
                    let now = ours.clock.now();
                    store::wake_waiting(conn, &id, Purpose::Post, now).await?;
                    fetch_queue::ask(conn, &ours.ids, &FetchJob::now(id, Purpose::Post), Asker::default(), now).await?;
                }
                Ok(state)
            })
        })
        .await
}
