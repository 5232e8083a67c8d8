//! What a write says of itself while it runs: which queues it adds to, and what it changes of what is cached.

use std::cell::RefCell;
use std::future::Future;

use super::queues::{Queue, Queues, Wakeups};
use super::versions::{Slot, Topic, Versions, slot};
use crate::base::figures;

/// What a write said of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Noted {
    added: Queues,
    changed: Vec<Slot>,
}

impl Noted {
    pub(super) fn and(&mut self, other: Self) {
        self.added = self.added.and(other.added);
        self.changed.extend(other.changed);
    }
}

tokio::task_local! {
    static NOTED: RefCell<Noted>;
}

/// Says that the present write adds to a queue: once it is committed, whoever waits for that looks.
///
/// Outside of [`super::Db::write`] it does nothing: a loop looks by itself after a while.
pub(crate) fn added(queue: Queue) {
    let _ = NOTED.try_with(|noted| {
        let mut noted = noted.borrow_mut();
        noted.added = noted.added.and(queue.into());
    });
}

/// Says that the present write changes something that may be cached: once it is committed, what was cached of it is stale.
pub(crate) fn changed(topic: Topic<'_>) {
    let _ = NOTED.try_with(|noted| {
        let (slot, mut noted) = (slot(topic), noted.borrow_mut());
        if !noted.changed.contains(&slot) {
            noted.changed.push(slot);
        }
    });
}

/// Runs a write, and tells what it said of itself.
pub(super) async fn noting<T>(write: impl Future<Output = T>) -> (T, Noted) {
    let noted = async {
        let result = write.await;
        (result, NOTED.with(RefCell::take))
    };
    NOTED.scope(RefCell::default(), noted).await
}

/// Who is told of a commit. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) bells: Wakeups,
    pub(super) versions: Versions,
}

impl Told {
    pub(super) fn new() -> Self {
        Self { bells: Wakeups::default(), versions: Versions::new() }
    }

    /// Before the commit of a transaction, within it.
    pub(super) async fn before(&self, conn: &mut super::Conn, noted: &Noted) -> sqlx::Result<()> {
        if noted.changed.is_empty() { Ok(()) } else { self.versions.note(conn).await }
    }

    /// After it, whether it went well or nobody knows.
    pub(super) fn after(&self, noted: &Noted, committed: bool) {
        self.versions.raise(&noted.changed, committed);
        if committed {
            figures::committed();
            self.bells.ring(noted.added);
        }
    }
}
