//! What HTML costs to be read, known before a tree is made of it: time and memory are linear in its length.

use std::borrow::Cow;
use std::cell::Cell;

mod feed;
mod meter;
mod words;

pub(super) use self::words::words;

/// Elements within elements; people's HTML stays far below.
const DEEPEST: usize = 200;

/// Open elements in all, those that end by themselves among them.
const OPEN: usize = 4 * DEEPEST;

thread_local! {
    static SPENT: Cell<Cost> = const { Cell::new(Cost::NOTHING) };
}

/// What reading HTML takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Bytes read, once for each time they are read.
    pub bytes: usize,
    /// Nodes of the tree.
    pub nodes: usize,
    /// Most elements that are open at once, or would be opened again.
    pub open: usize,
    /// Of these, elements that do not end by themselves.
    pub deep: usize,
    /// Looks at elements, comparisons and moves.
    pub steps: usize,
    /// Bytes of the tree when it is written.
    pub written: usize,
}

impl Cost {
    const NOTHING: Self = Self { bytes: 0, nodes: 0, open: 0, deep: 0, steps: 0, written: 0 };

    /// What a piece of work on this thread spends on reading HTML, all rounds together, and what it gives.
    pub fn of<T>(work: impl FnOnce() -> T) -> (Self, T) {
        let before = SPENT.replace(Self::NOTHING);
        let done = work();
        let spent = SPENT.get();
        SPENT.set(before.and(spent));
        (spent, done)
    }

    fn and(self, more: Self) -> Self {
        Self {
            bytes: self.bytes + more.bytes,
            nodes: self.nodes + more.nodes,
            open: self.open.max(more.open),
            deep: self.deep.max(more.deep),
            steps: self.steps + more.steps,
            written: self.written + more.written,
        }
    }
}

/// What HTML may cost: linear in its length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    nodes: usize,
    steps: usize,
    written: usize,
}

impl Limits {
    /// For each byte of the HTML a node, 64 steps and twelve bytes written, and some more for short HTML: well-formed HTML
    /// needs a tenth of it.
    pub(super) fn of(bytes: usize) -> Self {
        Self { nodes: bytes + 1_000, steps: 64 * bytes + 200_000, written: 12 * bytes + 64_000 }
    }

    /// Both.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            nodes: self.nodes.min(other.nodes),
            steps: self.steps.min(other.steps),
            written: self.written.min(other.written),
        }
    }

    fn are_exceeded(&self, cost: &Cost) -> bool {
        cost.deep > DEEPEST
            || cost.open > OPEN
            || cost.nodes > self.nodes
            || cost.steps > self.steps
            || cost.written > self.written
    }

    /// The HTML, without what no tag needs, if it may be read as a tree.
    pub(super) fn admit(self, html: &str) -> Option<Cow<'_, str>> {
        let (kept, sink) = feed::read(html, meter::Meter::new(self));
        let cost = Cost { bytes: html.len(), ..sink.reader.cost() };
        SPENT.set(SPENT.get().and(cost));
        tracing::trace!(bytes = cost.bytes, steps = cost.steps, "HTML was read");
        (!self.are_exceeded(&cost)).then_some(kept)
    }
}
