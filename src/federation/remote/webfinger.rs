//! A WebFinger query (RFC 7033) about a reader who gives us their handle.

use std::time::Duration;

use bytes::Bytes;
use http::header::ACCEPT;
use http::{Request, StatusCode};
use url::Url;

use crate::activitypub::intent::{Finding, Reader};
use crate::app::App;
use crate::net::client::{Limits, Reply, Wanted};
use crate::net::redirects::{self, RedirectError};

/// Kept short, since a reader waits for it.
const TIME_LIMIT: Duration = Duration::from_secs(8);

/// Largest answer, in bytes.
const SIZE_LIMIT: usize = 64 * 1024;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Missed {
    /// The server knows nobody of this name.
    #[error("the server knows nobody of this name")]
    Unknown,
    /// It may work later, or the server has no WebFinger.
    #[error("{0}")]
    Unreachable(String),
}

impl From<RedirectError> for Missed {
    fn from(error: RedirectError) -> Self {
        Self::Unreachable(error.to_string())
    }
}

/// Asks a reader's server about them; `None` where they named a server alone.
pub(crate) async fn find(app: &App, reader: &Reader) -> Result<Option<Finding>, Missed> {
    let Some(resource) = reader.resource() else { return Ok(None) };
    let mut at = reader.server.clone();
    at.set_path("/.well-known/webfinger");
    at.query_pairs_mut().append_pair("resource", &resource);
    let found = tokio::time::timeout(TIME_LIMIT, ask(app, at)).await;
    found.unwrap_or_else(|_| Err(Missed::Unreachable("the server did not answer in time".to_owned()))).map(Some)
}

async fn ask(app: &App, first: Url) -> Result<Finding, Missed> {
    let unreachable = |why: String| Missed::Unreachable(why);
    let is_redirect = |reply: &Reply| reply.status.is_redirection();
    let found = redirects::follow(&first, is_redirect, |at| get(app, at)).await?;
    let (at, reply) = (found.at, found.reply);
    match reply.status {
        StatusCode::OK => {
            let document = serde_json::from_slice(&reply.body);
            let document = document.map_err(|_| unreachable(format!("{at} is no webfinger answer")))?;
            Ok(Finding { document, at })
        }
        // The ways in which servers say so (interop A4).
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::BAD_REQUEST => Err(Missed::Unknown),
        status => Err(unreachable(format!("{at} answered {status}"))),
    }
}

async fn get(app: &App, at: Url) -> Result<Reply, Missed> {
    let request = Request::get(at.as_str()).header(ACCEPT, "application/jrd+json, application/json");
    let request = request.body(Bytes::new()).map_err(|error| Missed::Unreachable(error.to_string()))?;
    let limits = Limits { total: TIME_LIMIT, wanted: Wanted::Whole(SIZE_LIMIT) };
    app.net.send(request, limits).await.map_err(|error| Missed::Unreachable(error.to_string()))
}
