//! Who follows which of our actors.

pub mod store;

use clock::Timestamp;
use serde::Serialize;

/// One follow, for people.
#[derive(Clone, Debug, Serialize)]
pub struct Follower {
    /// The actor elsewhere.
    pub(crate) actor: String,
    /// What they are called there.
    pub(crate) username: String,
    /// The handle of ours they follow.
    pub(crate) author: String,
    /// Since when.
    #[serde(serialize_with = "clock::as_rfc3339")]
    pub(crate) since: Timestamp,
}
