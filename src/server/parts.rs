//! Which parts of the bridge a node runs: all of them, or some, beside other nodes on one PostgreSQL (docs/scaling.md).

/// A part that a node may run without the others. What one adds to a queue, another finds there within two seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Listens: documents, pages, and what other servers send, which it verifies and keeps.
    Web,
    /// Reads the sites, and watches those that are folders.
    Source,
    /// Says what is new, and queues it for whoever is to have it.
    Outbox,
    /// Sends it.
    Delivery,
    /// Understands what was sent, reads elsewhere what is missing, and forgets what is old.
    Inbox,
    /// Writes conversations for the sites to build in.
    Export,
}

/// The parts of a node.
#[derive(Clone, Debug, Default)]
pub struct Parts(Vec<Part>);

impl Parts {
    /// These alone; all where none is named.
    #[must_use]
    pub fn only(parts: Vec<Part>) -> Self {
        Self(parts)
    }

    /// Whether some are left to other nodes.
    pub(super) fn are_some(&self) -> bool {
        !self.0.is_empty()
    }

    pub(super) fn has(&self, part: Part) -> bool {
        self.0.is_empty() || self.0.contains(&part)
    }
}
