//! What carries a simulated server's requests, and the listener that lets it hang up like a broken server.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

/// Longest answer a simulated server reads, in bytes (interop G5).
const ANSWER_MAX: usize = 1 << 20;
/// How long a simulated server waits for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Carries a peer's requests: over real sockets, or in memory for tests.
pub trait Wire: Send + Sync {
    /// Sends a request with an absolute address and reads the whole answer.
    ///
    /// # Errors
    /// A sentence, when no answer came.
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, String>>;
}

/// Marks an answer that must never arrive: whoever serves closes the connection instead.
#[derive(Clone, Copy, Debug)]
pub(super) struct HangUp;

/// Real sockets, plain HTTP. Some names stand for addresses that exist only in a test.
pub struct SocketWire {
    client: Client<Dial, Full<Bytes>>,
}

impl SocketWire {
    /// A wire on which each `host` or `host:port` of `names` is found at its address; other names are resolved.
    #[must_use]
    pub fn new(names: HashMap<String, SocketAddr>) -> Self {
        let client = Client::builder(TokioExecutor::new()).build(Dial { names: Arc::new(names) });
        Self { client }
    }
}

impl Wire for SocketWire {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, String>> {
        Box::pin(async move {
            let address = request.uri().clone();
            if address.scheme_str() != Some("http") {
                return Err(format!("a simulated server speaks http only, so it cannot reach {address}"));
            }
            let exchange = async {
                let answer =
                    self.client.request(request.map(Full::new)).await.map_err(|e| format!("{address}: {e}"))?;
                let (parts, body) = answer.into_parts();
                let body = Limited::new(body, ANSWER_MAX).collect().await.map_err(|e| format!("{address}: {e}"))?;
                Ok(Response::from_parts(parts, body.to_bytes()))
            };
            tokio::time::timeout(PATIENCE, exchange).await.unwrap_or_else(|_| Err(format!("{address}: no answer")))
        })
    }
}

/// Opens connections, by the map of names first.
#[derive(Clone)]
struct Dial {
    names: Arc<HashMap<String, SocketAddr>>,
}

impl tower::Service<Uri> for Dial {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    #[expect(clippy::disallowed_methods, reason = "a simulated server is somebody else's, with its own way out")]
    fn call(&mut self, address: Uri) -> Self::Future {
        let known = address.authority().and_then(|name| self.names.get(name.as_str())).copied();
        Box::pin(async move {
            let stream = if let Some(place) = known {
                TcpStream::connect(place).await?
            } else {
                let host = address.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
                TcpStream::connect((host, address.port_u16().unwrap_or(80))).await?
            };
            stream.set_nodelay(true)?;
            Ok(TokioIo::new(stream))
        })
    }
}

/// Serves peers on a real socket until the future is dropped. Unlike `axum::serve` it can close a connection
/// without an answer, which is how [`super::Fault::Down`] looks from outside.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve(listener: TcpListener, router: Router) -> io::Result<()> {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        // Forgets the ones that ended, and keeps the rest within this future, so that dropping it ends all.
        while connections.try_join_next().is_some() {}
        let router = router.clone();
        connections.spawn(async move {
            let service = hyper::service::service_fn(move |request| {
                let router = router.clone();
                async move {
                    let Ok(answer) = router.oneshot(request).await;
                    if answer.extensions().get::<HangUp>().is_some() {
                        return Err("the peer hangs up");
                    }
                    Ok(answer)
                }
            });
            // An error here is the other side's doing, or ours on purpose.
            let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
