//! The delivery loop: serves due hosts, each by one task at a time, many at once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use clock::Timestamp;
use futures::stream::{self, StreamExt};

use super::attempt::{Attempt, attempt};
use super::policy::{self, AttemptResult};
use super::reason::reason;
use super::shared::Shared;
use super::store::{self, From, Held, READ, Shown};
use super::visit::{INBOXES_AT_ONCE, Over, Visit};
use super::{DeliveryEnd, Lease, Waiting};
use crate::app::App;
use crate::app::worker::lease::Leased;
use crate::app::worker::retry;
use crate::base::ids::InboxId;
use crate::db::{Conn, Queue, Stamp, Topic};

/// The delivery loop.
pub struct DeliveryWorker(Shared);

impl Leased for DeliveryWorker {
    type Claim = Lease;
    type Due = ();
    const NAME: &'static str = "delivery";
    const WIDTH: usize = 256;
    const QUEUE: Option<Queue> = Some(Queue::Hosts);

    fn width(app: &App) -> usize {
        app.config.delivery.hosts_at_once
    }

    async fn look(_: &App, conn: &mut Conn, _: i64, now: Timestamp) -> sqlx::Result<Option<()>> {
        Ok(store::any_due(conn, now).await?.then_some(()))
    }

    async fn take(app: &App, conn: &mut Conn, (): (), limit: i64, now: Timestamp) -> sqlx::Result<Vec<Lease>> {
        store::claim(conn, &app.db, &app.config.server.node, limit, now).await
    }

    async fn work(&self, app: &App, lease: Lease) -> anyhow::Result<()> {
        let _counted = self.0.under_way();
        self.serve(app, &lease).await
    }

    fn wait(app: &App, lease: &Lease) -> Duration {
        retry::wait(app.config.delivery.first_retry, lease.begun, app.ids.jitter_seed())
    }

    async fn retry(conn: &mut Conn, lease: &Lease, at: Timestamp, why: &str, _: Timestamp) -> sqlx::Result<()> {
        store::put_off(conn, lease, at, why).await
    }
}

impl DeliveryWorker {
    /// Serves every inbox of a host until nothing more can be sent, then lets go of it.
    async fn serve(&self, app: &App, lease: &Lease) -> anyhow::Result<()> {
        let mut generation = lease.generation;
        loop {
            let visit = Visit::new(app, lease, &self.0);
            visit.every_inbox().await?;
            let (over, next, progress) = visit.result().await;
            let held = match over {
                Some(Over::LetGo) => return Ok(()),
                Some(Over::LeaseLost) => None,
                Some(Over::HostWaits(until)) => visit.let_go(-1, Some(until)).await?,
                // What an Accept held back may be free now.
                None if progress && next.is_some() => continue,
                None => visit.let_go(generation, next).await?,
            };
            match held {
                Some(Held { ended: true, .. }) => return Ok(()),
                // What was added meanwhile is served before we let go.
                Some(Held { ended: false, generation: now }) => generation = now,
                None => {
                    tracing::warn!(host = lease.name, "another node took over this host");
                    return Ok(());
                }
            }
        }
    }
}

/// What was read of a host's queue and not handed on.
struct Reading {
    rows: VecDeque<Waiting>,
    /// Where to read on.
    after: (i64, i64),
    stamp: Stamp,
    done: bool,
}

/// What waits for one inbox, the oldest first.
struct InboxQueue {
    inbox: InboxId,
    rows: VecDeque<Waiting>,
    /// Whether more may wait than was read.
    more: bool,
    /// Fresh while nobody but us touched what waits, and the host takes the signatures that it took.
    stamp: Stamp,
}

