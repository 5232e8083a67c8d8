//! The comment export loop: checks whether anything changed, and updates the files.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clock::Timestamp;
use tokio::sync::Mutex;

use super::store::{self, Passed};
use super::{Known, View, hand_back};
use crate::app::App;
use crate::app::worker::Worker;
use crate::app::worker::store as begun;
use crate::config::{CommentExport, ExportKind};
use crate::db::Queue;
use crate::site::source;

/// The pause between two runs: a flood of replies is written in a few steps.
pub const PAUSE: Duration = Duration::from_secs(3);

/// How long after a failure it is tried again, if `every` is not sooner.
pub const AGAIN: Duration = Duration::from_mins(1);

/// Hands back.
#[derive(Default)]
pub struct ExportWorker {
    /// When each folder was last checked, so that an idle loop does not check all the time.
    looked: Mutex<HashMap<PathBuf, Timestamp>>,
    known: Mutex<HashMap<PathBuf, Known>>,
}

/// A comment export that is due.
#[derive(Clone, Debug)]
pub struct Due {
    comment_export: CommentExport,
    /// Whether every file is compared, or only those of conversations that changed.
    whole: bool,
}

impl Worker for ExportWorker {
    type Claim = Due;
    const NAME: &'static str = "export";
    const WIDTH: usize = 1;
    const QUEUE: Option<Queue> = None;

    async fn claim(&self, app: &App, limit: usize) -> anyhow::Result<Vec<Due>> {
        let mut due = Vec::new();
        for comment_export in &app.config.comment_exports {
            if due.len() >= limit {
                break;
            }
            if let Some(whole) = self.is_due(app, comment_export).await? {
                due.push(Due { comment_export: comment_export.clone(), whole });
            }
        }
        Ok(due)
    }

    async fn work(&self, app: &App, Due { comment_export, whole }: Due) -> anyhow::Result<()> {
        let Some(source) = app.config.sources.iter().find(|source| source.name == comment_export.source) else {
            anyhow::bail!("the source `{}` is not configured", comment_export.source);
        };
        let (item, now) = (item(&comment_export), app.clock.now());
        let begins = item.clone();
        app.db.write(move |conn| Box::pin(async move { begun::begin(conn, Self::NAME, &begins, now).await })).await?;
        let mut known = self.known.lock().await.remove(&comment_export.path).filter(|_| !whole).unwrap_or_default();
        let ExportKind::Hugo = comment_export.kind;
        let (seen, error) = match hand_back(app, source, &comment_export.path, &mut known).await {
            Ok((report, seen)) => {
                if report.written + report.removed > 0 {
                    tracing::info!(
                        source = source.name,
                        written = report.written,
                        removed = report.removed,
                        "handed back to the site"
                    );
                }
                self.known.lock().await.insert(comment_export.path.clone(), known);
                (seen, None)
            }
            // It is kept in the comment export's row, shown by `status`, and tried again.
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(source = source.name, error, "cannot hand back to the site; trying again");
                (String::new(), Some(error))
            }
        };
        let passed = Passed { seen, at: app.clock.now(), error, ..none(app, &comment_export) };
        app.db
            .write(move |conn| {
                Box::pin(async move {
                    begun::end(conn, Self::NAME, &item).await?;
                    store::save(conn, &passed).await
                })
            })
            .await?;
        Ok(())
    }

    async fn put_off(&self, app: &App, Due { comment_export, .. }: Due, why: &str) -> anyhow::Result<()> {
        let now = app.clock.now();
        let (item, why) = (item(&comment_export), why.to_owned());
        let passed = Passed { at: now, error: Some(why.clone()), ..none(app, &comment_export) };
        app.db
            .write(move |conn| {
                Box::pin(async move {
                    begun::fail(conn, Self::NAME, &item, &why, now).await?;
                    store::save(conn, &passed).await
                })
            })
            .await?;
        Ok(())
    }
}

impl ExportWorker {
    /// Whether something is to be done, and if so whether every file is to be compared. All of it follows from rows, so
    /// that nothing is forgotten in a crash.
    async fn is_due(&self, app: &App, comment_export: &CommentExport) -> anyhow::Result<Option<bool>> {
        let now = app.clock.now();
        if self.looked.lock().await.get(&comment_export.path).is_some_and(|last| now.since(*last) < PAUSE) {
            return Ok(None);
        }
        let mut conn = app.db.snapshot().await?;
        if begun::resting(&mut conn, Self::NAME, now).await?.contains(&item(comment_export)) {
            return Ok(None);
        }
        let expected = none(app, comment_export);
        let same = |passed: &Passed| {
            (&passed.node, &passed.source, &passed.folder) == (&expected.node, &expected.source, &expected.folder)
        };
        let Some(passed) = store::all(&mut conn).await?.into_iter().find(same) else { return Ok(Some(true)) };
        let since = now.since(passed.at);
        let patience = passed.error.as_ref().map_or(comment_export.every, |_| comment_export.every.min(AGAIN));
        if since >= patience {
            return Ok(Some(true));
        }
        if since < PAUSE || passed.error.is_some() {
            return Ok(None);
        }
        self.looked.lock().await.insert(comment_export.path.clone(), now);
        let sources = source::store::known(&mut conn).await?;
        let Some(source) = sources.iter().find(|source| source.name == comment_export.source) else { return Ok(None) };
        let view = View::take(app, &mut conn, source.id).await?;
        Ok((view.sum() != passed.seen).then_some(false))
    }
}

/// The name under which its beginning is noted.
fn item(comment_export: &CommentExport) -> String {
    format!("{}:{}", comment_export.source, comment_export.path.display())
}

/// The row of a comment export that never ran.
fn none(app: &App, comment_export: &CommentExport) -> Passed {
    Passed {
        node: app.config.server.node.clone(),
        source: comment_export.source.clone(),
        folder: comment_export.path.to_string_lossy().into_owned(),
        seen: String::new(),
        at: Timestamp::from_millis(0),
        error: None,
    }
}

/// The loop, ready to run.
#[must_use]
pub fn worker() -> Arc<ExportWorker> {
    Arc::new(ExportWorker::default())
}
