//! The file watch: a change on disk makes its source due, once the files have been quiet for a few seconds.

use std::time::Duration;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::store;
use crate::app::App;
use crate::config::Source;

/// How long files must be quiet: an editor or a copy writes in several steps.
const QUIET: Duration = Duration::from_secs(3);

/// How often a folder that is not there is looked for.
const LOOK_FOR: Duration = Duration::from_secs(10);

/// Watches one source until `stop`; a folder that goes away is waited for. Where the system cannot watch, the timer
/// still looks. A checkout changes only when we change it, so it is not watched.
pub(crate) async fn watch(app: App, source: Source, stop: CancellationToken) {
    if source.repository.is_some() {
        return;
    }
    loop {
        if !source.path.is_dir() {
            if appears(&source, &stop).await {
                request(&app, &source).await;
            } else {
                return;
            }
        }
        let (sender, mut changed) = mpsc::channel(1);
        let Some(_watcher) = start(&source, sender) else { return };
        while source.path.is_dir() {
            tokio::select! {
                () = stop.cancelled() => return,
                change = changed.recv() => if change.is_none() { return },
            }
            // As long as something changes within the quiet time, it starts anew.
            while let Ok(Some(())) = tokio::time::timeout(QUIET, changed.recv()).await {}
            request(&app, &source).await;
        }
    }
}

/// Waits until a source's folder is there; false when we stop before.
async fn appears(source: &Source, stop: &CancellationToken) -> bool {
    while !source.path.is_dir() {
        tokio::select! {
            () = stop.cancelled() => return false,
            () = tokio::time::sleep(LOOK_FOR) => {}
        }
    }
    true
}

async fn request(app: &App, source: &Source) {
    let (name, now) = (source.name.clone(), app.clock.now());
    let requested = app.db.write(move |conn| Box::pin(async move { store::request_scan(conn, &name, now).await }));
    if let Err(error) = requested.await {
        tracing::error!(source = source.name, %error, "cannot ask for a scan; the timer will");
    }
}

fn start(source: &Source, changes: mpsc::Sender<()>) -> Option<RecommendedWatcher> {
    let told = move |event: notify::Result<Event>| {
        let reading = matches!(&event, Ok(event) if matches!(event.kind, EventKind::Access(_)));
        if !reading {
            // A full channel already tells of a change.
            let _ = changes.try_send(());
        }
    };
    let watcher = notify::recommended_watcher(told).and_then(|mut watcher| {
        watcher.watch(&source.path, RecursiveMode::Recursive)?;
        Ok(watcher)
    });
    match watcher {
        Ok(watcher) => Some(watcher),
        Err(error) => {
            tracing::warn!(source = source.name, %error, "cannot watch the files; they are looked at every {:?}", source.rescan);
            None
        }
    }
}
