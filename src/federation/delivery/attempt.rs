//! One attempt at a delivery: the stored body, signed at the moment of sending.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, StatusCode};

use super::Waiting;
use super::facts::Facts;
use crate::activitypub::outgoing;
use crate::app::App;
use crate::federation::signed_requests;
use crate::net::client::{Limits, Reply, SendError, Wanted};

/// Longest wait for a host's answer; servers promise one within nine seconds (interop D1).
const TIME_LIMIT: Duration = Duration::from_secs(15);

/// What became of an attempt.
pub(crate) enum Attempt {
    /// Nothing was sent, since what it is about no longer stands.
    Withdrawn,
    /// The host answered, or did not.
    Sent {
        answer: Result<Reply, SendError>,
        /// Whether the object was embedded; looked at only after a 413.
        embedded: bool,
    },
}

/// Tries to deliver.
///
/// # Errors
/// When the database fails or the actor's key cannot be used: our fault, not the peer's.
pub(super) async fn attempt(app: &App, facts: &Facts, waiting: &Waiting) -> anyhow::Result<Attempt> {
    let keys = facts.keys(app, waiting).await?;
    if !facts.stands(app, waiting, &keys).await? {
        return Ok(Attempt::Withdrawn);
    }
    let stored = facts.body(app, waiting.activity).await?;
    // A 413 helps only where there is an object to leave out, and once.
    let shorter = || std::str::from_utf8(&stored).ok().and_then(outgoing::by_reference);
    let body = if waiting.by_reference { shorter().map(Bytes::from) } else { None };
    let request = Request::builder()
        .method(Method::POST)
        .uri(waiting.url.as_str())
        .header(CONTENT_TYPE, HeaderValue::from_static(activitypub_federation::FEDERATION_CONTENT_TYPE))
        .body(body.unwrap_or_else(|| stored.clone()))?;
    let limits = Limits { total: TIME_LIMIT, wanted: Wanted::Status };
    let answer = signed_requests::deliver(app, &keys, waiting.activity, &request, limits, waiting.capabilities).await?;
    let is_too_large = answer.as_ref().is_ok_and(|reply| reply.status == StatusCode::PAYLOAD_TOO_LARGE);
    let embedded = is_too_large && !waiting.by_reference && shorter().is_some();
    Ok(Attempt::Sent { answer, embedded })
}
