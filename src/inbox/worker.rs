//! The inbox loop: gives every kept activity its verdict.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{Inbound, Outcome, Verdict, meaning, store};
use crate::app::App;
use crate::delivery::policy;
use crate::worker::{Worker, apart};

/// Attempts after which an activity that makes us fail blocks its actor no longer.
const ATTEMPTS: i64 = 5;

/// The wait after the first failure; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(10);

/// Interprets.
pub struct InboxWorker;

#[async_trait]
impl Worker for InboxWorker {
    type Claim = Inbound;
    const NAME: &'static str = "inbox";
    const WIDTH: usize = 64;

    async fn claim(&self, app: &App, limit: usize) -> anyhow::Result<Vec<Inbound>> {
        let now = app.clock.now();
        {
            let mut conn = app.db.read().await?;
            if !store::any_due(&mut conn, now).await? {
                return Ok(Vec::new());
            }
        }
        let (db, node, limit) = (app.db.clone(), app.config.server.node.clone(), i64::try_from(limit)?);
        let claim = app.db.write(move |conn| Box::pin(async move { store::claim(conn, &db, &node, limit, now).await }));
        Ok(claim.await?)
    }

    async fn work(&self, app: &App, inbound: Inbound) -> anyhow::Result<()> {
        let settled = interpret(app, inbound.clone()).await;
        match settled {
            Ok(()) => Ok(()),
            Err(error) => put_off(app, inbound, error).await,
        }
    }
}

async fn interpret(app: &App, inbound: Inbound) -> anyhow::Result<()> {
    let writer = app.clone();
    let (reading, inbound) = apart(move || (meaning::Reading::of(&inbound), inbound)).await?;
    let settled: sqlx::Result<()> = app
        .db
        .write(move |conn| {
            Box::pin(async move {
                let now = writer.clock.now();
                let verdict = meaning::interpret(&writer, conn, &inbound, reading).await?;
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

async fn put_off(app: &App, inbound: Inbound, error: anyhow::Error) -> anyhow::Result<()> {
    tracing::warn!(activity = inbound.activity_id, %error, attempts = inbound.attempts, "cannot interpret an activity");
    let now = app.clock.now();
    let at = now + policy::wait(FIRST_WAIT, inbound.attempts, false, app.ids.dice());
    let ids = app.ids.clone();
    app.db
        .write(move |conn| {
            Box::pin(async move {
                if inbound.attempts < ATTEMPTS {
                    return store::retry(conn, &inbound, at).await;
                }
                let verdict = Verdict::new(Outcome::Failed, error.to_string());
                store::settle(conn, &ids, &inbound, &verdict, now).await.map(|_| ())
            })
        })
        .await?;
    Ok(())
}

/// The loop, ready to run.
#[must_use]
pub fn worker() -> Arc<InboxWorker> {
    Arc::new(InboxWorker)
}
