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

/// Watches one source until `stop`. Where the system cannot watch, the timer still looks. A checkout changes only when
/// we change it, so it is not watched.
pub async fn watch(app: App, source: Source, stop: CancellationToken) {
    if source.repository.is_some() {
        return;
    }
    let (sender, mut changed) = mpsc::channel(1);
    let Some(_watcher) = start(&source, sender) else { return };
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            change = changed.recv() => if change.is_none() { return },
        }
        // As long as something changes within the quiet time, it starts anew.
        while let Ok(Some(())) = tokio::time::timeout(QUIET, changed.recv()).await {}
        let (name, now) = (source.name.clone(), app.clock.now());
        let requested = app.db.write(move |conn| Box::pin(async move { store::request_scan(conn, &name, now).await }));
        if let Err(error) = requested.await {
            tracing::error!(source = source.name, %error, "cannot ask for a scan; the timer will");
        }
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
