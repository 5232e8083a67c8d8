//! Actors and keys elsewhere: fetched once, cached, asked again when a signature fails.

pub mod actors;
pub mod fetch;
pub mod store;

use crate::clock::Timestamp;
use crate::ids::{InboxId, RemoteActorId};

/// An actor elsewhere, as cached.
#[derive(Clone, Debug)]
pub struct Remote {
    /// Row.
    pub id: RemoteActorId,
    /// Their id.
    pub url: String,
    /// Their own inbox.
    pub inbox: InboxId,
    /// The inbox of their server, where it has one.
    pub shared_inbox: Option<InboxId>,
    /// When their document was read.
    pub fetched_at: Timestamp,
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
