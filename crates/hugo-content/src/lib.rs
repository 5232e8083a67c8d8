//! Reads a Hugo site's own source files as Hugo does, without running Hugo: configuration, pages, dates, addresses, shortcodes and
//! profiles, and where the site leads from old addresses.
//!
//! [`scan`] is the entry point. What it cannot read becomes a warning; nothing in a site makes it panic, run a program of
//! the site or leave the site's folder. A scan that is given the result of the last one reads only what has changed since.
//!
//! ```
//! use clock::Timestamp;
//! use hugo_content::{Memory, Settings, Visibility, scan};
//!
//! let site = tempfile::tempdir()?;
//! std::fs::write(site.path().join("hugo.toml"), "title = 'Ferry notes'")?;
//! std::fs::create_dir_all(site.path().join("content/post"))?;
//! let page = "---\ntitle: The first boat\ndate: 2025-03-05\n---\nIt sails at *nine*.";
//! std::fs::write(site.path().join("content/post/first-boat.md"), page)?;
//!
//! let settings = Settings::new(site.path().to_owned(), "https://ferry.example/".parse()?, Vec::new());
//! let now = Timestamp::parse_rfc3339("2026-01-01T12:00:00Z").ok_or("no date")?;
//! let scanned = scan(&settings, Memory::new(), now, &mut |_done, _all| {})?;
//!
//! let [post] = scanned.entries.as_slice() else { return Err("one post".into()) };
//! assert_eq!(post.url, "https://ferry.example/post/first-boat/");
//! assert_eq!(post.content, "<p>It sails at <em>nine</em>.</p>");
//! assert_eq!(post.visibility, Visibility::Public { until: None });
//!
//! // What was read once and looks as it did is not read again.
//! let memory: Memory = scanned.entries.iter().map(|entry| (entry.key.clone(), entry.clone())).collect();
//! assert_eq!(scan(&settings, memory, now, &mut |_done, _all| {})?.entries, scanned.entries);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod authors;
mod bounds;
mod cascade;
mod config;
mod content;
mod cores;
mod dates;
mod entry;
mod file;
mod frontmatter;
mod golang;
mod hash;
mod history;
mod identity;
mod images;
mod language;
mod markdown;
mod marker;
mod markup;
mod matcher;
mod opening;
mod page;
mod passthrough;
mod paths;
mod permalink;
mod profile;
mod profiles;
mod protection;
mod reader;
mod redirect_files;
mod redirects;
mod rights;
mod scan;
mod sections;
mod shortcodes;
mod summary;
mod tokens;
mod trace;
mod tree_state;
mod typographer;
mod visibility;
mod walk;
mod yaml;

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::PathBuf;

use clock::Timestamp;
use thiserror::Error;
use url::Url;

pub use self::entry::{Entry, Image, Visibility};
pub use self::frontmatter::lines as front_matter_lines;
pub use self::history::last_words;
pub use self::profile::AuthorProfile;
pub use self::redirects::{Redirects, RuleError, canonical};
pub use self::scan::{Scan, Warning};
pub use self::tree_state::{READING, TreeState, stamp};

use self::history::Changed;
use self::reader::Reader;
use self::rights::Hindrance;
use self::walk::PageFile;

/// What the last scan made of the posts, by their keys.
pub type Memory = HashMap<String, Entry>;

/// Sections taken for posts where the operator names none (docs/hugo.md#which-files-are-posts).
const USUAL_SECTIONS: &[&str] = &["post", "posts", "blog", "news", "article", "articles"];

/// Which site, and what of it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The site's folder, where its configuration is.
    pub root: PathBuf,
    /// Where git's own data is, if it is not in or above the site's folder.
    pub git_dir: Option<PathBuf>,
    /// The address under which the site is public; its own `baseURL` is often set only at the build.
    pub public_url: Url,
    /// First folders below the content folder whose pages are posts, as `post` or `blog/tech`; when empty, the
    /// usual ones.
    pub sections: Vec<String>,
    /// Keys of the languages whose posts are taken; when empty, all.
    pub languages: Vec<String>,
    /// Whose configuration counts, as `hugo --environment` has it.
    pub environment: String,
    /// Whether authors' links, roles and organisations become profile fields.
    pub profile_fields: bool,
    /// Whether a post's language is detected where the site does not say it.
    pub detect_language: bool,
}

impl Settings {
    /// A site with all its languages as `hugo` builds it by default.
    #[must_use]
    pub fn new(root: PathBuf, public_url: Url, sections: Vec<String>) -> Self {
        Self {
            root,
            git_dir: None,
            public_url,
            sections,
            languages: Vec::new(),
            environment: "production".to_owned(),
            profile_fields: false,
            detect_language: true,
        }
    }
}

