//! The one outgoing client: every request of ours goes through here, within the operator's rules and hard limits.

mod connector;
mod error;
#[cfg(test)]
mod ssrf;
#[cfg(test)]
mod tests;
mod tls;
mod transport;

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, HttpBody};
use bytes::{BufMut, Bytes, BytesMut};
use futures::future::BoxFuture;
use http::header::{HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use moka::future::Cache;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tower::ServiceExt;
use tower_http::decompression::Decompression;
use url::Url;

use self::connector::{Dial, System};
pub(crate) use self::error::ClientError;
pub use self::error::SendError;
use self::transport::Transport;
use super::address::AddressPolicy;
use crate::base::ids::Host;
use crate::config;

/// Until the head of the answer, connecting included; as long as Mastodon waits.
const HEAD: Duration = Duration::from_secs(10);

/// How long a body may pause.
const PAUSE: Duration = Duration::from_secs(5);

/// Least bytes a second of a body, and after how many seconds that counts.
const FLOOR: usize = 1024;
const PATIENCE: usize = 5;

/// Requests to one host at a time (interop G8); others wait within their time limit.
const AT_A_TIME: usize = 8;

const HOSTS: u64 = 10_000;

/// How much is read of a body that is only shown to people, in bytes after decompression.
pub(crate) const GLANCE: usize = 2 * 1024;

/// How long such a body is waited for.
const GLANCE_TIME: Duration = Duration::from_secs(1);

/// Limits of one exchange, and what of it counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// From name resolution to the last byte of the body.
    pub(crate) total: Duration,
    /// Which body is read; only if the status is 200. Of any other answer the status counts, whatever becomes of its
    /// body.
    pub(crate) wanted: Wanted,
}

/// Which body is read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted {
    /// The whole one, of so many bytes at most, counted after decompression: a longer one is an error.
    Whole(usize),
    /// None: the status is enough, and of the body as much is read as can be shown to people ([`GLANCE`]).
    Status,
}

#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// Any status; a redirect is returned, not followed.
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The body, decompressed: whole where it was asked for and the status is 200, else its beginning, as far as it
    /// could be read.
    pub(crate) body: Bytes,
}

/// Carries requests without a network: the fediverse in one process that tests run.
pub trait Wire: Send + Sync {
    /// Answers one request.
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Body>, SendError>>;
}

/// The one outgoing client; cheap to clone, its clones share their connections.
#[derive(Clone)]
pub struct Client {
    policy: AddressPolicy,
    user_agent: HeaderValue,
    transport: Decompression<Transport>,
    /// Slots for the requests to each host.
    hosts: Cache<String, Arc<Semaphore>>,
}

impl Client {
    /// A client on the real network.
    ///
    /// # Errors
    /// When `extra_ca_file` cannot be read, or `user_agent` is no header value.
    pub fn network(network: &config::Network, user_agent: String) -> Result<Self, ClientError> {
        Self::dialling(network, user_agent, Arc::new(System))
    }

    fn dialling(network: &config::Network, user_agent: String, dial: Arc<dyn Dial>) -> Result<Self, ClientError> {
        let policy = AddressPolicy::new(network);
        let user_agent = HeaderValue::try_from(user_agent).map_err(|_| ClientError::UserAgent)?;
        let transport = Transport::network(network, policy.clone(), dial)?;
        Ok(Self { policy, user_agent, transport: Decompression::new(transport), hosts: Cache::new(HOSTS) })
    }

    /// A client whose requests go to `wire`. The form of addresses is checked as on the network.
    ///
    /// # Errors
    /// When `user_agent` is no header value.
    pub fn memory(wire: Arc<dyn Wire>, network: &config::Network, user_agent: String) -> Result<Self, ClientError> {
        let user_agent = HeaderValue::try_from(user_agent).map_err(|_| ClientError::UserAgent)?;
        Ok(Self {
            policy: AddressPolicy::new(network),
            user_agent,
            transport: Decompression::new(Transport::Memory(wire)),
            hosts: Cache::new(HOSTS),
        })
    }

    /// Sends a request and reads its answer, whatever its status. Redirects are not followed, proxies of the
    /// environment not used. Sets User-Agent, and Host where it is missing.
    ///
    /// # Errors
    /// By what a caller does next.
    pub(crate) async fn send(&self, mut request: Request<Bytes>, limits: Limits) -> Result<Reply, SendError> {
        let url = Url::parse(&request.uri().to_string())
            .map_err(|_| SendError::Refused(format!("{} is not a whole address", request.uri().path())))?;
        self.policy.check_url(&url).map_err(|refused| SendError::Refused(refused.to_string()))?;
        let host = Host::of(&url).and_then(|host| HeaderValue::try_from(host.as_str()).ok());
        let headers = request.headers_mut();
        if let (false, Some(host)) = (headers.contains_key(HOST), host) {
            headers.insert(HOST, host);
        }
        headers.insert(USER_AGENT, self.user_agent.clone());
        let places = self.places(url.authority()).await;
        let end = Instant::now() + limits.total;
        let late = |_| SendError::Timeout;
        // Never closed, so there always is a place in the end.
        let _place = tokio::time::timeout_at(end, places.acquire()).await.map_err(late)?;
        let begun = tokio::time::timeout(HEAD, self.transport.clone().oneshot(request.map(Full::new)));
        let begun = tokio::time::timeout_at(end, begun).await.map_err(late)?.map_err(late)?;
        let (head, body) = begun?.into_parts();
        let body = match limits.wanted {
            Wanted::Whole(limit) if head.status == StatusCode::OK => {
                tokio::time::timeout_at(end, whole(body, limit)).await.map_err(late)??
            }
            _ => glance(body, end.min(Instant::now() + GLANCE_TIME)).await,
        };
        Ok(Reply { status: head.status, headers: head.headers, body })
    }

    async fn places(&self, host: &str) -> Arc<Semaphore> {
        self.hosts.get_with(host.to_owned(), async { Arc::new(Semaphore::new(AT_A_TIME)) }).await
    }

    /// What this client may reach.
    pub(crate) fn policy(&self) -> &AddressPolicy {
        &self.policy
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// Reads a body to its end.
async fn whole<B: HttpBody<Data = Bytes, Error: Into<BoxError>>>(body: B, limit: usize) -> Result<Bytes, SendError> {
    let (mut body, mut read) = (pin!(Limited::new(body, limit)), BytesMut::new());
    let begun = Instant::now();
    while let Some(frame) = tokio::time::timeout(PAUSE, body.frame()).await.map_err(|_| SendError::Timeout)? {
        let frame = frame.map_err(|error| {
            if error.is::<LengthLimitError>() { SendError::TooLarge { limit } } else { SendError::broken(&*error) }
        })?;
        if let Ok(piece) = frame.into_data() {
            read.put(piece);
        }
        let seconds = usize::try_from(begun.elapsed().as_secs()).unwrap_or(usize::MAX);
        if seconds >= PATIENCE && read.len() / seconds < FLOOR {
            return Err(SendError::Timeout);
        }
    }
    Ok(read.freeze())
}

/// Reads the beginning of a body that decides nothing, as far as it can be read.
async fn glance<B: HttpBody<Data = Bytes>>(body: B, end: Instant) -> Bytes {
    let (mut body, mut read) = (pin!(body), BytesMut::new());
    while read.len() < GLANCE {
        let Ok(Some(Ok(frame))) = tokio::time::timeout_at(end, body.frame()).await else { break };
        if let Ok(piece) = frame.into_data() {
            read.put(piece);
        }
    }
    read.truncate(GLANCE);
    read.freeze()
}
