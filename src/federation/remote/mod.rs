//! Remote actors and their keys: fetched once, cached, fetched again when a signature fails.

pub mod actors;
pub mod fetch;
pub(crate) mod refresh;
pub(crate) mod store;
pub(crate) mod webfinger;

use clock::Timestamp;

use crate::base::ids::{InboxId, RemoteActorId};
use crate::federation::delivery::store::Address;

/// A remote actor, as cached.
#[derive(Clone, Debug)]
pub struct Remote {
    /// Row.
    pub id: RemoteActorId,
    /// The actor's id.
    pub(crate) url: String,
    pub(crate) kind: String,
    pub(crate) inbox: InboxId,
    pub(crate) shared_inbox: Option<InboxId>,
}

impl Remote {
    /// The shared inbox, or the actor's own where there is none.
    pub(crate) fn nearest_inbox(&self) -> InboxId {
        self.shared_inbox.unwrap_or(self.inbox)
    }

    pub(crate) fn address(&self) -> Address {
        Address { inbox: self.inbox, shared: self.shared_inbox }
    }
}

/// A remote actor's public key, as cached.
#[derive(Clone, Debug)]
pub(crate) struct RemoteKey {
    pub(crate) owner: Remote,
    /// PEM for RSA, multibase for Ed25519.
    pub(crate) public: String,
    pub(crate) fetched_at: Timestamp,
}
