//! The handback loop: looks whether anything changed, and brings the files up to date.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clock::Timestamp;
use tokio::sync::Mutex;

use super::store::{self, Passed};
use super::{Known, View, hand_back};
use crate::app::App;
use crate::config::{Handback, HandbackKind};
use crate::db::Queue;
use crate::source;
use crate::worker::Worker;
use crate::worker::store as begun;

/// How long after one pass the next one may follow: a flood of replies is written in a few strokes.
pub const PAUSE: Duration = Duration::from_secs(3);

/// How long after a failure it is tried again, if `every` is not sooner.
pub const AGAIN: Duration = Duration::from_mins(1);

/// Hands back.
#[derive(Default)]
pub struct HandbackWorker {
    /// When each folder was last looked at, so that an idle loop does not look all the time.
    looked: Mutex<HashMap<PathBuf, Timestamp>>,
    known: Mutex<HashMap<PathBuf, Known>>,
}

/// A handback that is due.
#[derive(Clone, Debug)]
pub struct Due {
    handback: Handback,
    /// Whether every file is compared, or only those of conversations that changed.
    whole: bool,
}

impl Worker for HandbackWorker {
    type Claim = Due;
    const NAME: &'static str = "handback";
    const WIDTH: usize = 1;
    const QUEUE: Option<Queue> = None;

    async fn claim(&self, app: &App, limit: usize) -> anyhow::Result<Vec<Due>> {
        let mut due = Vec::new();
        for handback in &app.config.handbacks {
            if due.len() >= limit {
                break;
            }
            if let Some(whole) = self.is_due(app, handback).await? {
                due.push(Due { handback: handback.clone(), whole });
            }
        }
        Ok(due)
    }

    async fn work(&self, app: &App, Due { handback, whole }: Due) -> anyhow::Result<()> {
        let Some(source) = app.config.sources.iter().find(|source| source.name == handback.source) else {
            anyhow::bail!("the source `{}` is not configured", handback.source);
        };
        let (item, now) = (item(&handback), app.clock.now());
        let begins = item.clone();
        app.db.write(move |conn| Box::pin(async move { begun::begin(conn, Self::NAME, &begins, now).await })).await?;
        let mut known = self.known.lock().await.remove(&handback.path).filter(|_| !whole).unwrap_or_default();
        let HandbackKind::Hugo = handback.kind;
        let (seen, error) = match hand_back(app, source, &handback.path, &mut known).await {
            Ok((report, seen)) => {
                if report.written + report.removed > 0 {
                    tracing::info!(
                        source = source.name,
                        written = report.written,
                        removed = report.removed,
                        "handed back to the site"
                    );
                }
                self.known.lock().await.insert(handback.path.clone(), known);
                (seen, None)
            }
            // It stands in the handback's row, is shown by `status`, and is tried again.
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(source = source.name, error, "cannot hand back to the site; trying again");
                (String::new(), Some(error))
            }
        };
        let passed = Passed { seen, at: app.clock.now(), error, ..none(app, &handback) };
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

    async fn put_off(&self, app: &App, Due { handback, .. }: Due, why: &str) -> anyhow::Result<()> {
        let now = app.clock.now();
        let (item, why) = (item(&handback), why.to_owned());
        let passed = Passed { at: now, error: Some(why.clone()), ..none(app, &handback) };
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

impl HandbackWorker {
    /// Whether something is to be done, and if so whether every file is to be compared. All of it follows from rows, so
    /// that nothing is forgotten in a crash.
    async fn is_due(&self, app: &App, handback: &Handback) -> anyhow::Result<Option<bool>> {
        let now = app.clock.now();
        if self.looked.lock().await.get(&handback.path).is_some_and(|last| now.since(*last) < PAUSE) {
            return Ok(None);
        }
        let mut conn = app.db.snapshot().await?;
        if begun::resting(&mut conn, Self::NAME, now).await?.contains(&item(handback)) {
            return Ok(None);
        }
        let wanted = none(app, handback);
        let same = |passed: &Passed| {
            (&passed.node, &passed.source, &passed.folder) == (&wanted.node, &wanted.source, &wanted.folder)
        };
        let Some(passed) = store::all(&mut conn).await?.into_iter().find(same) else { return Ok(Some(true)) };
        let since = now.since(passed.at);
        let patience = passed.error.as_ref().map_or(handback.every, |_| handback.every.min(AGAIN));
        if since >= patience {
            return Ok(Some(true));
        }
        if since < PAUSE || passed.error.is_some() {
            return Ok(None);
        }
        self.looked.lock().await.insert(handback.path.clone(), now);
        let sources = source::store::known(&mut conn).await?;
        let Some(source) = sources.iter().find(|source| source.name == handback.source) else { return Ok(None) };
        let view = View::take(app, &mut conn, source.id).await?;
        Ok((view.sum() != passed.seen).then_some(false))
    }
}

/// Under what it is noted as begun.
fn item(handback: &Handback) -> String {
    format!("{}:{}", handback.source, handback.path.display())
}

/// The row of a handback that was never gone through.
fn none(app: &App, handback: &Handback) -> Passed {
    Passed {
        node: app.config.server.node.clone(),
        source: handback.source.clone(),
        folder: handback.path.to_string_lossy().into_owned(),
        seen: String::new(),
        at: Timestamp::from_millis(0),
        error: None,
    }
}

/// The loop, ready to run.
#[must_use]
pub fn worker() -> Arc<HandbackWorker> {
    Arc::new(HandbackWorker::default())
}
