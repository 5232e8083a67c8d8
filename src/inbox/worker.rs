//! The inbox loop: gives every kept activity its verdict.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clock::Timestamp;
use tokio::sync::{Semaphore, oneshot};

use super::handlers::{self, Reading};
use super::{FETCHED, Inbound, Outcome, Verdict, store};
use crate::app::App;
use crate::app::worker::lease::Leased;
use crate::app::worker::{apart, retry};
use crate::base::ids::Host;
use crate::db::{Conn, Queue, without_panic};
use crate::federation::delivery;

/// The wait after the first failure; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(10);

/// A claimed activity, and who waits for what becomes of it.
type Piece = (Inbound, oneshot::Sender<anyhow::Result<()>>);

/// Interprets what was claimed at about the same time together.
pub struct InboxWorker {
    gathered: Mutex<Vec<Piece>>,
    /// Whoever has one of the places works all that has gathered.
    places: Semaphore,
}

/// Transactions under way at a time: one begins while another ends.
const AT_ONCE: usize = 2;

impl InboxWorker {
    fn gathered(&self) -> MutexGuard<'_, Vec<Piece>> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Leased for InboxWorker {
    type Claim = Inbound;
    type Due = ();
    const NAME: &'static str = "inbox";
    const WIDTH: usize = 64;
    const QUEUE: Option<Queue> = Some(Queue::Inbound);

    async fn look(_: &App, conn: &mut Conn, _: i64, now: Timestamp) -> sqlx::Result<Option<()>> {
        Ok(store::any_due(conn, now).await?.then_some(()))
    }

    async fn take(app: &App, conn: &mut Conn, (): (), limit: i64, now: Timestamp) -> sqlx::Result<Vec<Inbound>> {
        store::claim(conn, &app.db, &app.config.server.node, limit, now).await
    }

    async fn work(&self, app: &App, inbound: Inbound) -> anyhow::Result<()> {
        let (tell, told) = oneshot::channel();
        self.gathered().push((inbound, tell));
        // Those that were claimed with it come first.
        tokio::task::yield_now().await;
        let place = self.places.acquire().await?;
        let pieces = std::mem::take(&mut *self.gathered());
        work_all(app, pieces).await;
        drop(place);
        told.await?
    }

    fn begun(inbound: &Inbound) -> Option<i64> {
        Some(inbound.begun)
    }

    fn wait(app: &App, inbound: &Inbound) -> Duration {
        retry::wait(FIRST_WAIT, inbound.begun, app.ids.jitter_seed())
    }

    async fn retry(conn: &mut Conn, inbound: &Inbound, at: Timestamp, _: &str, _: Timestamp) -> sqlx::Result<()> {
        store::put_off(conn, inbound, at).await
    }

    /// So that it holds up its actor's other activities no longer.
    async fn give_up(app: &App, conn: &mut Conn, inbound: &Inbound, why: &str, now: Timestamp) -> sqlx::Result<()> {
        tracing::error!(activity = inbound.activity_id, why, "an activity was given up");
        store::settle(conn, &app.ids, inbound, &Verdict::new(Outcome::Failed, why), now).await.map(|_| ())
    }
}

/// Works what has gathered: together in one transaction, and each in one of its own where that fails.
async fn work_all(app: &App, pieces: Vec<Piece>) {
    // What may have ended the process before is alone.
    let (fresh, mut single): (Vec<_>, Vec<_>) = pieces.into_iter().partition(|(inbound, _)| inbound.begun == 1);
    if fresh.len() < 2 {
        single.extend(fresh);
    } else {
        let batch = fresh.iter().map(|(inbound, _)| inbound.clone()).collect();
        match without_panic(interpret(app, batch)).await {
            // Whoever waited for it may be gone.
            Ok(()) => fresh.into_iter().for_each(|(_, tell)| drop(tell.send(Ok(())))),
            Err(error) => {
                tracing::debug!(error = %format!("{error:#}"), "activities are understood one by one");
                single.extend(fresh);
            }
        }
    }
    for (inbound, tell) in single {
        let _ = tell.send(without_panic(interpret(app, vec![inbound])).await);
    }
}

/// Gives activities their verdicts, in one transaction.
async fn interpret(app: &App, mut all: Vec<Inbound>) -> anyhow::Result<()> {
    let writer = app.clone();
    let heard = apart(move || {
        let read = |mut inbound: Inbound| {
            let reading = Reading::of(&inbound);
            inbound.raw.clear();
            (inbound, reading)
        };
        all.drain(..).map(read).collect::<Vec<_>>()
    })
    .await?;
    let settled: sqlx::Result<()> = app
        .db
        .write(move |conn| {
            Box::pin(async move {
                let now = writer.clock.now();
                let mut heard = heard;
                delivery::store::heal_all(conn, &hosts(&heard), now).await?;
                let verdicts = understand(&writer, conn, &mut heard).await?;
                let verdicts: Vec<_> = heard.iter().map(|(inbound, _)| inbound).zip(&verdicts).collect();
                let settled = store::settle_all(conn, &writer.ids, &verdicts, now).await?;
                if settled.len() == verdicts.len() {
                    Ok(())
                } else {
                    // Another node claimed it: nothing may be written here.
                    Err(sqlx::Error::Protocol("the lease on this activity was lost".into()))
                }
            })
        })
        .await;
    Ok(settled?)
}

/// The hosts that sent them.
fn hosts(heard: &[(Inbound, Reading)]) -> Vec<Host> {
    let sent = heard.iter().filter(|(inbound, _)| inbound.path != FETCHED);
    sent.filter_map(|(inbound, _)| Host::named_in(&inbound.signer)).collect::<BTreeSet<_>>().into_iter().collect()
}

/// What is to wait for a document is interpreted once more when no other transaction can be about to bring it: it may
/// have come at this very moment.
async fn understand(app: &App, conn: &mut Conn, heard: &mut [(Inbound, Reading)]) -> sqlx::Result<Vec<Verdict>> {
    let mut verdicts = handlers::interpret_all(app, conn, heard).await?;
    for (verdict, (inbound, reading)) in verdicts.iter_mut().zip(heard.iter()) {
        let mut awaited = None;
        while verdict.waits_for.is_some() && verdict.waits_for != awaited {
            awaited.clone_from(&verdict.waits_for);
            if let Some((url, purpose)) = &awaited
                && !store::turn(conn, url, *purpose).await?
            {
                break;
            }
            *verdict = handlers::interpret(app, conn, inbound, reading.clone()).await?;
        }
    }
    Ok(verdicts)
}

/// The loop, ready to run.
#[must_use]
pub fn worker() -> Arc<InboxWorker> {
    Arc::new(InboxWorker { gathered: Mutex::default(), places: Semaphore::new(AT_ONCE) })
}
