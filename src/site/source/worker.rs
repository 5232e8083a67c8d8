//! The source loop: scans what is due by the timer, by a post's own date, or by the file watch.

use std::sync::Arc;
use std::time::Duration;

use clock::{Clock, Timestamp};

use super::Known;
use super::store::{self, Lease, Scanned};
use super::sync::{self, SyncOptions};
use crate::app::App;
use crate::app::worker::lease::Leased;
use crate::config::Source;
use crate::db::{Conn, Queue};

/// The pause between two lines in the log about the progress of a long scan.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// Scans.
pub struct SourceWorker;

impl Leased for SourceWorker {
    type Claim = (Known, Lease);
    type Due = Vec<Known>;
    const NAME: &'static str = "source";
    const WIDTH: usize = 1;
    const QUEUE: Option<Queue> = Some(Queue::Sources);

    async fn look(app: &App, conn: &mut Conn, _: i64, now: Timestamp) -> sqlx::Result<Option<Vec<Known>>> {
        let due = store::due(conn, now).await?;
        if due.is_empty() {
            return Ok(None);
        }
        let mut known: Vec<Known> = store::known(conn).await?;
        // One that was taken out of the configuration stays as it is.
        known.retain(|known| due.contains(&known.id) && configured(app, known).is_some());
        known.sort_by_key(|known| due.iter().position(|due| *due == known.id));
        Ok((!known.is_empty()).then_some(known))
    }

    async fn take(
        app: &App,
        conn: &mut Conn,
        due: Vec<Known>,
        limit: i64,
        now: Timestamp,
    ) -> sqlx::Result<Vec<(Known, Lease)>> {
        let mut claimed = Vec::new();
        for known in due {
            if let Some(lease) = store::claim(conn, known.id, &app.config.server.node, now).await? {
                claimed.push((known, lease));
            }
            if i64::try_from(claimed.len()).unwrap_or(i64::MAX) >= limit {
                break;
            }
        }
        Ok(claimed)
    }

    async fn work(&self, app: &App, (known, lease): (Known, Lease)) -> anyhow::Result<()> {
        let Some(configured) = configured(app, &known) else {
            anyhow::bail!("the source `{}` is not configured", known.name);
        };
        let progress = logged(app.clock.clone(), known.name.clone());
        match sync::run(app, configured, &known, lease, SyncOptions::default(), progress).await {
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
            // It is kept in the source's row, shown by `status`, and tried again at the next scan.
            Err(error) => tracing::error!(source = known.name, %error, "cannot sync"),
        }
        Ok(())
    }

    fn wait(app: &App, (known, _): &(Known, Lease)) -> Duration {
        sync::after_failure(configured(app, known).map(|source| source.rescan).unwrap_or_default(), known.failures)
    }

    async fn retry(
        conn: &mut Conn,
        (_, lease): &(Known, Lease),
        at: Timestamp,
        why: &str,
        now: Timestamp,
    ) -> sqlx::Result<()> {
        let scanned = Scanned { complete: false, error: Some(why.to_owned()), next_attempt_at: at, seen: None };
        store::finish(conn, lease, &scanned, now).await.map(|_| ())
    }
}

fn configured<'a>(app: &'a App, known: &Known) -> Option<&'a Source> {
    app.config.sources.iter().find(|source| source.name == known.name)
}

/// Logs how far a long scan is.
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
