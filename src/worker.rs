//! The one shape of a loop: claim what is due under a lease, work outside any transaction, settle.

use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// What became of a piece of work; the room that did it settles it so, in a transaction fenced by its lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Finished.
    Done,
    /// Due again later.
    Retry {
        /// How long to wait.
        after: Duration,
        /// For people.
        why: String,
    },
    /// Will never work.
    GiveUp {
        /// For people.
        why: String,
    },
}

/// A loop. Its rows are its queue: it holds nothing that a crash could lose.
#[async_trait]
pub trait Worker: Send + Sync + 'static {
    /// What a claim hands to [`Worker::work`].
    type Claim: Send + 'static;

    /// For logs.
    const NAME: &'static str;

    /// How many claims are worked on at a time.
    const WIDTH: usize;

    /// Takes up to `limit` due pieces under a lease; none when nothing is due.
    async fn claim(&self, app: &App, limit: usize) -> anyhow::Result<Vec<Self::Claim>>;

    /// Works one piece and settles it. After an error its lease runs out and it is due again.
    async fn work(&self, app: &App, claim: Self::Claim) -> anyhow::Result<()>;
}

/// Pieces of work that keep a processor busy, at a time: each may need some ten megabytes.
static APART: Semaphore = Semaphore::const_new(2);

/// Does what keeps a processor busy, such as cleaning HTML, on a thread that nobody else waits for. Not to be called
/// within a transaction.
///
/// # Errors
/// When the work panics.
pub async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> anyhow::Result<T> {
    let _place = APART.acquire().await?;
    let span = tracing::Span::current();
    Ok(tokio::task::spawn_blocking(move || span.in_scope(work)).await?)
}

/// How long an idle loop waits when nothing in this process wakes it: another node may have written.
const IDLE: Duration = Duration::from_millis(500);

/// How long a loop pauses after the database failed it.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// Runs a loop until `stop`, then finishes what it had claimed.
pub async fn run<W: Worker>(worker: std::sync::Arc<W>, app: App, stop: CancellationToken) {
    let mut working = JoinSet::new();
    while !stop.is_cancelled() {
        let may_claim = app.may_claim.load(Ordering::Relaxed);
        let room = if may_claim { W::WIDTH.saturating_sub(working.len()) } else { 0 };
        let changed = app.db.changed();
        tokio::pin!(changed);
        changed.as_mut().enable();
        let claimed = if room == 0 { Ok(Vec::new()) } else { worker.claim(&app, room).await };
        let pause = match claimed {
            Ok(claims) if claims.is_empty() => IDLE,
            Ok(claims) => {
                for claim in claims {
                    spawn(&mut working, &worker, &app, claim, AFTER_FAILURE);
                }
                continue;
            }
            Err(error) => {
                tracing::error!(worker = W::NAME, %error, "cannot look for work; trying again");
                AFTER_FAILURE
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = changed, if room > 0 && pause == IDLE => {}
            Some(_) = working.join_next(), if !working.is_empty() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    while working.join_next().await.is_some() {}
}

/// Works until nothing is due at the clock's present time; says how many pieces were worked. For `sync`, and for
/// tests, whose clock stands still meanwhile (ADR 5).
///
/// # Errors
/// The first that a claim or a piece of work met.
pub async fn drain<W: Worker>(worker: &std::sync::Arc<W>, app: &App) -> anyhow::Result<usize> {
    let mut done = 0;
    loop {
        let claims = worker.claim(app, W::WIDTH).await?;
        if claims.is_empty() {
            return Ok(done);
        }
        done += claims.len();
        let mut working = JoinSet::new();
        for claim in claims {
            spawn(&mut working, worker, app, claim, Duration::ZERO);
        }
        while let Some(finished) = working.join_next().await {
            finished??;
        }
    }
}

fn spawn<W: Worker>(
    working: &mut JoinSet<anyhow::Result<()>>,
    worker: &std::sync::Arc<W>,
    app: &App,
    claim: W::Claim,
    after_failure: Duration,
) {
    let (worker, app) = (worker.clone(), app.clone());
    working.spawn(async move {
        let result = worker.work(&app, claim).await;
        if let Err(error) = &result {
            tracing::error!(worker = W::NAME, error = %format!("{error:#}"), "a piece of work failed; it will be due again");
            // It keeps its place meanwhile, so that work without a lease is not taken up again at once.
            tokio::time::sleep(after_failure).await;
        }
        result
    });
}
