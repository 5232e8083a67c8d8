//! What carries a request: the network, or a wire in memory; everything above is the same for both.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower::Service;

use super::connector::{Connector, Dial};
use super::{ClientError, SendError, Wire, tls};
use crate::config;
use crate::net::address::AddressPolicy;

/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(30);
/// Idle connections kept for one host.
const IDLE_PER_HOST: usize = 2;

#[derive(Clone)]
pub(super) enum Transport {
    Network(Arc<legacy::Client<HttpsConnector<Connector>, Full<Bytes>>>),
    Memory(Arc<dyn Wire>),
}

impl Transport {
    pub(super) fn network(
        network: &config::Network,
        policy: AddressPolicy,
        dial: Arc<dyn Dial>,
    ) -> Result<Self, ClientError> {
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls::client_config(network.extra_ca_file.as_deref())?)
            .https_or_http() // the gate decides
            .enable_all_versions()
            .wrap_connector(Connector { policy, connect_to: network.connect_to.clone(), dial });
        let client = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .build(connector);
        Ok(Self::Network(Arc::new(client)))
    }
}

impl Service<Request<Full<Bytes>>> for Transport {
    type Response = Response<Body>;
    type Error = SendError;
    type Future = BoxFuture<'static, Result<Response<Body>, SendError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        match self {
            Self::Network(client) => {
                let answer = client.request(request);
                Box::pin(async move {
                    let response = answer.await.map_err(|error| SendError::of_network(&error))?;
                    Ok(response.map(Body::new))
                })
            }
            Self::Memory(wire) => {
                let wire = Arc::clone(wire);
                Box::pin(async move {
                    let (head, body) = request.into_parts();
                    // A body in one piece never fails to be collected.
                    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
                    wire.send(Request::from_parts(head, body)).await
                })
            }
        }
    }
}
