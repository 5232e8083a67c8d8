//! Figures for Prometheus, on a listener of their own: what was counted since the start, and the queues as they are when asked.

mod store;

use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Unit;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::base::figures::{self, Label};
use crate::federation::delivery;

/// The media type of what Prometheus is told.
const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Most rows of a queue that are counted.
const MOST: i64 = 10_000;

/// Answers at `[metrics] listen`, if there is one.
///
/// # Errors
/// When the address is taken.
pub(super) async fn start(app: &App, stop: &CancellationToken, tasks: &mut JoinSet<()>) -> anyhow::Result<()> {
    let Some(listen) = app.config.metrics else { return Ok(()) };
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}: set [metrics] listen to a free address"))?;
    tracing::info!(address = %listener.local_addr()?, "figures for Prometheus");
    let stopped = stop.clone().cancelled_owned();
    let serving = axum::serve(listener, routes(app.clone())).with_graceful_shutdown(stopped);
    tasks.spawn(async move {
        if let Err(error) = serving.await {
            tracing::error!(%error, "nobody is told figures any more");
        }
    });
    Ok(())
}

/// Answers `/metrics`.
pub fn routes(app: App) -> Router {
    Router::new().route("/metrics", get(show)).with_state(app)
}

async fn show(State(app): State<App>) -> Response {
    match told(&app).await {
        Ok(text) => ([(CONTENT_TYPE, TEXT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "cannot tell figures");
            (StatusCode::SERVICE_UNAVAILABLE, "The database does not answer; try again later.\n").into_response()
        }
    }
}

/// All that is counted, and how the queues are now.
async fn told(app: &App) -> anyhow::Result<String> {
    let (depths, ages, hosts) =
        (Family::<Label, Gauge>::default(), Family::<Label, Gauge>::default(), Family::<Label, Gauge>::default());
    let now = app.clock.now();
    {
        let mut conn = app.db.read().await?;
        for (queue, waiting) in store::queues(&mut conn, MOST).await? {
            let oldest = waiting.oldest.map_or(Duration::ZERO, |oldest| now.since(oldest));
            depths.get_or_create(&[("queue", queue)]).set(waiting.many);
            ages.get_or_create(&[("queue", queue)]).set(i64::try_from(oldest.as_secs()).unwrap_or(i64::MAX));
        }
        let counts = delivery::store::count_hosts(&mut conn, MOST).await?;
        for (state, many) in ["known", "failing", "gone"].into_iter().zip(counts) {
            hosts.get_or_create(&[("state", state)]).set(many);
        }
    }
    let mut all = figures::registry();
    all.register("queue_depth", "What waits in a queue, ten thousand at most", depths);
    all.register_with_unit("queue_oldest", "How long the oldest of those has waited", Unit::Seconds, ages);
    all.register("hosts", "Servers that are known, fail just now, and are gone, ten thousand of each at most", hosts);
    let mut text = String::new();
    encode(&mut text, &all)?;
    Ok(text)
}
