//! A moderator's word on a post, and what waited for it: whoever asked to quote is answered, the rest of its thread is read.

use super::store::fetch_queue::Asker;
use super::store::{self, fetch_queue};
use super::{FetchJob, Purpose};
use crate::app::App;
use crate::model::interaction::State;
use crate::moderation::Word;
use crate::moderation::review::{self, Decision, Impossible};

/// Decides about a post of somebody elsewhere, by its id; says how it stands then. What is let in is read at its origin once
/// more, for the words it has now and where the rest of its thread is.
///
/// # Errors
/// When it cannot be, or the database fails: then nothing has changed.
pub async fn decide(app: &App, id: &str, decision: Decision, word: Word) -> Result<State, Impossible> {
    let (ours, id) = (app.clone(), id.to_owned());
    app.db
        .decide(move |conn| {
            Box::pin(async move {
                let state = review::decide(&ours, conn, &id, decision, &word).await?;
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
