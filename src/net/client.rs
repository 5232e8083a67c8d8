//! The one outgoing client: every request of ours goes through here, under the operator's rules and hard limits.

mod connector;
mod error;
#[cfg(test)]
mod tests;
mod tls;
mod transport;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::header::{HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use tower::ServiceExt;
use tower_http::decompression::Decompression;
use url::Url;

pub use self::error::{ClientError, SendError};
use self::transport::Transport;
use super::address::Gate;
use crate::config;
use crate::ids::Host;

/// How much one exchange may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the first look-up to the last byte of the body.
    pub total: Duration,
    /// The longest body taken, in bytes, counted after decompression.
    pub body: usize,
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status, whatever it is; a redirect is handed back, not followed.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed.
    pub body: Bytes,
}

/// Carries requests without a network: the fediverse in one process that tests run.
pub trait Wire: Send + Sync {
    /// Answers one request.
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Body>, SendError>>;
}

/// The one outgoing client; cheap to clone, its clones share their connections.
#[derive(Clone)]
pub struct Client {
    gate: Gate,
    user_agent: HeaderValue,
    transport: Decompression<Transport>,
}

impl Client {
    /// A client on the real network.
    ///
    /// # Errors
    /// When `extra_ca_file` cannot be read, or `user_agent` is no header value.
    pub fn network(network: &config::Network, user_agent: String) -> Result<Self, ClientError> {
        let gate = Gate::new(network);
        let user_agent = HeaderValue::try_from(user_agent).map_err(|_| ClientError::UserAgent)?;
        let transport = Transport::network(network, gate.clone())?;
        Ok(Self { gate, user_agent, transport: Decompression::new(transport) })
    }

    /// A client whose requests go to `wire`. Addresses are checked as on the network, as far as their form goes.
    ///
    /// # Errors
    /// When `user_agent` is no header value.
    pub fn memory(wire: Arc<dyn Wire>, network: &config::Network, user_agent: String) -> Result<Self, ClientError> {
        let user_agent = HeaderValue::try_from(user_agent).map_err(|_| ClientError::UserAgent)?;
        Ok(Self { gate: Gate::new(network), user_agent, transport: Decompression::new(Transport::Memory(wire)) })
    }

    /// Sends a request and reads its answer, whatever its status. Redirects are not followed, proxies of the
    /// environment not used. Sets User-Agent, and Host where it is missing.
    ///
    /// # Errors
    /// What went wrong, told apart by what a caller does next.
    pub async fn send(&self, mut request: Request<Bytes>, limits: Limits) -> Result<Reply, SendError> {
        let url = Url::parse(&request.uri().to_string())
            .map_err(|_| SendError::Refused(format!("{} is not a whole address", request.uri().path())))?;
        self.gate.check_url(&url).map_err(|refused| SendError::Refused(refused.to_string()))?;
        let host = Host::of(&url).and_then(|host| HeaderValue::try_from(host.as_str()).ok());
        let headers = request.headers_mut();
        if let (false, Some(host)) = (headers.contains_key(HOST), host) {
            headers.insert(HOST, host);
        }
        headers.insert(USER_AGENT, self.user_agent.clone());
        let exchange = exchange(self.transport.clone(), request.map(Full::new), limits.body);
        tokio::time::timeout(limits.total, exchange).await.unwrap_or(Err(SendError::Timeout))
    }

    /// What this client may reach.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.gate
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("gate", &self.gate).finish_non_exhaustive()
    }
}

async fn exchange(
    transport: Decompression<Transport>,
    request: Request<Full<Bytes>>,
    limit: usize,
) -> Result<Reply, SendError> {
    let (head, body) = transport.oneshot(request).await?.into_parts();
    let read = Limited::new(body, limit).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() { SendError::TooLarge { limit } } else { SendError::broken(&*error) }
    })?;
    Ok(Reply { status: head.status, headers: head.headers, body: read.to_bytes() })
}
