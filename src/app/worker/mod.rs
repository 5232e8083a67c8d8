//! The one shape of a loop: claim due rows under a lease, work outside any transaction, settle.

pub(crate) mod batches;
pub(crate) mod lease;
pub(crate) mod retry;
pub mod store;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::db::{PANICKED, Queue, without_panic};

/// A loop. Its rows are its queue: it holds nothing that a crash could lose. Where they have leases, it is a
/// `lease::Leased`.
pub trait Worker: Send + Sync + 'static {
    /// What a claim hands to [`Worker::work`].
    type Claim: Clone + Send + Sync + 'static;

    /// For logs.
    const NAME: &'static str;

    /// How many claims are worked at a time.
    const WIDTH: usize;

    /// As [`Worker::WIDTH`], where the configuration says it.
    #[must_use]
    fn width(_app: &App) -> usize {
        Self::WIDTH
    }

    /// The queue whose commits wake it. Without one it only looks by itself.
    const QUEUE: Option<Queue>;

    /// Claims up to `limit` due pieces.
    fn claim(&self, app: &App, limit: usize) -> impl Future<Output = anyhow::Result<Vec<Self::Claim>>> + Send;

    /// Works one piece and settles it.
    fn work(&self, app: &App, claim: Self::Claim) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Settles a piece whose work failed or panicked: it is due again after a growing wait, or given up.
    fn put_off(&self, app: &App, claim: Self::Claim, why: &str) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// How many pieces of CPU-heavy work run at a time: each may need some ten megabytes.
static APART: Semaphore = Semaphore::const_new(2);

/// Runs CPU-heavy work, such as cleaning HTML, on a blocking thread. Not to be called within a transaction.
///
/// # Errors
/// When the work panics.
pub(crate) async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> anyhow::Result<T> {
    let _place = APART.acquire().await?;
    let span = tracing::Span::current();
    Ok(tokio::task::spawn_blocking(move || span.in_scope(work)).await?)
}

/// How long an idle loop sleeps when nothing in this process wakes it: another process may have written, or something
/// become due.
pub const IDLE: Duration = Duration::from_secs(2);

/// How long a loop that has something under way waits before it looks again, so that what is added, or ends, at about the same
/// time is claimed together: a claim for each piece would cost more than most pieces.
const GATHER: Duration = Duration::from_millis(10);

