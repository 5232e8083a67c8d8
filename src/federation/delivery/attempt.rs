//! One attempt at a delivery: the stored body, signed at the moment of sending.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request};

use super::Waiting;
use crate::activitypub::outgoing;
use crate::app::App;
use crate::federation::signed_requests;
use crate::model::author;
use crate::model::interaction::{self, State};
use crate::model::post;
use crate::net::client::{Limits, Reply, SendError, Wanted};

/// Longest wait for a host's answer; servers promise one within nine seconds (interop D1).
const TIME_LIMIT: Duration = Duration::from_secs(15);

/// What became of an attempt.
pub(crate) enum Attempt {
    /// Nothing was sent: the article was deleted or has expired since (docs/architecture.md#publishing), the note was
    /// deleted or hidden, or the actor whose profile it shows was deleted.
    Withdrawn,
    /// The host answered, or did not.
    Sent {
        answer: Result<Reply, SendError>,
        /// Whether the object was embedded.
        embedded: bool,
    },
}

/// Tries to deliver.
///
/// # Errors
/// When the database fails or the actor's key cannot be used: our fault, not the peer's.
pub(crate) async fn attempt(app: &App, waiting: &Waiting) -> anyhow::Result<Attempt> {
    let actor = {
        let mut conn = app.db.read().await?;
        if let Some(article) = waiting.article
            && waiting.kind != "Delete"
        {
            let article = post::store::article(&mut conn, article).await?;
            if !article.is_some_and(|article| article.stands(app.clock.now())) {
                return Ok(Attempt::Withdrawn);
            }
        }
        if let Some(said) = waiting.said
            && matches!(waiting.kind.as_str(), "Create" | "Update")
        {
            let note = interaction::store::post_by_row(&mut conn, said).await?;
            if !note.is_some_and(|note| note.state == State::Shown) {
                return Ok(Attempt::Withdrawn);
            }
        }
        let actor = author::store::actor(&mut conn, waiting.actor).await?;
        let is_gone = actor.as_ref().is_some_and(|actor| actor.deleted_at.is_some());
        if is_gone && waiting.kind == "Update" {
            return Ok(Attempt::Withdrawn);
        }
        actor
    };
    let actor =
        actor.ok_or_else(|| anyhow::anyhow!("the actor of activity {} is not in the database", waiting.activity))?;
    // A 413 helps only where there is an object to leave out, and once.
    let shorter = outgoing::by_reference(&waiting.body);
    let embedded = shorter.is_some() && !waiting.by_reference;
    let body = Bytes::from(shorter.filter(|_| waiting.by_reference).unwrap_or_else(|| waiting.body.clone()));
    let request = Request::builder()
        .method(Method::POST)
        .uri(waiting.url.as_str())
        .header(CONTENT_TYPE, activitypub_federation::FEDERATION_CONTENT_TYPE)
        .body(body)?;
    let limits = Limits { total: TIME_LIMIT, wanted: Wanted::Status };
    let answer = signed_requests::deliver(app, &actor, waiting.activity, &request, limits).await?;
    Ok(Attempt::Sent { answer, embedded })
}
