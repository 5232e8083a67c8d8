//! Opens connections: resolves the name and checks each address at the moment of connecting, so that no name can
//! resolve to one address for the check and to another for the connection (interop G5, ADR 4).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service;

use super::SendError;
use crate::config::ConnectTo;
use crate::net::address::AddressPolicy;

/// Until a connection is open, name resolution included (interop G5).
const CONNECT: Duration = Duration::from_secs(5);
/// Until the next address is tried beside the one that has not answered (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);
/// Addresses tried for one name at most.
const ADDRESSES_MAX: usize = 6;

/// Below the check of addresses: resolves a name, and opens a connection to an address.
pub(super) trait Dial: Send + Sync {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>>;
    fn open(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<TcpStream>>;
}

/// The system's resolver and sockets.
pub(super) struct System;

impl Dial for System {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one way out, behind the check of addresses")]
    fn open(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<TcpStream>> {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(stream)
        })
    }
}

/// Connects where the policy allows.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) policy: AddressPolicy,
    pub(super) connect_to: Vec<ConnectTo>,
    pub(super) dial: Arc<dyn Dial>,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = SendError;
    type Future = BoxFuture<'static, Result<Self::Response, SendError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move {
            let late = || SendError::Connect(format!("no answer within {} seconds", CONNECT.as_secs()));
            let stream = tokio::time::timeout(CONNECT, connector.connect(&uri)).await.map_err(|_| late())??;
            Ok(TokioIo::new(stream))
        })
    }
}

impl Connector {
    async fn connect(&self, uri: &Uri) -> Result<TcpStream, SendError> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_ascii_lowercase();
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
        let failed = |error: io::Error| SendError::Connect(format!("{host}: {error}"));
        let addresses = if let Some(target) = self.told(&host, port) {
            vec![target]
        } else {
            self.allowed(&host, self.dial.resolve(&host, port).await.map_err(failed)?)?
        };
        first_to_answer(&*self.dial, addresses).await.map_err(failed)
    }

    /// The address that the operator configured for a name.
    fn told(&self, host: &str, port: u16) -> Option<SocketAddr> {
        self.connect_to.iter().find(|entry| entry.host == host && entry.port == port).map(|entry| entry.target)
    }

    /// The addresses that may be reached; an error says why there are none.
    fn allowed(&self, host: &str, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, SendError> {
        let mut why = SendError::Connect(format!("{host} has no address"));
        let mut allowed = Vec::new();
        for address in found {
            match self.policy.check_ip(address.ip()) {
                Ok(()) => allowed.push(address),
                Err(refused) => why = SendError::Refused(format!("{host} is refused: {refused}")),
            }
        }
        allowed.truncate(ADDRESSES_MAX);
        if allowed.is_empty() { Err(why) } else { Ok(allowed) }
    }
}

/// Tries the addresses in the resolver's order, each a little after the one before; the first connection wins.
async fn first_to_answer(dial: &dyn Dial, addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut attempts: FuturesUnordered<_> = (0_u32..)
        .zip(addresses)
        .map(|(nth, address)| async move {
            tokio::time::sleep(HEAD_START * nth).await;
            dial.open(address).await
        })
        .collect();
    let mut last = io::Error::other("no address to connect to");
    while let Some(outcome) = attempts.next().await {
        match outcome {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}
