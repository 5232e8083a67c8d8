//! Hosts, what waits for them, and what became of it: a delivery's queue is its host (docs/architecture.md#queues, ADR 3).

pub mod attempt;
pub mod policy;
pub mod reason;
pub mod store;
mod turns;
pub mod worker;

use clock::Timestamp;
use serde::Serialize;

use crate::base::ids::{ActivityId, ActorId, ArticleId, HostId, InboxId, InteractionId};

/// The right to serve a host until the lease ends or another takes it.
#[derive(Clone, Debug)]
pub struct Lease {
    /// The host.
    pub host: HostId,
    /// Its name, for people.
    pub name: String,
    /// The fence: a settle with an old token is refused.
    pub token: i64,
    /// Attempts at the host that failed in a row.
    pub failures: i64,
    /// How often it was claimed in a row, this time included, and not let go of in order.
    pub begun: i64,
}

/// The oldest activity that waits for an inbox.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Where to.
    pub inbox: InboxId,
    /// The address.
    pub url: String,
    /// Whether many share it.
    pub shared: bool,
    /// Attempts at this inbox that failed in a row.
    pub inbox_failures: i64,
    /// Not before, when the inbox itself failed.
    pub not_before: Option<Timestamp>,
    /// Not before, while an Accept to one of its followers is not settled (docs/architecture.md#queues).
    pub held_until: Option<Timestamp>,
    /// What.
    pub activity: ActivityId,
    /// Its kind, `Create` and so on.
    pub kind: String,
    /// Who says it.
    pub actor: ActorId,
    /// What it is about.
    pub article: Option<ArticleId>,
    /// The note of ours that it is about.
    pub said: Option<InteractionId>,
    /// The stored body, sent as stored.
    pub body: String,
    /// Send the object's id instead of the object, since the peer answered 413 (interop R3).
    pub by_reference: bool,
    /// When it is no longer worth sending.
    pub expires_at: Timestamp,
}

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryEnd {
    /// The peer took it.
    Delivered,
    /// The peer will not take it.
    Refused,
    /// The peer's inbox is no more.
    Gone,
    /// It waited too long.
    Expired,
    /// What it was about is no longer to be told.
    Withdrawn,
}

impl DeliveryEnd {
    /// As the database and people have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Gone => "gone",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }
}
