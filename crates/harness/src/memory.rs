//! A network in memory: names lead to routers, so that a whole fediverse fits in one process and one thread.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::header::HOST;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::wire::{HangUp, Wire};

/// Why a request in memory got no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    /// Nobody has that name: what a resolver would say.
    #[error("no host is called {0}")]
    UnknownHost(String),
    /// The host is down: what a refused connection would say.
    #[error("{0} refuses connections")]
    Refused(String),
    /// The host took the request and closed the connection.
    #[error("{0} closed the connection without an answer")]
    Closed(String),
    /// The address has no host.
    #[error("`{0}` is no absolute address")]
    NoHost(String),
}

#[derive(Clone, Default)]
struct Place {
    router: Router,
    down: bool,
    delay: Duration,
}

/// Names (`host` or `host:port`) and what answers there; clones share them.
#[derive(Clone, Default)]
pub struct MemoryNet {
    places: Arc<Mutex<HashMap<String, Place>>>,
}

impl MemoryNet {
    /// A network where nobody lives yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `router` answer for `host` (`host[:port]`, the port only where it is not the scheme's own).
    pub fn host(&self, host: &str, router: Router) {
        self.places().entry(host.to_owned()).or_default().router = router;
    }

    /// Forgets a name, as when a domain lapses.
    pub fn remove(&self, host: &str) {
        self.places().remove(host);
    }

    /// Takes a host down for every request, or back up.
    pub fn set_down(&self, host: &str, down: bool) {
        if let Some(place) = self.places().get_mut(host) {
            place.down = down;
        }
    }

    /// Makes every answer of a host wait; zero ends it.
    pub fn set_slow(&self, host: &str, delay: Duration) {
        if let Some(place) = self.places().get_mut(host) {
            place.delay = delay;
        }
    }

    /// Carries a request with an absolute address to whoever has that name, as a socket would: the handler sees the
    /// path alone and a `Host`, and runs to its end even if the caller gives up.
    ///
    /// # Errors
    /// When nobody answers there.
    pub async fn dispatch(&self, request: Request<Bytes>) -> Result<Response<Body>, MemoryError> {
        let (request, host) = as_received(request)?;
        let place = self.places().get(&host).cloned().ok_or_else(|| MemoryError::UnknownHost(host.clone()))?;
        if place.down {
            return Err(MemoryError::Refused(host));
        }
        if !place.delay.is_zero() {
            tokio::time::sleep(place.delay).await;
        }
        let handled = tokio::spawn(place.router.oneshot(request.map(Body::from))).await;
        // A handler that panics closes the connection, as it would on a socket.
        let Ok(Ok(answer)) = handled else { return Err(MemoryError::Closed(host)) };
        if answer.extensions().get::<HangUp>().is_some() { Err(MemoryError::Closed(host)) } else { Ok(answer) }
    }

    fn places(&self) -> MutexGuard<'_, HashMap<String, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request in the form in which a server reads it from a connection, and the name it goes to.
fn as_received(request: Request<Bytes>) -> Result<(Request<Bytes>, String), MemoryError> {
    let (mut parts, body) = request.into_parts();
    let no_host = || MemoryError::NoHost(parts.uri.to_string());
    let name = parts.uri.host().ok_or_else(no_host)?.to_ascii_lowercase();
    let usual = if parts.uri.scheme_str() == Some("https") { 443 } else { 80 };
    let host = match parts.uri.port_u16() {
        Some(port) if port != usual => format!("{name}:{port}"),
        _ => name,
    };
    if !parts.headers.contains_key(HOST) {
        parts.headers.insert(HOST, HeaderValue::from_str(&host).map_err(|_| no_host())?);
    }
    if let Some(path) = parts.uri.path_and_query() {
        parts.uri = Uri::from(path.clone());
    }
    Ok((Request::from_parts(parts, body), host))
}

impl Wire for MemoryNet {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, String>> {
        Box::pin(async move {
            let answer = self.dispatch(request).await.map_err(|error| error.to_string())?;
            let (parts, body) = answer.into_parts();
            let body = body.collect().await.map_err(|error| error.to_string())?;
            Ok(Response::from_parts(parts, body.to_bytes()))
        })
    }
}
