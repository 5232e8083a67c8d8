//! Who follows which of our actors.

pub mod store;

use clock::Timestamp;
use serde::Serialize;

/// One follow, for people.
#[derive(Clone, Debug, Serialize)]
pub struct Follower {
    /// The actor elsewhere.
    pub actor: String,
    /// What they are called there.
    pub username: String,
    /// The handle of ours they follow.
    pub author: String,
    /// Since when.
    #[serde(serialize_with = "clock::as_rfc3339")]
    pub since: Timestamp,
}
