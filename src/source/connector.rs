//! The one question that every kind of source answers: what is there now?

use url::Url;

use super::hugo;
use super::scan::Scan;
use crate::clock::Timestamp;
use crate::config::{Source, SourceKind};

/// Told how far a scan is: files done, files in all.
pub type Progress<'a> = &'a mut (dyn FnMut(u64, u64) + Send);

/// Why a source cannot be scanned at all; what can be read despite a fault is a warning of the scan.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// A Hugo site.
    #[error(transparent)]
    Hugo(#[from] hugo::ScanError),
}

/// A kind of source. A scan reads files or waits for a server, so it runs on a thread of its own.
pub trait Connector: Send + Sync {
    /// Looks at everything there is.
    ///
    /// # Errors
    /// When there is nothing to look at, with a sentence that says what to do.
    fn scan(&self, now: Timestamp, progress: Progress<'_>) -> Result<Scan, ScanError>;
}

struct HugoSite(hugo::Settings);

impl Connector for HugoSite {
    fn scan(&self, now: Timestamp, progress: Progress<'_>) -> Result<Scan, ScanError> {
        Ok(hugo::scan(&self.0, now, progress)?)
    }
}

/// The connector of a configured source.
#[must_use]
pub fn of(source: &Source) -> Box<dyn Connector> {
    let public_url: Url = source.public_url.clone();
    match source.kind {
        SourceKind::Hugo => Box::new(HugoSite(hugo::Settings {
            root: source.path.clone(),
            public_url,
            sections: source.sections.clone(),
            profile_fields: source.profile_fields,
            detect_language: source.detect_language,
        })),
    }
}
