//! What all hosts share that are served: facts in memory, and reads and writes that are done together.

use super::Waiting;
use super::changes::{self, Change};
use super::facts::Facts;
use super::store::{self, From, Held};
use crate::app::App;
use crate::app::worker::batches::{Batches, UnderWay};

/// Most hosts whose queues are read, or whose changes are written, together.
const TOGETHER: usize = 256;

pub(super) struct Shared {
    pub(super) facts: Facts,
    reads: Batches<From, Vec<Waiting>>,
    changes: Batches<Change, Option<Held>>,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self { facts: Facts::new(), reads: Batches::new(TOGETHER), changes: Batches::new(TOGETHER) }
    }

    /// Counts a host that is served, until this is dropped.
    pub(super) fn under_way(&self) -> [UnderWay<'_>; 2] {
        [self.reads.under_way(), self.changes.under_way()]
    }

    /// What waits for a host from there on, read together with what others ask.
    pub(super) async fn read(&self, app: &App, from: From) -> anyhow::Result<Vec<Waiting>> {
        let read = async |from: Vec<From>| {
            let mut conn = app.db.read().await?;
            Ok(store::next(&mut conn, &app.db, &from, app.clock.now()).await?)
        };
        self.reads.ask(from, read).await
    }

    /// Writes a change together with those of others; returns once it is committed.
    pub(super) async fn change(&self, app: &App, change: Change) -> anyhow::Result<Option<Held>> {
        self.changes.ask(change, async |changes| changes::write(app, changes).await).await
    }
}
