//! Actors and keys elsewhere: fetched once, cached, asked again when a signature fails.

pub mod actors;
pub mod fetch;
pub(crate) mod refresh;
pub(crate) mod store;
pub(crate) mod webfinger;

use clock::Timestamp;

use crate::base::ids::{InboxId, RemoteActorId};
use crate::federation::delivery::store::Address;

/// An actor elsewhere, as cached.
#[derive(Clone, Debug)]
pub struct Remote {
    /// Row.
    pub id: RemoteActorId,
    /// Their id.
    pub(crate) url: String,
    /// `Person`, `Group` and so on.
    pub(crate) kind: String,
    /// Their own inbox.
    pub(crate) inbox: InboxId,
    /// The inbox of their server, where it has one.
    pub(crate) shared_inbox: Option<InboxId>,
}

impl Remote {
    /// Where it is told of what others said: its server's inbox, or its own.
    #[must_use]
    pub(crate) fn nearest_inbox(&self) -> InboxId {
        self.shared_inbox.unwrap_or(self.inbox)
    }

    /// Where it is written to.
    #[must_use]
    pub(crate) fn address(&self) -> Address {
        Address { inbox: self.inbox, shared: self.shared_inbox }
    }
}

/// A public key elsewhere, as cached.
#[derive(Clone, Debug)]
pub(crate) struct RemoteKey {
    /// Whose it is.
    pub(crate) owner: Remote,
    /// PEM for RSA, multibase for Ed25519.
    pub(crate) public: String,
    /// When it was last read.
    pub(crate) fetched_at: Timestamp,
}
