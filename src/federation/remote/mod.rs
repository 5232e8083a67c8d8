//! Actors and keys elsewhere: fetched once, cached, asked again when a signature fails.

pub mod actors;
pub mod fetch;
pub mod refresh;
pub mod store;
pub mod webfinger;

use clock::Timestamp;

use crate::base::ids::{InboxId, RemoteActorId};
use crate::federation::delivery::store::Address;

/// An actor elsewhere, as cached.
#[derive(Clone, Debug)]
pub struct Remote {
    /// Row.
    pub id: RemoteActorId,
    /// Their id.
    pub url: String,
    /// `Person`, `Group` and so on.
    pub kind: String,
    /// Their own inbox.
    pub inbox: InboxId,
    /// The inbox of their server, where it has one.
    pub shared_inbox: Option<InboxId>,
    /// When their document was read.
    pub fetched_at: Timestamp,
}

impl Remote {
    /// Where it is told of what others said: its server's inbox, or its own.
    #[must_use]
    pub fn nearest_inbox(&self) -> InboxId {
        self.shared_inbox.unwrap_or(self.inbox)
    }

    /// Where it is written to.
    #[must_use]
    pub fn address(&self) -> Address {
        Address { inbox: self.inbox, shared: self.shared_inbox }
    }
}

/// A public key elsewhere, as cached.
#[derive(Clone, Debug)]
pub struct RemoteKey {
    /// Whose it is.
    pub owner: Remote,
    /// PEM for RSA, multibase for Ed25519.
    pub public: String,
    /// When it was last read.
    pub fetched_at: Timestamp,
}
