//! What wakes the loops: each waits for its own queue alone, and only a commit that added to it wakes it.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// The queue of a loop: rows that it works off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Sources to be scanned.
    Sources,
    /// What is to be said, and to be fanned out.
    Outbox,
    /// Hosts for which something waits.
    Hosts,
    /// Activities without a verdict.
    Inbound,
    /// Documents to be read elsewhere.
    Fetches,
}

const QUEUES: usize = 5;

/// Several queues, one bit each.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Queues(u8);

impl Queues {
    pub(super) fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

impl From<Queue> for Queues {
    fn from(queue: Queue) -> Self {
        Self(1 << queue as u8)
    }
}

/// One bell for each queue. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Wakeups(Arc<[Notify; QUEUES]>);

impl Wakeups {
    pub(super) fn of(&self, queue: Queue) -> Notified<'_> {
        let [sources, outbox, hosts, inbound, fetches] = &*self.0;
        match queue {
            Queue::Sources => sources,
            Queue::Outbox => outbox,
            Queue::Hosts => hosts,
            Queue::Inbound => inbound,
            Queue::Fetches => fetches,
        }
        .notified()
    }

    pub(super) fn ring(&self, queues: Queues) {
        for (bit, bell) in self.0.iter().enumerate() {
            if queues.0 & (1 << bit) != 0 {
                bell.notify_waiters();
            }
        }
    }
}
