//! A visit to a host: what is known while it is served, and how the result of each attempt is written, behind the fence of its
//! lease.

use clock::Timestamp;
use http::StatusCode;
use tokio::sync::Mutex;

use super::first_deliveries::FirstDeliveries;
use super::policy;
use super::store::{self, Shown};
use super::{DeliveryEnd, Lease, Waiting};
use crate::app::App;
use crate::app::worker::retry;
use crate::db::Conn;
use crate::model::follower;

/// What is known of a host while it is served.
pub(super) struct Visit<'a> {
    pub(super) app: &'a App,
    pub(super) lease: &'a Lease,
    pub(super) state: Mutex<State>,
    pub(super) first_deliveries: FirstDeliveries,
}

#[derive(Default)]
pub(super) struct State {
    /// Host or lease failed: nothing more is sent.
    pub(super) over: Option<Over>,
    /// When the earliest of what could not be sent now is due.
    pub(super) next: Option<Timestamp>,
    /// Whether the host answered, with any status.
    pub(super) alive: bool,
    /// Whether anything was settled, so that deliveries that waited for it may have become due.
    pub(super) progress: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Over {
    HostWaits(Timestamp),
    LeaseLost,
}

impl Visit<'_> {
    pub(super) async fn is_over(&self) -> bool {
        self.state.lock().await.over.is_some()
    }

    pub(super) async fn come_back(&self, due: Timestamp) {
        let mut state = self.state.lock().await;
        state.next = Some(state.next.map_or(due, |next| next.min(due)));
    }

    /// Commits the result of an attempt; `false` in the job means that the lease was lost.
    async fn commit(&self, done: sqlx::Result<bool>) -> anyhow::Result<()> {
        let mut state = self.state.lock().await;
        if done? {
            state.progress = true;
        } else {
            state.over = Some(Over::LeaseLost);
        }
        Ok(())
    }

    pub(super) async fn settle(&self, waiting: &Waiting, ending: DeliveryEnd, shown: Shown) -> anyhow::Result<()> {
        let (lease, waiting, now) = (self.lease.clone(), waiting.clone(), self.app.clock.now());
        let done = self.app.db.write(move |conn| {
            Box::pin(async move {
                if ending == DeliveryEnd::Gone && waiting.shared {
                    store::no_fan_out(conn).await?;
                }
                if !store::fence(conn, &lease, shown.answer.is_some(), now).await? {
                    return Ok(false);
                }
                end(conn, &waiting, ending, &shown, now).await?;
                Ok(true)
            })
        });
        self.commit(done.await).await
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
        // Read anew: it may have answered since the lease was taken.
        let (failures, failing_since) = {
            let mut conn = self.app.db.read().await?;
            store::failures(&mut conn, self.lease.host).await?
        };
        let gone = failing_since.is_some_and(|since| now.since(since) >= policy::GONE_AFTER);
        let first = self.app.config.delivery.first_retry;
        let until = now + policy::host_wait(first, failures + 1, gone, self.app.ids.jitter_seed());
        let until = asked.map_or(until, |asked| asked.max(until));
        let why = match (shown.answer, &shown.error) {
            (Some(status), Some(words)) => format!("it answered {status}: {words}"),
            (Some(status), None) => format!("it answered {status}"),
            (None, error) => error.clone().unwrap_or_default(),
        };
        let (lease, waiting) = (self.lease.clone(), waiting.clone());
        let mut state = self.state.lock().await;
        if state.over.is_some() {
            // Another inbox of this host failed meanwhile and has counted it.
            return Ok(());
        }
        state.over = Some(Over::HostWaits(until));
        drop(state);
        let done = self.app.db.write(move |conn| {
            Box::pin(async move {
                if !store::fence(conn, &lease, false, now).await? {
                    return Ok(false);
                }
                store::note_attempt(conn, &waiting, None, &shown, now).await?;
                store::back_off_host(conn, &lease, until, gone, &why, now).await?;
                Ok(true)
            })
        });
        self.commit(done.await).await
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
        store::clear_inbox(conn, waiting.inbox).await?;
    }
    if ending == DeliveryEnd::Gone {
        if !waiting.shared {
            follower::store::end_by_inbox(conn, waiting.inbox).await?;
        }
        store::drop_inbox(conn, waiting.inbox, now).await?;
    }
    Ok(())
}
