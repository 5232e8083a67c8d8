//! What a look at a source brings back.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::entry::Entry;
use crate::profile::AuthorProfile;
use crate::redirects::Redirects;

/// One look at a source.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Scan {
    /// Every post that could be read, public or not, in the order of their keys.
    pub entries: Vec<Entry>,
    /// Every author profile, and every author without a profile that a post names.
    pub authors: Vec<AuthorProfile>,
    /// Keys of posts whose files are there but could not be read: they count as present.
    pub unreadable: BTreeSet<String>,
    /// Slugs of authors whose profiles are there but could not be read: they stay as they were.
    pub unread_profiles: BTreeSet<String>,
    /// Everything the operator should know.
    pub warnings: Vec<Warning>,
    /// Where the site leads from old addresses.
    #[serde(skip)]
    pub redirects: Redirects,
    /// Whether the whole source was walked without an I/O error: only then may absence mean removal.
    pub complete: bool,
    /// Whether dates came from git, which a look at the files does not show.
    #[serde(skip)]
    pub is_dated_by_git: bool,
}

impl Scan {
    /// Leaves out who had a profile and only seems to have none: it could not be read, or not everything was walked.
    /// `had_profile` tells whether a slug had one.
    pub fn leave_unread_profiles(&mut self, had_profile: impl Fn(&str) -> bool) {
        let Self { authors, unread_profiles, complete, .. } = self;
        authors.retain(|profile| {
            let may_have_one = !*complete || unread_profiles.contains(&profile.slug);
            profile.has_profile || !may_have_one || !had_profile(&profile.slug)
        });
    }
}

/// Something odd in the source that did not stop the scan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Warning {
    /// Relative to the source.
    pub file: String,
    /// Counted from 1.
    pub line: Option<u64>,
    /// What is odd, what was done about it, and how to mend it.
    pub message: String,
}
