//! Hosts, what waits for them, and what became of it: a delivery's queue is its host (docs/architecture.md#queues, ADR 3).

pub(crate) mod attempt;
mod changes;
mod facts;
mod first_deliveries;
pub(crate) mod policy;
pub(crate) mod reason;
mod shared;
pub mod store;
mod visit;
pub mod worker;

use clock::Timestamp;

use crate::base::ids::{ActivityId, ActorId, ArticleId, HostId, InboxId, InteractionId};
use crate::base::stored::words;
use crate::federation::signed_requests::PeerCapabilities;

/// The right to serve a host until the lease ends or another node takes it.
#[derive(Clone, Debug)]
pub struct Lease {
    pub(crate) host: HostId,
    /// Its name, for people.
    pub(crate) name: String,
    /// The fence: a settle with an old token is refused.
    pub(crate) token: i64,
    /// Attempts at the host that failed in a row.
    pub(crate) failures: i64,
    /// Since when.
    pub(crate) failing_since: Option<Timestamp>,
    /// How often it was claimed in a row, this time included, and not let go of in order.
    pub(crate) begun: i64,
    /// How often something was added to its queue until it was claimed.
    pub(crate) generation: i64,
}

/// The oldest activity that waits for an inbox.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) inbox: InboxId,
    /// Its address.
    pub(crate) url: String,
    /// Whether it is a shared inbox.
    pub(crate) shared: bool,
    /// Attempts at this inbox that failed in a row.
    pub(crate) inbox_failures: i64,
    /// The inbox failed: not before this.
    pub(crate) not_before: Option<Timestamp>,
    /// An Accept to one of its followers is not settled: not before this (docs/architecture.md#queues).
    pub(crate) held_until: Option<Timestamp>,
    pub(crate) activity: ActivityId,
    /// `Create` and so on.
    pub(crate) kind: String,
    pub(crate) actor: ActorId,
    /// The article that it is about.
    pub(crate) article: Option<ArticleId>,
    /// The note of ours that it is about.
    pub(crate) said: Option<InteractionId>,
    /// Whether the object's id is sent instead of the object, since the host answered 413 (interop R3).
    pub(crate) by_reference: bool,
    /// Which signatures the host takes.
    pub(crate) capabilities: PeerCapabilities,
    /// When it is no longer worth sending.
    pub(crate) expires_at: Timestamp,
}

words! {
    /// How a delivery ended.
    pub(crate) enum DeliveryEnd {
        /// The host took it.
        Delivered = "delivered",
        /// The host will not take it.
        Refused = "refused",
        /// The inbox is no more.
        Gone = "gone",
        /// It waited too long.
        Expired = "expired",
        /// What it was about was deleted or hidden.
        Withdrawn = "withdrawn",
    }
}