/// Why a site cannot be scanned at all.
#[derive(Debug, Error)]
pub enum ScanError {
    /// The folder is not there.
    #[error("the site folder {} is not there; set `path` of the source to the folder that holds the site's configuration", root.display())]
    NoFolder {
        /// The folder.
        root: PathBuf,
    },
    /// It is a file.
    #[error("the site folder {} is a file; set `path` of the source to the folder that holds the site's configuration", root.display())]
    NotAFolder {
        /// The file.
        root: PathBuf,
    },
    /// The folder, or a folder above it, may not be looked into.
    #[error("the folder {} is there but may not be read: {}", folder.display(), rights::advice(folder))]
    NoRights {
        /// The folder.
        folder: PathBuf,
    },
    /// Nothing is in the folder.
    #[error("the site folder {} is empty; if its disk is not mounted or its files are still being copied, wait or mend that, else set `path` of the source to the site's own folder", root.display())]
    Empty {
        /// The folder.
        root: PathBuf,
    },
    /// The folder is no Hugo site.
    #[error("{} holds no Hugo configuration (hugo.toml, hugo.yaml, config.toml, config/_default …); set `path` of the source to the site's own folder", root.display())]
    NoConfiguration {
        /// The folder.
        root: PathBuf,
    },
    /// The configuration cannot be read.
    #[error("the site's configuration cannot be read: {file}{}: {why}; mend it so that `hugo` builds the site, then sync again", at_line(*line))]
    Configuration {
        /// Relative to the site's folder.
        file: String,
        /// Counted from 1.
        line: Option<u64>,
        /// What is wrong.
        why: String,
    },
    /// The content folder is not there.
    #[error("the content folder {} is not there; check `contentDir` in the site's configuration", folder.display())]
    NoContent {
        /// The folder.
        folder: PathBuf,
    },
}

fn at_line(line: Option<u64>) -> String {
    line.map(|line| format!(", line {line}")).unwrap_or_default()
}

/// Reads the whole site as it is at `now`, but for pages that `memory` holds as they still are; that changes nothing of what
/// it brings. `progress` hears of the files done and the files in all.
///
/// # Errors
/// Only when there is no site to read: see [`ScanError`]. What is wrong with single files is told in the scan's
/// warnings, and their posts stand in its `unreadable`.
pub fn scan(
    settings: &Settings,
    memory: Memory,
    now: Timestamp,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Scan, ScanError> {
    let root = || settings.root.clone();
    match rights::look(&settings.root) {
        None => {}
        Some(Hindrance::Missing) => return Err(ScanError::NoFolder { root: root() }),
        Some(Hindrance::NoFolder) => return Err(ScanError::NotAFolder { root: root() }),
        Some(Hindrance::NoRights) => return Err(ScanError::NoRights { folder: root() }),
        Some(Hindrance::Empty) => return Err(ScanError::Empty { root: root() }),
    }
    let mut scan = Scan::default();
    let site = config::load(&settings.root, &settings.environment, &mut scan.warnings)?;
    let tree = walk::walk(&settings.root, &site, &mut scan.warnings);
    scan.complete = tree.complete;
    scan.redirects = redirect_files::read(&settings.root, &settings.public_url, &mut scan.warnings);
    let changed = if site.git_info { committed(settings, &mut scan) } else { Changed::new() };
    let mut reader = Reader { settings, site: &site, changed: &changed, scan, closed: Vec::new() };
    reader.tell_of_gaps();
    reader.tell_of_adapters(&tree);
    let posts: Vec<&PageFile> = tree.pages.iter().filter(|file| reader.is_post(file)).collect();
    let all = count(posts.len() + tree.branches.len());

    let beside = reader.branches(&tree);
    let mut done = count(tree.branches.len());
    progress(done, all);
    let mut one_more = || {
        done += 1;
        progress(done, all);
    };
    Ok(reader.posts(&posts, beside, memory, now, &mut one_more))
}

/// The dates from git, for a site that wants them.
fn committed(settings: &Settings, scan: &mut Scan) -> Changed {
    scan.is_dated_by_git = true;
    history::read(&settings.root, settings.git_dir.as_deref()).unwrap_or_else(|why| {
        let message = format!("`enableGitInfo` is on, but there are no dates from git: {why}");
        scan.warnings.push(Warning { file: "the site configuration".to_owned(), line: None, message });
        Changed::new()
    })
}

fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}
