//! A visit to a host: what is known while it is served, and how the result of each attempt is written, behind the fence of its
//! lease. Most results are written together with those of other hosts.

use clock::Timestamp;
use http::StatusCode;
use tokio::sync::{Mutex, Semaphore};

use super::changes::Change;
use super::first_deliveries::FirstDeliveries;
use super::policy;
use super::shared::Shared;
use super::store::{self, HostChange, Shown};
use super::{DeliveryEnd, Lease, Waiting};
use crate::app::App;
use crate::app::worker::retry;
use crate::db::Conn;
use crate::model::follower;

/// Inboxes of one host that are served at the same time, over kept-alive connections: at first, and where it answers well.
const INBOXES_AT_FIRST: usize = 4;
pub(super) const INBOXES_AT_ONCE: usize = 16;

/// How many answers in order earn a host one more inbox at a time.
const ANSWERS_FOR_ONE: usize = 16;

/// What is known of a host while it is served.
pub(super) struct Visit<'a> {
    pub(super) app: &'a App,
    pub(super) lease: &'a Lease,
    pub(super) shared: &'a Shared,
    pub(super) state: Mutex<State>,
    pub(super) first_deliveries: FirstDeliveries,
    /// A place for each inbox that is served.
    pub(super) places: Semaphore,
}

#[derive(Default)]
pub(super) struct State {
    /// Host or lease failed: nothing more is sent.
    pub(super) over: Option<Over>,
    /// When the earliest of what could not be sent now is due.
    next: Option<Timestamp>,
    /// Whether the host answered, with any status.
    pub(super) alive: bool,
    /// How often it accepted something.
    accepted: usize,
    /// Whether one inbox after the other is asked until the host answers.
    pub(super) probing: bool,
    /// Whether anything was settled, so that deliveries that waited for it may have become due.
    progress: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Over {
    HostWaits(Timestamp),
    /// It waits, and the lease has ended.
    LetGo,
    LeaseLost,
}

impl<'a> Visit<'a> {
    pub(super) fn new(app: &'a App, lease: &'a Lease, shared: &'a Shared) -> Self {
        Self {
            app,
            lease,
            shared,
            state: Mutex::default(),
            first_deliveries: FirstDeliveries::default(),
            places: Semaphore::new(INBOXES_AT_FIRST),
        }
    }
}

impl Visit<'_> {
    /// Why it is over, when something is due there again, and whether anything was settled.
    pub(super) async fn result(&self) -> (Option<Over>, Option<Timestamp>, bool) {
        let state = self.state.lock().await;
        (state.over, state.next, state.progress)
    }

    pub(super) async fn is_over(&self) -> bool {
        self.state.lock().await.over.is_some()
    }

    pub(super) async fn come_back(&self, due: Timestamp) {
        let mut state = self.state.lock().await;
        state.next = Some(state.next.map_or(due, |next| next.min(due)));
    }

    /// The host answered; one that accepts one thing after the other is served at more inboxes at a time.
    pub(super) async fn note_answer(&self, accepted: bool) {
        let mut state = self.state.lock().await;
        state.alive = true;
        state.accepted += usize::from(accepted);
        let places = INBOXES_AT_FIRST + state.accepted / ANSWERS_FOR_ONE;
        if accepted && state.accepted % ANSWERS_FOR_ONE == 0 && places <= INBOXES_AT_ONCE {
            self.places.add_permits(1);
        }
    }

    /// Commits the result of an attempt; `false` in the job means that the lease was lost.
    async fn commit(&self, done: sqlx::Result<bool>) -> anyhow::Result<()> {
        self.committed(done?).await;
        Ok(())
    }

    async fn committed(&self, held: bool) {
        let mut state = self.state.lock().await;
        if held {
            state.progress = true;
        } else {
            state.over = Some(Over::LeaseLost);
        }
    }

    /// What a change of this host begins with.
    fn change(&self, answered: bool) -> HostChange {
        HostChange {
            host: self.lease.host.0,
            token: self.lease.token,
            answered: answered.into(),
            ..HostChange::default()
        }
    }

    /// Returns once it is committed.
    pub(super) async fn settle(&self, waiting: &Waiting, ending: DeliveryEnd, shown: Shown) -> anyhow::Result<()> {
        let change = Change::attempted(self.change(shown.answer.is_some()), waiting, Some(ending), shown);
        let held = self.shared.change(self.app, change).await?;
        self.committed(held.is_some()).await;
        Ok(())
    }

    /// An inbox answered 404 or 410. What waits for a shared one goes to the inboxes behind it; what waits for a
    /// personal one waits until its actor was read again, and ends if nothing new was found. False where it waits.
    pub(super) async fn miss(&self, waiting: &Waiting, shown: Shown) -> anyhow::Result<bool> {
        let now = self.app.clock.now();
        let first = self.app.config.delivery.first_retry;
        let until = now + retry::wait(first, waiting.inbox_failures + 1, self.app.ids.jitter_seed());
        let (lease, waiting) = (self.lease.clone(), waiting.clone());
        let done = self.app.db.write(move |conn| {
            Box::pin(async move {
                if waiting.shared {
                    store::no_fan_out(conn).await?;
                }
                if !store::fence(conn, &lease, true, now).await? {
                    return Ok::<_, sqlx::Error>(None);
                }
                let answer = shown.answer.unwrap_or_default();
                let waits = store::read_again(conn, &waiting, answer, now).await? && !waiting.shared;
                if waits {
                    store::note_attempt(conn, &waiting, None, &shown, now).await?;
                    store::back_off_inbox(conn, waiting.inbox, until).await?;
                } else {
                    let is_gone = waiting.shared || answer == StatusCode::GONE;
                    let ending = if is_gone { DeliveryEnd::Gone } else { DeliveryEnd::Refused };
                    end(conn, &waiting, ending, &shown, now).await?;
                }
                Ok(Some(waits))
            })
        });
        let done = done.await?;
        let waits = done.unwrap_or_default();
        if waits {
            self.come_back(until).await;
        }
        self.commit(Ok(done.is_some())).await?;
        Ok(!waits)
    }

