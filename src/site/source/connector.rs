//! What every kind of source can do: say what is there now.

use clock::Timestamp;
use hugo_content::{Memory, Scan, TreeState};
use url::Url;

use super::git::{self, GitError, Standing};
use crate::config::{Repository, Source, SourceKind};

/// Called with how far a scan is: files done, files in all.
pub(crate) type Progress<'a> = &'a mut (dyn FnMut(u64, u64) + Send);

/// Why a source cannot be scanned at all; a fault that affects only part of it is a warning of the scan.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// A Hugo site.
    #[error(transparent)]
    Hugo(#[from] hugo_content::ScanError),
    /// A repository.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// A kind of source. A scan reads files or waits for a server, so it runs on a thread of its own.
pub trait Connector: Send + Sync {
    /// Scans everything there is. What `memory` holds unchanged need not be read.
    ///
    /// # Errors
    /// When there is nothing to scan, with a sentence that says what to do.
    fn scan(&self, memory: Memory, now: Timestamp, progress: Progress<'_>) -> Result<Scan, ScanError>;

    /// A stamp of what a scan depends on, without reading the files: as long as it is the same, so is the scan, but for
    /// the time. `None` where there is none.
    fn stamp(&self, seed: &str, now: Timestamp) -> Option<TreeState>;
}

struct HugoSite(hugo_content::Settings);

impl Connector for HugoSite {
    fn scan(&self, memory: Memory, now: Timestamp, progress: Progress<'_>) -> Result<Scan, ScanError> {
        Ok(hugo_content::scan(&self.0, memory, now, progress)?)
    }

    fn stamp(&self, seed: &str, now: Timestamp) -> Option<TreeState> {
        hugo_content::stamp(&self.0.root, seed, now)
    }
}

/// The connector of a configured source.
#[must_use]
pub fn of(source: &Source) -> Box<dyn Connector> {
    let public_url: Url = source.public_url.clone();
    match source.kind {
        SourceKind::Hugo => Box::new(HugoSite(hugo_content::Settings {
            root: source.path.clone(),
            git_dir: source.repository.as_ref().map(Repository::git_dir),
            public_url,
            sections: source.sections.clone(),
            profile_fields: source.profile_fields,
            detect_language: source.detect_language,
            languages: source.languages.clone(),
            environment: source.environment.clone(),
        })),
    }
}

/// Updates the files of a source with a repository; `None` for a plain folder.
///
/// # Errors
/// As [`git::update`].
pub(crate) async fn fetch(source: &Source) -> Result<Option<Standing>, ScanError> {
    let Some(repository) = &source.repository else { return Ok(None) };
    Ok(Some(git::update(repository).await?))
}
