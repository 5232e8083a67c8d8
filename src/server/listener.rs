//! The door: takes connections in, with TLS where it is configured, under limits of time and number (interop G9).

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::connections::{OpenConnection, OpenConnections};

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long the head of a request may take, and how long HTTP/1 waits for the next.
const HEAD: Duration = Duration::from_secs(20);

/// How long a connection may stand without a request, whatever it speaks, or nothing.
const IDLE: Duration = Duration::from_mins(1);

/// How often a silent HTTP/2 connection is asked whether it lives, and how long it may take to say so.
const PING: Duration = Duration::from_secs(20);

/// Requests that one HTTP/2 connection may have open.
const STREAMS: u32 = 64;

/// Streams that the other side took back before we looked at them: more is the "rapid reset" of CVE-2023-44487.
const RESETS: usize = 20;

/// Streams that we had to take back because of the other side's errors.
const OUR_RESETS: usize = 100;

/// What the other side may send before we take it: for one request, and for all of a connection, in bytes.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;

/// The longest head of a request, in bytes.
const HEAD_MAX: u16 = 32 * 1024;

/// How long to wait when the system gives us no more connections.
const OUT_OF_FILES: Duration = Duration::from_secs(1);

/// What each accepted connection is served with.
pub(super) struct Acceptor {
    pub(super) router: Router,
    pub(super) open_connections: Arc<OpenConnections>,
    pub(super) tls: Option<TlsAcceptor>,
}

/// Takes connections until told to stop, then lets those within finish. Dropping it ends all of them.
pub(super) async fn keep(listener: TcpListener, acceptor: Acceptor, stop: CancellationToken) {
    let acceptor = Arc::new(acceptor);
    let mut within = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        while within.try_join_next().is_some() {}
        match accepted {
            Ok((stream, from)) => {
                // Whom there is no room for is closed upon: a server comes back, and reading more would cost us more.
                let Some(admitted) = acceptor.open_connections.admit(from.ip()) else { continue };
                within.spawn(welcome(stream, from, admitted, Arc::clone(&acceptor), stop.clone()));
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                let connections = acceptor.open_connections.count();
                tracing::error!(%error, connections, "cannot take a connection; is [limits] connections above `ulimit -n`?");
                tokio::time::sleep(OUT_OF_FILES).await;
            }
        }
    }
    drop(listener);
    while within.join_next().await.is_some() {}
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(error.kind(), K::ConnectionRefused | K::ConnectionAborted | K::ConnectionReset | K::Interrupted)
}

async fn welcome(
    stream: TcpStream,
    from: SocketAddr,
    admitted: OpenConnection,
    acceptor: Arc<Acceptor>,
    stop: CancellationToken,
) {
    // Without it answers may wait for acknowledgements; a connection that fails here fails below too.
    let _ = stream.set_nodelay(true);
    let Some(tls) = &acceptor.tls else { return converse(stream, from, admitted, &acceptor, stop).await };
    let handshake = tokio::time::timeout(HANDSHAKE, tls.accept(stream));
    let shaken = tokio::select! {
        shaken = handshake => shaken,
        () = admitted.sent_away() => return,
        () = stop.cancelled() => return,
    };
    match shaken {
        Ok(Ok(stream)) => converse(stream, from, admitted, &acceptor, stop).await,
        Ok(Err(error)) => tracing::debug!(%from, %error, "no TLS"),
        Err(_) => tracing::debug!(%from, "a TLS handshake took too long"),
    }
}

async fn converse<S>(
    stream: S,
    from: SocketAddr,
    admitted: OpenConnection,
    acceptor: &Acceptor,
    stop: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let admitted = Arc::new(admitted);
    let (router, within) = (acceptor.router.clone(), Arc::clone(&admitted));
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let (router, serving) = (router.clone(), within.serving());
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(from));
            let answer = router.oneshot(request).await;
            drop(serving);
            answer
        }
    });
    let builder = builder();
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut leaving = false;
    loop {
        tokio::select! {
            // An error here is the other side's doing.
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%from, %error, "a connection broke");
                }
                return;
            }
            () = stop.cancelled(), if !leaving => {
                leaving = true;
                connection.as_mut().graceful_shutdown();
            }
            () = admitted.sent_away() => return,
            () = admitted.idle_for(IDLE) => return,
        }
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(usize::from(HEAD_MAX));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(OUR_RESETS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(u32::from(HEAD_MAX))
        .max_send_buf_size(usize::from(HEAD_MAX))
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}