    pub(super) async fn send_reference(&self, waiting: &Waiting, shown: Shown) -> anyhow::Result<()> {
        let (lease, waiting, now) = (self.lease.clone(), waiting.clone(), self.app.clock.now());
        let done = self.app.db.write(move |conn| {
            Box::pin(async move {
                if !store::fence(conn, &lease, true, now).await? {
                    return Ok(false);
                }
                store::note_attempt(conn, &waiting, None, &shown, now).await?;
                store::send_reference(conn, &waiting).await?;
                Ok(true)
            })
        });
        self.commit(done.await).await
    }

    pub(super) async fn back_off_inbox(&self, waiting: &Waiting, shown: Shown) -> anyhow::Result<()> {
        let now = self.app.clock.now();
        let first = self.app.config.delivery.first_retry;
        let until = now + retry::wait(first, waiting.inbox_failures + 1, self.app.ids.jitter_seed());
        let (lease, waiting) = (self.lease.clone(), waiting.clone());
        let done = self.app.db.write(move |conn| {
            Box::pin(async move {
                if !store::fence(conn, &lease, true, now).await? {
                    return Ok(false);
                }
                store::note_attempt(conn, &waiting, None, &shown, now).await?;
                store::back_off_inbox(conn, waiting.inbox, until).await?;
                Ok(true)
            })
        });
        self.come_back(until).await;
        self.commit(done.await).await
    }

    pub(super) async fn back_off_host(
        &self,
        waiting: &Waiting,
        asked: Option<Timestamp>,
        shown: Shown,
    ) -> anyhow::Result<()> {
        let now = self.app.clock.now();
        let mut state = self.state.lock().await;
        if state.over.is_some() {
            // Another inbox of this host failed meanwhile and has counted it.
            return Ok(());
        }
        let (failures, since) = if state.alive { (0, None) } else { (self.lease.failures, self.lease.failing_since) };
        let gone = since.is_some_and(|since| now.since(since) >= policy::GONE_AFTER);
        let first = self.app.config.delivery.first_retry;
        let until = now + policy::host_wait(first, failures + 1, gone, self.app.ids.jitter_seed());
        let until = asked.map_or(until, |asked| asked.max(until));
        let why = match (shown.answer, &shown.error) {
            (Some(status), Some(words)) => format!("it answered {status}: {words}"),
            (Some(status), None) => format!("it answered {status}"),
            (None, error) => error.clone().unwrap_or_default(),
        };
        // Where nothing else is under way there, the lease ends with it.
        let lets_go = state.probing;
        state.over = Some(if lets_go { Over::LetGo } else { Over::HostWaits(until) });
        drop(state);
        let host = HostChange {
            waits: Some(until.millis()),
            error: Some(why),
            gone: gone.into(),
            ends: lets_go.then_some(-1),
            next: lets_go.then_some(until.millis()),
            ..self.change(false)
        };
        let held = self.shared.change(self.app, Change::attempted(host, waiting, None, shown)).await?;
        if held.is_none() {
            self.state.lock().await.over = Some(Over::LeaseLost);
        }
        Ok(())
    }

    /// Ends the lease, of a host that is due again at `next`, unless something was added since `generation`; a negative one says
    /// that additions do not matter. What is known of the lease then; nothing when it was lost.
    pub(super) async fn let_go(&self, generation: i64, next: Option<Timestamp>) -> anyhow::Result<Option<store::Held>> {
        let host = HostChange { ends: Some(generation), next: next.map(Timestamp::millis), ..self.change(false) };
        self.shared.change(self.app, Change::of_host(host)).await
    }
}

/// Writes how a delivery ended.
async fn end(
    conn: &mut Conn,
    waiting: &Waiting,
    ending: DeliveryEnd,
    shown: &Shown,
    now: Timestamp,
) -> sqlx::Result<()> {
    // A shared inbox that is gone is only an address less; a personal one was somebody.
    if ending == DeliveryEnd::Gone && waiting.shared {
        store::reroute(conn, waiting.inbox, now).await?;
    }
    store::note_attempt(conn, waiting, Some(ending), shown, now).await?;
    if shown.answer.is_some() && (waiting.inbox_failures > 0 || waiting.not_before.is_some()) {
        store::clear_inbox(conn, waiting.inbox.0).await?;
    }
    if ending == DeliveryEnd::Gone {
        if !waiting.shared {
            follower::store::end_by_inbox(conn, waiting.inbox).await?;
        }
        store::drop_inbox(conn, waiting.inbox, now).await?;
    }
    Ok(())
}
