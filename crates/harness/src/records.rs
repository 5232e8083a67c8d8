//! What a simulated server remembers of what came and what its users did.

use std::collections::BTreeSet;

use clock::Timestamp;
use serde_json::Value;

/// One POST to an inbox.
#[derive(Clone, Debug)]
pub struct Received {
    /// When it arrived, by the peer's clock.
    pub at: Timestamp,
    /// The path of the inbox: `/inbox` or `/users/ann/inbox`.
    pub inbox: String,
    /// The body; `null` where it was no JSON.
    pub activity: Value,
    /// The activity's type; empty where it has none.
    pub kind: String,
    /// The activity's id; empty where it has none.
    pub id: String,
    /// The id of what it is about; empty where it has none.
    pub object_id: String,
    /// Whether it holds to every rule, or the first one it breaks.
    pub verified: Result<(), String>,
    /// Whether the peer took it: verified, and not refused by a fault.
    pub taken: bool,
    /// The status answered; `None` where the connection was closed instead.
    pub status: Option<u16>,
}

/// How far a follow has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FollowState {
    /// Sent; nothing came back yet.
    Pending,
    /// An Accept came.
    Accepted,
    /// A Reject came.
    Rejected,
    /// The user took it back.
    Undone,
}

/// A follow as its own server remembers it.
#[derive(Clone, Debug)]
pub(super) struct Following {
    pub(super) activity: Value,
    pub(super) state: FollowState,
    /// Where the followed actor's server hears of the end of the account.
    pub(super) inbox: String,
}

/// A post of one of the users.
#[derive(Clone, Debug)]
pub(super) struct Status {
    pub(super) user: String,
    pub(super) document: Value,
    /// Where it was sent, and its edits and its end go.
    pub(super) inboxes: BTreeSet<String>,
    pub(super) deleted: bool,
}
