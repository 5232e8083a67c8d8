//! The source loop: scans what is due by the timer, by a post's own date, or by the file watch.

use std::sync::Arc;
use std::time::Duration;

use clock::Clock;

use super::Known;
use super::store::{self, Lease, Scanned};
use super::sync::{self, Wish};
use crate::app::App;
use crate::db::Queue;
use crate::worker::Worker;

/// A scan that takes longer says how far it is, and no oftener than this.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// Scans.
pub struct SourceWorker;

impl Worker for SourceWorker {
    type Claim = (Known, Lease);
    const NAME: &'static str = "source";
    const WIDTH: usize = 1;
    const QUEUE: Option<Queue> = Some(Queue::Sources);

    async fn claim(&self, app: &App, limit: usize) -> anyhow::Result<Vec<(Known, Lease)>> {
        let now = app.clock.now();
        let (due, known) = {
            let mut conn = app.db.read().await?;
            let due = store::due(&mut conn, now).await?;
            if due.is_empty() {
                return Ok(Vec::new());
            }
            (due, store::known(&mut conn).await?)
        };
        let mut claimed = Vec::new();
        for source in due {
            if claimed.len() >= limit {
                break;
            }
            let Some(known) = known.iter().find(|known| known.id == source) else { continue };
            // One that was taken out of the configuration stays as it is.
            if !app.config.sources.iter().any(|configured| configured.name == known.name) {
                continue;
            }
            let node = app.config.server.node.clone();
            let lease = app.db.write(move |conn| Box::pin(async move { store::claim(conn, source, &node, now).await }));
            if let Some(lease) = lease.await? {
                claimed.push((known.clone(), lease));
            }
        }
        Ok(claimed)
    }

    async fn work(&self, app: &App, (known, lease): (Known, Lease)) -> anyhow::Result<()> {
        let Some(configured) = app.config.sources.iter().find(|source| source.name == known.name) else {
            anyhow::bail!("the source `{}` is not configured", known.name);
        };
        let progress = logged(app.clock.clone(), known.name.clone());
        match sync::run(app, configured, &known, lease, Wish::default(), progress).await {
            Ok(report) => {
                let said = report.created + report.updated + report.moved + report.removed + report.held;
                if said > 0 {
                    tracing::info!(
                        source = known.name,
                        created = report.created,
                        updated = report.updated,
                        moved = report.moved,
                        removed = report.removed,
                        held = report.held,
                        "synced"
                    );
                }
            }
            // It stands in the source's row, is shown by `status`, and is tried again at the next scan.
            Err(error) => tracing::error!(source = known.name, %error, "cannot sync"),
        }
        Ok(())
    }

    async fn put_off(&self, app: &App, (known, lease): (Known, Lease), why: &str) -> anyhow::Result<()> {
        let now = app.clock.now();
        let configured = app.config.sources.iter().find(|source| source.name == known.name);
        let wait = sync::after_failure(configured.map(|source| source.rescan).unwrap_or_default(), known.failures);
        let scanned = Scanned { complete: false, error: Some(why.to_owned()), next_scan_at: now + wait, seen: None };
        app.db.write(move |conn| Box::pin(async move { store::finish(conn, &lease, &scanned, now).await })).await?;
        Ok(())
    }
}

/// Says how far a long scan is.
fn logged(clock: Clock, source: String) -> impl FnMut(u64, u64) + Send + 'static {
    let mut last = clock.now();
    move |done, all| {
        let now = clock.now();
        if now.since(last) >= BETWEEN_LINES {
            last = now;
            tracing::info!(source, done, all, "scanning");
        }
    }
}

/// The loop, ready to run.
#[must_use]
pub fn worker() -> Arc<SourceWorker> {
    Arc::new(SourceWorker)
}
