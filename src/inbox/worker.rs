//! The inbox loop: gives every kept activity its verdict.

use std::sync::Arc;
use std::time::Duration;

use clock::Timestamp;

use super::meaning::{self, Reading};
use super::{Inbound, Outcome, Verdict, store};
use crate::app::App;
use crate::db::{Conn, Queue};
use crate::delivery::policy;
use crate::worker::{Worker, apart};

/// Attempts after which an activity that makes us fail blocks its actor no longer.
const ATTEMPTS: i64 = 5;

/// Why it is given up then, where nobody lived to tell.
const NEVER_ENDED: &str =
    "it was begun five times and never brought to an end: each time the process ended first, or its database failed";

/// The wait after the first failure; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(10);

/// Interprets.
pub struct InboxWorker;

impl Worker for InboxWorker {
    type Claim = Inbound;
    const NAME: &'static str = "inbox";
    const WIDTH: usize = 64;
    const QUEUE: Option<Queue> = Some(Queue::Inbound);

    async fn claim(&self, app: &App, limit: usize) -> anyhow::Result<Vec<Inbound>> {
        let now = app.clock.now();
        {
            let mut conn = app.db.read().await?;
            if !store::any_due(&mut conn, now).await? {
                return Ok(Vec::new());
            }
        }
        let (claimer, limit) = (app.clone(), i64::try_from(limit)?);
        let claim = app.db.write(move |conn| Box::pin(async move { claim(&claimer, conn, limit, now).await }));
        Ok(claim.await?)
    }

    async fn work(&self, app: &App, inbound: Inbound) -> anyhow::Result<()> {
        interpret(app, inbound).await
    }

    async fn put_off(&self, app: &App, inbound: Inbound, why: &str) -> anyhow::Result<()> {
        let now = app.clock.now();
        let at = now + policy::wait(FIRST_WAIT, inbound.attempts, false, app.ids.dice());
        let (ids, why) = (app.ids.clone(), why.to_owned());
        app.db
            .write(move |conn| {
                Box::pin(async move {
                    if inbound.attempts < ATTEMPTS {
                        return store::retry(conn, &inbound, at).await;
                    }
                    let verdict = Verdict::new(Outcome::Failed, why);
                    store::settle(conn, &ids, &inbound, &verdict, now).await.map(|_| ())
                })
            })
            .await?;
        Ok(())
    }
}

/// Takes what is due. What was begun as often as may be, and never ended, is not begun again: the process may have ended
/// by it each time.
async fn claim(app: &App, conn: &mut Conn, limit: i64, now: Timestamp) -> sqlx::Result<Vec<Inbound>> {
    loop {
        let due = store::claim(conn, &app.db, &app.config.server.node, limit, now).await?;
        let (hopeless, due): (Vec<_>, Vec<_>) = due.into_iter().partition(|inbound| inbound.attempts > ATTEMPTS);
        for inbound in &hopeless {
            tracing::error!(activity = inbound.activity_id, "an activity was given up: {NEVER_ENDED}");
            store::settle(conn, &app.ids, inbound, &Verdict::new(Outcome::Failed, NEVER_ENDED), now).await?;
        }
        // What waited behind them is due now.
        if hopeless.is_empty() || !due.is_empty() {
            return Ok(due);
        }
    }
}

async fn interpret(app: &App, inbound: Inbound) -> anyhow::Result<()> {
    let writer = app.clone();
    let (reading, inbound) = apart(move || (Reading::of(&inbound), inbound)).await?;
    let settled: sqlx::Result<()> = app
        .db
        .write(move |conn| {
            Box::pin(async move {
                let now = writer.clock.now();
                let verdict = understand(&writer, conn, &inbound, &reading).await?;
                if store::settle(conn, &writer.ids, &inbound, &verdict, now).await? {
                    Ok(())
                } else {
                    // Another node took it over: nothing of ours may stand.
                    Err(sqlx::Error::Protocol("the lease on this activity was lost".into()))
                }
            })
        })
        .await;
    Ok(settled?)
}

/// What is to wait for something is looked at once more when nobody else can be about to bring that: it may have come at
/// this very moment.
async fn understand(app: &App, conn: &mut Conn, inbound: &Inbound, reading: &Reading) -> sqlx::Result<Verdict> {
    let mut verdict = meaning::interpret(app, conn, inbound, reading.clone()).await?;
    let mut awaited = None;
    while verdict.waits_for.is_some() && verdict.waits_for != awaited {
        awaited.clone_from(&verdict.waits_for);
        if let Some((url, purpose)) = &awaited
            && !store::turn(conn, url, *purpose).await?
        {
            break;
        }
        verdict = meaning::interpret(app, conn, inbound, reading.clone()).await?;
    }
    Ok(verdict)
}

/// The loop, ready to run.
#[must_use]
pub fn worker() -> Arc<InboxWorker> {
    Arc::new(InboxWorker)
}
