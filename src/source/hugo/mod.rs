//! The Hugo connector: reads a Hugo site's own source files as Hugo does, without running Hugo.

mod authors;
mod bounds;
mod cascade;
mod config;
mod content;
mod cores;
mod dates;
mod file;
mod frontmatter;
mod golang;
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
mod profiles;
mod protection;
mod reader;
mod redirects;
mod release;
mod sections;
mod shortcodes;
mod summary;
mod tokens;
mod trace;
mod typographer;
mod walk;
mod yaml;

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use thiserror::Error;
use url::Url;

#[doc(hidden)]
pub use self::frontmatter::lines;
use clock::Timestamp;

use self::reader::Reader;
use self::walk::PageFile;
use super::connector::Memory;
use super::git::history::{self, Changed};
use super::rights::{self, Hindrance};
use super::scan::{Scan, Warning};

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

/// Reads the whole site as it is at `now`. `progress` hears of the files done and the files in all.
///
/// # Errors
/// Only when there is no site to read: see [`ScanError`]. What is wrong with single files is told in the scan's
/// warnings, and their posts stand in its `unreadable`.
pub fn scan(settings: &Settings, now: Timestamp, progress: &mut dyn FnMut(u64, u64)) -> Result<Scan, ScanError> {
    rescan(settings, Memory::new(), now, progress)
}

/// As [`scan`], and brings the same, but reads only pages that `memory` does not hold as they still are.
///
/// # Errors
/// As [`scan`].
pub fn rescan(
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
    scan.redirects = redirects::read(&settings.root, &settings.public_url, &mut scan.warnings);
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
