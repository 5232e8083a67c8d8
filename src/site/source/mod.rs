//! Where posts come from, and what a sync does about them.

pub mod apply;
pub(crate) mod choices;
pub mod connector;
mod error;
pub(crate) mod git;
pub(crate) mod hooks;
pub(crate) mod moves;
pub mod plan;
pub(crate) mod register;
pub mod report;
mod secret;
pub mod store;
pub mod sync;
mod unchanged;
pub mod unpublish;
pub(crate) mod watch;
pub mod worker;

use clock::Timestamp;

use crate::base::ids::{CommunityId, SourceId};

/// A source as the database knows it.
#[derive(Clone, Debug)]
pub struct Known {
    /// Row.
    pub id: SourceId,
    pub(crate) name: String,
    /// The community of its posts.
    pub community: CommunityId,
    /// When its first complete scan was committed: before that nothing is pushed.
    pub(crate) imported_at: Option<Timestamp>,
    pub(crate) scanned_at: Option<Timestamp>,
    /// The error of the last scan.
    pub error: Option<String>,
    /// How many scans in a row failed.
    pub failures: u32,
}

impl Known {
    /// A source of which nothing is known yet.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            id: SourceId(0),
            name: name.to_owned(),
            community: CommunityId(0),
            imported_at: None,
            scanned_at: None,
            error: None,
            failures: 0,
        }
    }
}
