//! What is noted of a page beside its entry, so that it need not be read again while nothing that decides over it has
//! changed (ADR 8).

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;

use clock::Timestamp;
use serde::{Deserialize, Serialize};
use walkdir::WalkDir;

use super::hash::sha256;
use super::images;
use super::visibility::PublishRule;
use super::walk::PageFile;
use crate::entry::Entry;
use crate::tree_state::{MetadataHash, READING, TreeState};

/// Bytes; a page of which more is to be noted is read each time.
const MAX_TRACE: usize = 16 * 1024;

/// Beside what is in the entry, all that a scan needs of a page that it does not read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Trace {
    /// [`tree_state`] of the page as it was read.
    pub(super) sum: String,
    /// The cover as the page names it, which may lie outside of its bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cover: Option<String>,
    /// Pages it refers to, and the addresses they had.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) references: BTreeMap<String, Option<String>>,
    /// Its authors' names as it writes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) names: Vec<String>,
    #[serde(rename = "release")]
    pub(super) rule: PublishRule,
    /// What there was to warn of: lines and messages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) warnings: Vec<(Option<u64>, String)>,
}

impl Trace {
    /// What the last scan noted with an entry, if anything.
    pub(super) fn of(entry: &Entry) -> Option<Self> {
        serde_json::from_str(entry.trace.as_deref()?).ok()
    }

    /// As it is kept with the entry.
    pub(super) fn noted(&self) -> Option<String> {
        serde_json::to_string(self).ok().filter(|text| text.len() <= MAX_TRACE)
    }
}

/// One hash over all that decides over every page alike.
pub(super) fn ground(decides: &impl Debug) -> String {
    sha256(&format!("{} {READING}\n{decides:?}", env!("CARGO_PKG_VERSION")))
}

/// What a page looks like without reading it: its file, what lies in its bundle, and the places where its cover may be.
/// `None` when not all of that can be looked at.
pub(super) fn stamp(
    ground: &str,
    file: &PageFile,
    root: &Path,
    cover: Option<&str>,
    now: Timestamp,
) -> Option<TreeState> {
    let mut look = MetadataHash::new(&format!("{ground}\n{file:?}"));
    look.at(&file.path, &file.path)?;
    for entry in file.bundle.iter().flat_map(|folder| WalkDir::new(folder).follow_links(true).sort_by_file_name()) {
        let entry = entry.ok()?;
        look.add(entry.path(), &entry.metadata().ok()?);
    }
    for place in cover.map(|cover| images::places(root, cover)).unwrap_or_default() {
        if look.at(&place, &place).is_none() {
            look.nowhere(&place);
        }
    }
    Some(look.finish(now))
}
