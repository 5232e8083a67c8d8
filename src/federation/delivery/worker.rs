//! The delivery loop: serves due hosts, each by one task at a time.

use std::sync::Arc;
use std::time::Duration;

use clock::Timestamp;
use futures::stream::{self, StreamExt};
use tokio::sync::Mutex;

use super::attempt::{Attempt, attempt};
use super::first_deliveries::FirstDeliveries;
use super::policy::{self, AttemptResult};
use super::reason::reason;
use super::store::{self, Shown};
use super::visit::{Over, Visit};
use super::{DeliveryEnd, Lease, Waiting};
use crate::app::App;
use crate::app::worker::lease::Leased;
use crate::app::worker::retry;
use crate::base::ids::InboxId;
use crate::db::{Conn, Queue};

/// Inboxes of one host that are served at the same time, over kept-alive connections.
const INBOXES_AT_ONCE: usize = 4;

/// The delivery loop.
pub struct DeliveryWorker;

impl Leased for DeliveryWorker {
    type Claim = Lease;
    type Due = ();
    const NAME: &'static str = "delivery";
    const WIDTH: usize = 256;
    const QUEUE: Option<Queue> = Some(Queue::Hosts);

    async fn look(_: &App, conn: &mut Conn, _: i64, now: Timestamp) -> sqlx::Result<Option<()>> {
        Ok(store::any_due(conn, now).await?.then_some(()))
    }

    async fn take(app: &App, conn: &mut Conn, (): (), limit: i64, now: Timestamp) -> sqlx::Result<Vec<Lease>> {
        store::claim(conn, &app.db, &app.config.server.node, limit, now).await
    }

    async fn work(&self, app: &App, lease: Lease) -> anyhow::Result<()> {
        let mut generation = lease.generation;
        // What was added while we let go of the host is served before we do.
        while !serve(app, &lease, generation).await? {
            let mut conn = app.db.read().await?;
            generation = store::generation(&mut conn, lease.host).await?;
        }
        Ok(())
    }

    fn wait(app: &App, lease: &Lease) -> Duration {
        retry::wait(app.config.delivery.first_retry, lease.begun, app.ids.jitter_seed())
    }

    async fn retry(conn: &mut Conn, lease: &Lease, at: Timestamp, why: &str, _: Timestamp) -> sqlx::Result<()> {
        store::put_off(conn, lease, at, why).await
    }
}

/// Serves every inbox of a host until nothing more can be sent, then lets go of it; false when more was added to its queue
/// since the `generation`.
async fn serve(app: &App, lease: &Lease, generation: i64) -> anyhow::Result<bool> {
    let (generation, next) = loop {
        let visit = Visit { app, lease, state: Mutex::default(), first_deliveries: FirstDeliveries::default() };
        visit.every_inbox().await?;
        let state = visit.state.into_inner();
        match state.over {
            Some(Over::LeaseLost) => {
                tracing::warn!(host = lease.name, "another node took over this host");
                return Ok(true);
            }
            Some(Over::HostWaits(until)) => break (None, Some(until)),
            // What an Accept held back may be free now.
            None if state.progress && state.next.is_some() => {}
            None => break (Some(generation), state.next),
        }
    };
    let (lease, now) = (lease.clone(), app.clock.now());
    let write = app.db.write(move |conn| {
        Box::pin(async move {
            Ok::<_, sqlx::Error>(
                store::release(conn, &lease, generation, next).await?
                    || !store::fence(conn, &lease, false, now).await?,
            )
        })
    });
    Ok(write.await?)
}