impl Visit<'_> {
    async fn every_inbox(&self) -> anyhow::Result<()> {
        let start = Reading { rows: VecDeque::new(), after: (i64::MIN, i64::MIN), stamp: self.stamp(), done: false };
        let start = if self.lease.failures > 0 { self.probe(start).await? } else { start };
        let inboxes = stream::unfold(start, |mut reading| async move {
            if self.is_over().await {
                return None;
            }
            match self.next_inbox(&mut reading).await {
                Ok(None) => None,
                Ok(Some(queue)) => Some((Ok(queue), reading)),
                Err(error) => Some((Err(error), Reading { done: true, rows: VecDeque::new(), ..reading })),
            }
        });
        let mut served = inboxes
            .map(|queue| async move {
                let _place = self.places.acquire().await?;
                self.serve_inbox(queue?).await
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

    /// Asks a host that failed through one inbox at a time until it answers: a dead one costs one attempt. Returns the rest.
    async fn probe(&self, mut reading: Reading) -> anyhow::Result<Reading> {
        self.state.lock().await.probing = true;
        while let Some(queue) = self.next_inbox(&mut reading).await? {
            self.serve_inbox(queue).await?;
            let state = self.state.lock().await;
            if state.alive || state.over.is_some() {
                break;
            }
        }
        self.state.lock().await.probing = false;
        Ok(reading)
    }

    fn stamp(&self) -> Stamp {
        self.app.db.stamp(&[Topic::Deliveries, Topic::Peer(&self.lease.name)])
    }

    async fn read(&self, inbox: i64, activity: i64) -> anyhow::Result<VecDeque<Waiting>> {
        let from = From { host: self.lease.host.0, inbox, activity };
        Ok(self.shared.read(self.app, from).await?.into())
    }

    async fn next_inbox(&self, reading: &mut Reading) -> anyhow::Result<Option<InboxQueue>> {
        if reading.rows.is_empty() && !reading.done {
            reading.stamp = self.stamp();
            reading.rows = self.read(reading.after.0, reading.after.1).await?;
            reading.done = reading.rows.len() < READ;
        }
        let Some(inbox) = reading.rows.front().map(|first| first.inbox) else { return Ok(None) };
        let others = reading.rows.iter().position(|row| row.inbox != inbox).unwrap_or(reading.rows.len());
        let rest = reading.rows.split_off(others);
        let rows = std::mem::replace(&mut reading.rows, rest);
        reading.after = (inbox.0, i64::MAX);
        let more = reading.rows.is_empty() && !reading.done;
        Ok(Some(InboxQueue { inbox, rows, more, stamp: reading.stamp }))
    }

    /// What waits for an inbox after an activity.
    async fn read_inbox(&self, inbox: InboxId, after: i64) -> anyhow::Result<InboxQueue> {
        let stamp = self.stamp();
        let mut rows = self.read(inbox.0, after).await?;
        let read = rows.len();
        rows.retain(|row| row.inbox == inbox);
        Ok(InboxQueue { inbox, more: rows.len() == READ && read == READ, rows, stamp })
    }

    /// Sends what waits for one inbox, the oldest first; the next leaves only after the last settle is committed.
    async fn serve_inbox(&self, mut queue: InboxQueue) -> anyhow::Result<()> {
        let mut last = i64::MIN;
        while !self.is_over().await {
            if queue.stamp != self.stamp() {
                queue = self.read_inbox(queue.inbox, i64::MIN).await?;
            } else if queue.rows.is_empty() && queue.more {
                queue = self.read_inbox(queue.inbox, last).await?;
            }
            let Some(waiting) = queue.rows.pop_front() else { return Ok(()) };
            last = waiting.activity.0;
            let now = self.app.clock.now();
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
            let (answer, embedded) = match attempt(self.app, &self.shared.facts, &waiting).await? {
                Attempt::Withdrawn => {
                    self.settle(&waiting, DeliveryEnd::Withdrawn, Shown::default()).await?;
                    continue;
                }
                Attempt::Sent { answer, embedded } => (answer, embedded),
            };
            let shown = match &answer {
                Ok(reply) => {
                    self.note_answer(reply.status.is_success()).await;
                    Shown { answer: Some(reply.status.as_u16()), error: reason(reply) }
                }
                Err(error) => Shown { answer: None, error: Some(error.to_string()) },
            };
            match policy::judge(&answer, embedded, self.app.clock.now()) {
                AttemptResult::Settled(ending) => {
                    self.settle(&waiting, ending, shown).await?;
                    if let Some(first) = first.filter(|_| ending == DeliveryEnd::Delivered) {
                        first.taken();
                    }
                }
                AttemptResult::SendReference => {
                    self.send_reference(&waiting, shown).await?;
                    queue.rows.push_front(Waiting { by_reference: true, ..waiting });
                }
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
    Arc::new(DeliveryWorker(Shared::new()))
}