/// How long a loop pauses after the database failed it.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// Runs a loop until `stop`, then finishes what it had claimed. No error and no panic ends it.
pub async fn run<W: Worker>(worker: Arc<W>, app: App, stop: CancellationToken) {
    let mut working = JoinSet::new();
    while !stop.is_cancelled() {
        let room = if app.may_claim() { W::width(&app).saturating_sub(working.len()) } else { 0 };
        let added = added_to(&app, W::QUEUE).fuse();
        tokio::pin!(added);
        // Whoever adds while we look is heard.
        let _ = futures::poll!(added.as_mut());
        let claimed = if room == 0 { Ok(Vec::new()) } else { without_panic(worker.claim(&app, room)).await };
        let pause = match claimed {
            Ok(claims) if claims.is_empty() => IDLE,
            Ok(claims) => {
                for claim in claims {
                    spawn(&mut working, &worker, &app, claim, AFTER_FAILURE);
                }
                continue;
            }
            Err(error) => {
                tracing::error!(worker = W::NAME, error = %format!("{error:#}"), "cannot look for work; trying again");
                note_failure(&app, W::NAME, &error).await;
                AFTER_FAILURE
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = &mut added, if room > 0 && pause == IDLE => {}
            Some(_) = working.join_next(), if !working.is_empty() => {}
            () = tokio::time::sleep(pause) => {}
        }
        if !working.is_empty() {
            tokio::time::sleep(GATHER).await;
            while working.try_join_next().is_some() {}
        }
    }
    while working.join_next().await.is_some() {}
}

/// Resolves with the next commit that adds to a queue; without a queue never.
async fn added_to(app: &App, queue: Option<Queue>) {
    match queue {
        Some(queue) => app.db.added_to(queue).await,
        None => std::future::pending().await,
    }
}

/// Works until nothing is due at the clock's present time; says how many pieces were worked. For `sync`, and for
/// tests, whose clock stands still meanwhile (ADR 5).
///
/// # Errors
/// The first that a claim or a piece of work met; the pieces taken with it are worked all the same.
pub async fn drain<W: Worker>(worker: &Arc<W>, app: &App) -> anyhow::Result<usize> {
    let mut done = 0;
    loop {
        let claims = worker.claim(app, W::width(app)).await?;
        if claims.is_empty() {
            return Ok(done);
        }
        done += claims.len();
        let mut working = JoinSet::new();
        for claim in claims {
            spawn(&mut working, worker, app, claim, Duration::ZERO);
        }
        let mut first_error = Ok(());
        while let Some(finished) = working.join_next().await {
            let finished = finished?;
            if first_error.is_ok() {
                first_error = finished;
            }
        }
        first_error?;
    }
}

fn spawn<W: Worker>(
    working: &mut JoinSet<anyhow::Result<()>>,
    worker: &Arc<W>,
    app: &App,
    claim: W::Claim,
    after_failure: Duration,
) {
    let (worker, app) = (worker.clone(), app.clone());
    working.spawn(async move {
        let piece = claim.clone();
        let result = without_panic(worker.work(&app, claim)).await;
        if let Err(error) = &result {
            let why = format!("{error:#}");
            tracing::error!(worker = W::NAME, error = why, "a piece of work failed; it is put off");
            note_failure(&app, W::NAME, error).await;
            if let Err(error) = without_panic(worker.put_off(&app, piece, &why)).await {
                let error = format!("{error:#}");
                tracing::error!(worker = W::NAME, error, "cannot put it off; it is due again when its lease runs out");
            }
            // It keeps its place meanwhile, so that what fails is not taken up again at once.
            tokio::time::sleep(after_failure).await;
        }
        result
    });
}

/// Notes a failure for `status`. It must never end the loop itself.
async fn note_failure(app: &App, worker: &'static str, error: &anyhow::Error) {
    let (node, why, now) = (app.config.server.node.clone(), format!("{error:#}"), app.clock.now());
    let panicked = why.contains(PANICKED);
    let noted = app.db.write(move |conn| {
        Box::pin(async move { store::note_failure(conn, &node, worker, &why, panicked, now).await })
    });
    if let Err(error) = noted.await {
        tracing::warn!(worker, %error, "cannot note that a loop failed");
    }
}

/// Runs something every `pause` until `stop`. After an error or a panic, which is noted, it runs again the next time.
pub(crate) async fn every<F>(
    name: &'static str,
    pause: Duration,
    app: App,
    stop: CancellationToken,
    task: impl Fn(App) -> F + Send,
) where
    F: Future<Output = anyhow::Result<()>> + Send,
{
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        if let Err(error) = without_panic(task(app.clone())).await {
            tracing::error!(task = name, error = %format!("{error:#}"), "a task failed; it is done again");
            note_failure(&app, name, &error).await;
        }
    }
}

/// Runs a task that is no [`Worker`] until `stop`: after an error or a panic it is begun anew.
pub async fn supervise<F>(name: &'static str, app: App, stop: CancellationToken, task: impl Fn() -> F)
where
    F: Future<Output = ()>,
{
    while !stop.is_cancelled() {
        let run = task();
        let Err(error) = without_panic(async move {
            run.await;
            Ok(())
        })
        .await
        else {
            return;
        };
        tracing::error!(task = name, error = %format!("{error:#}"), "a task failed; it begins anew");
        note_failure(&app, name, &error).await;
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(AFTER_FAILURE) => {}
        }
    }
}
