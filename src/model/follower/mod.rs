//! Who follows which of our actors.

pub mod store;

use clock::Timestamp;
use serde::Serialize;

/// One follow, for people.
#[derive(Clone, Debug, Serialize)]
pub struct Follower {
    /// The remote actor's id.
    pub(crate) actor: String,
    /// Their user name.
    pub(crate) username: String,
    /// The handle of ours they follow.
    pub(crate) author: String,
    #[serde(serialize_with = "clock::as_rfc3339")]
    pub(crate) since: Timestamp,
}
