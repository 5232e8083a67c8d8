//! The inbox loop: gives every kept activity its verdict.

use std::sync::Arc;
use std::time::Duration;

use clock::Timestamp;

use super::handlers::{self, Reading};
use super::{Inbound, Outcome, Verdict, store};
use crate::app::App;
use crate::app::worker::lease::Leased;
use crate::app::worker::{apart, retry};
use crate::db::{Conn, Queue};

/// The wait after the first failure; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(10);

/// Interprets.
pub struct InboxWorker;

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
        interpret(app, inbound).await
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
                    // Another node claimed it: nothing may be written here.
                    Err(sqlx::Error::Protocol("the lease on this activity was lost".into()))
                }
            })
        })
        .await;
    Ok(settled?)
}

/// What is to wait for a document is interpreted once more when no other transaction can be about to bring it: it may
/// have come at this very moment.
async fn understand(app: &App, conn: &mut Conn, inbound: &Inbound, reading: &Reading) -> sqlx::Result<Verdict> {
    let mut verdict = handlers::interpret(app, conn, inbound, reading.clone()).await?;
    let mut awaited = None;
    while verdict.waits_for.is_some() && verdict.waits_for != awaited {
        awaited.clone_from(&verdict.waits_for);
        if let Some((url, purpose)) = &awaited
            && !store::turn(conn, url, *purpose).await?
        {
            break;
        }
        verdict = handlers::interpret(app, conn, inbound, reading.clone()).await?;
    }
    Ok(verdict)
}

/// The loop, ready to run.
#[must_use]
pub fn worker() -> Arc<InboxWorker> {
    Arc::new(InboxWorker)
}