impl Visit<'_> {
    async fn every_inbox(&self) -> anyhow::Result<()> {
        let start = if self.lease.failures > 0 { self.probe().await? } else { InboxId(i64::MIN) };
        let inboxes = stream::unfold(start, |after| async move {
            if self.is_over().await {
                return None;
            }
            match self.next_inbox(after).await {
                Ok(None) => None,
                Ok(Some(waiting)) => {
                    let inbox = waiting.inbox;
                    Some((Ok(waiting), inbox))
                }
                Err(error) => Some((Err(error), InboxId(i64::MAX))),
            }
        });
        let mut served = inboxes
            .map(|waiting| async move {
                match waiting {
                    Ok(waiting) => self.serve_inbox(waiting).await,
                    Err(error) => Err(error),
                }
            })
            .buffer_unordered(INBOXES_AT_ONCE)
            .boxed();
        let mut first_error = Ok(());
        while let Some(result) = served.next().await {
            if first_error.is_ok() {
                first_error = result;
            }
        }
        first_error
    }

    /// Asks a host that failed through one inbox at a time until it answers: a dead one costs one attempt. Returns the last.
    async fn probe(&self) -> anyhow::Result<InboxId> {
        let mut after = InboxId(i64::MIN);
        while let Some(waiting) = self.next_inbox(after).await? {
            after = waiting.inbox;
            self.serve_inbox(waiting).await?;
            let state = self.state.lock().await;
            if state.alive || state.over.is_some() {
                break;
            }
        }
        Ok(after)
    }

    async fn next_inbox(&self, after: InboxId) -> anyhow::Result<Option<Waiting>> {
        let mut conn = self.app.db.read().await?;
        Ok(store::next_inbox(&mut conn, self.lease.host, after, self.app.clock.now()).await?)
    }

    /// Sends what waits for one inbox, of which the oldest was read; the next leaves only after the last settle is committed.
    async fn serve_inbox(&self, oldest: Waiting) -> anyhow::Result<()> {
        let (inbox, mut oldest) = (oldest.inbox, Some(oldest));
        while !self.is_over().await {
            let now = self.app.clock.now();
            let waiting = if let Some(waiting) = oldest.take() {
                Some(waiting)
            } else {
                let mut conn = self.app.db.read().await?;
                store::oldest(&mut conn, self.lease.host, inbox, now).await?
            };
            let Some(waiting) = waiting else { return Ok(()) };
            if waiting.expires_at <= now {
                self.settle(&waiting, DeliveryEnd::Expired, Shown::default()).await?;
                continue;
            }
            if let Some(due) = waiting.not_before.max(waiting.held_until).filter(|due| *due > now) {
                self.come_back(due).await;
                return Ok(());
            }
            let first = self.first_deliveries.take(&waiting).await;
            if self.is_over().await {
                return Ok(());
            }
            let (answer, embedded) = match attempt(self.app, &waiting).await? {
                Attempt::Withdrawn => {
                    self.settle(&waiting, DeliveryEnd::Withdrawn, Shown::default()).await?;
                    continue;
                }
                Attempt::Sent { answer, embedded } => (answer, embedded),
            };
            self.state.lock().await.alive |= answer.is_ok();
            let shown = match &answer {
                Ok(reply) => Shown { answer: Some(reply.status.as_u16()), error: reason(reply) },
                Err(error) => Shown { answer: None, error: Some(error.to_string()) },
            };
            match policy::judge(&answer, embedded, self.app.clock.now()) {
                AttemptResult::Settled(ending) => {
                    self.settle(&waiting, ending, shown).await?;
                    if let Some(first) = first.filter(|_| ending == DeliveryEnd::Delivered) {
                        first.taken();
                    }
                }
                AttemptResult::SendReference => self.send_reference(&waiting, shown).await?,
                AttemptResult::Missing => {
                    if !self.miss(&waiting, shown).await? {
                        return Ok(());
                    }
                }
                AttemptResult::InboxWaits => return self.back_off_inbox(&waiting, shown).await,
                AttemptResult::HostWaits(until) => return self.back_off_host(&waiting, until, shown).await,
            }
        }
        Ok(())
    }
}

/// The loop, ready to run.
#[must_use]
pub fn worker() -> Arc<DeliveryWorker> {
    Arc::new(DeliveryWorker)
}
