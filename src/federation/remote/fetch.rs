//! Reads a document from another server: signed by the instance, redirects followed by hand, believed only from its
//! origin.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use serde_json::Value;
use url::Url;

use crate::activitypub::incoming;
use crate::app::App;
use crate::base::ids::Host;
use crate::federation::signed_requests;
use crate::model::author::{self, Actor};
use crate::net::client::{Limits, Reply, SendError, Wanted};
use crate::net::redirects::{self, RedirectError};

/// Our `Accept` header (interop A21).
const ACCEPTED: &str =
    r#"application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams""#;

/// Longest wait for a whole document.
const TIME_LIMIT: Duration = Duration::from_secs(15);

/// Largest document, in bytes after decompression (interop G5).
const SIZE_LIMIT: usize = 1024 * 1024;

/// Why there is no document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// It may be there later: the sender is told to come back.
    #[error("{0}")]
    Temporary(String),
    /// Its server cannot be reached, or answers that it is overloaded: do not ask it for anything else just now.
    #[error("{why}")]
    Unavailable {
        /// Which server.
        host: Host,
        /// For people.
        why: String,
    },
    /// Its server says that it is gone for ever.
    #[error("it is gone (410)")]
    Gone,
    /// It is not there (404).
    #[error("{0}")]
    Absent(String),
    /// It is forbidden, or not to be believed.
    #[error("{0}")]
    Refused(String),
    /// Our own database or key failed.
    #[error("{0}")]
    Internal(String),
}

impl From<RedirectError> for FetchError {
    fn from(error: RedirectError) -> Self {
        Self::Refused(error.to_string())
    }
}

/// A document, and where it was found.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The address that was asked for, without its fragment.
    pub(crate) asked: Url,
    /// The address where it was found, after redirects.
    pub(crate) at: Url,
    /// Whether a redirect on the way left the origin that was asked.
    left_origin: bool,
    pub(crate) document: Value,
}

impl Fetched {
    /// Whether this is what the server of `id` shows under that id: found on its origin, and either found at the id
    /// itself or asked for by it and redirected there by its own origin alone. So nobody speaks for another's address
    /// (CVE-2024-23832, interop A22). Ids are compared as URLs: without regard to a slash after the host, capitals in
    /// it, or the default port.
    pub(crate) fn speaks_for(&self, id: &str) -> bool {
        let id_is = |url: &Url| incoming::same_address(id, url.as_str());
        incoming::same_origin(id, self.at.as_str()) && (id_is(&self.at) || (id_is(&self.asked) && !self.left_origin))
    }
}

/// Fetches an ActivityPub document; the caller checks that it speaks for its `id`.
pub async fn document(app: &App, url: &str) -> Result<Fetched, FetchError> {
    let mut asked = Url::parse(url).map_err(|_| FetchError::Refused(format!("`{url}` is not an address")))?;
    asked.set_fragment(None);
    let instance = &instance(app).await?;
    let is_redirect = |reply: &Reply| matches!(reply.status.as_u16(), 301 | 302 | 303 | 307 | 308);
    let found = redirects::follow(&asked, is_redirect, |at| get(app, instance, at)).await?;
    let document = read(&found.at, &found.reply)?;
    Ok(Fetched { asked, at: found.at, left_origin: found.left_origin, document })
}

async fn get(app: &App, instance: &Actor, at: Url) -> Result<Reply, FetchError> {
    if app.urls.hosts().iter().any(|host| Host::of(&at).as_ref() == Some(*host)) {
        return Err(FetchError::Refused(format!("`{at}` is an address of ours")));
    }
    let request = Request::builder()
        .method(Method::GET)
        .uri(at.as_str())
        .header(ACCEPT, ACCEPTED)
        .body(Bytes::new())
        .map_err(|error| FetchError::Refused(error.to_string()))?;
    let limits = Limits { total: TIME_LIMIT, wanted: Wanted::Whole(SIZE_LIMIT) };
    let sent = signed_requests::send(app, instance, &request, limits).await;
    match sent.map_err(|error| FetchError::Internal(format!("{error:#}")))? {
        Ok(reply) => Ok(reply),
        Err(error @ (SendError::Refused(_) | SendError::TooLarge { .. })) => {
            Err(FetchError::Refused(error.to_string()))
        }
        Err(error @ (SendError::Timeout | SendError::Connect(_) | SendError::Tls(_))) => {
            Err(unavailable(&at, error.to_string()))
        }
        Err(error @ SendError::Broken(_)) => Err(FetchError::Temporary(error.to_string())),
    }
}

fn unavailable(at: &Url, why: String) -> FetchError {
    match Host::of(at) {
        Some(host) => FetchError::Unavailable { host, why },
        None => FetchError::Temporary(why),
    }
}

fn read(at: &Url, reply: &Reply) -> Result<Value, FetchError> {
    match reply.status {
        StatusCode::OK => {}
        StatusCode::GONE => return Err(FetchError::Gone),
        StatusCode::NOT_FOUND => return Err(FetchError::Absent(format!("{at} answered 404 Not Found"))),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            return Err(unavailable(at, format!("{at} answered {}", reply.status)));
        }
        status if status == StatusCode::REQUEST_TIMEOUT || status.is_server_error() => {
            return Err(FetchError::Temporary(format!("{at} answered {status}")));
        }
        status => return Err(FetchError::Refused(format!("{at} answered {status}"))),
    }
    let media_type = reply.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !is_activity_json(media_type) {
        // A page or an upload of a user's must never be taken for a document (CVE-2024-25623, interop G6).
        return Err(FetchError::Refused(format!(
            "{at} answered with `{media_type}`, which is no ActivityPub document"
        )));
    }
    incoming::document(&reply.body).map_err(|why| FetchError::Refused(format!("{at} is no document: {why}")))
}

/// Whether a media type is that of an ActivityPub document, in any case and spacing (interop C18, G6).
pub(crate) fn is_activity_json(media_type: &str) -> bool {
    let Ok(parsed) = media_type.parse::<mime::Mime>() else { return false };
    match parsed.essence_str() {
        "application/activity+json" => true,
        "application/ld+json" => parsed
            .get_param("profile")
            .is_some_and(|profile| profile.as_str().split(' ').any(|one| one == crate::activitypub::ACTIVITY_STREAMS)),
        _ => false,
    }
}

async fn instance(app: &App) -> Result<Actor, FetchError> {
    let ours = |error: String| FetchError::Internal(error);
    let instance = {
        let mut conn = app.db.read().await.map_err(|error| ours(error.to_string()))?;
        author::store::instance(&mut conn).await.map_err(|error| ours(error.to_string()))?
    };
    instance.ok_or_else(|| ours("the instance actor is not founded".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::is_activity_json;

    #[test]
    fn media_types_of_documents_g6() {
        for good in [
            "application/activity+json",
            "application/activity+json; charset=utf-8",
            "Application/Activity+JSON;charset=utf-8",
            r#"application/ld+json; profile="https://www.w3.org/ns/activitystreams""#,
            r#"application/ld+json;profile="https://www.w3.org/ns/activitystreams";charset=utf-8"#,
        ] {
            assert!(is_activity_json(good), "{good}");
        }
        for bad in
            ["", "text/html", "application/json", "application/ld+json", "image/png", "application/activity+jsonx"]
        {
            assert!(!is_activity_json(bad), "{bad}");
        }
    }
}
