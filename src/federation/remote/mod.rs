//! Remote actors and their keys: fetched once, cached, fetched again when a signature fails.

pub mod actors;
pub mod fetch;
pub(crate) mod refresh;
pub(crate) mod store;
pub(crate) mod webfinger;

use clock::Timestamp;

use crate::base::ids::{InboxId, RemoteActorId};
use crate::federation::delivery::store::Address;
use crate::net::keys::{KeyError, KeyKind, PublicKey};

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
    pub(crate) names: Names,
}

/// The names of an actor.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// The display name, which may be empty.
    pub(crate) name: String,
    pub(crate) username: String,
    /// The handle that they claim (FEP-2c59).
    pub(crate) webfinger: Option<String>,
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
    /// The key, or why it cannot be used.
    pub(crate) public: Result<PublicKey, KeyError>,
    pub(crate) fetched_at: Timestamp,
}

impl RemoteKey {
    pub(crate) fn is_ed25519(&self) -> bool {
        self.public.as_ref().is_ok_and(|public| public.kind() == KeyKind::Ed25519)
    }
}
