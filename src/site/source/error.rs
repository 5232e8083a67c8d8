//! Why a sync failed.

use super::connector::ScanError;
use super::register;
use crate::model::author::keys::MintError;
use crate::model::author::opt_in::Collision;

/// Why a sync failed; nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The source cannot be read.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// An author's handle is taken.
    #[error(transparent)]
    Handle(#[from] Collision),
    /// Another process scans it.
    #[error("the source `{0}` is being scanned by another process just now; try again in a moment")]
    Busy(String),
    /// The source is not known.
    #[error("there is no source `{0}` in the configuration; `veerpont config check` lists them")]
    Unknown(String),
    /// The post to deliver is not there, or not public.
    #[error("there is no published post `{0}` that was not sent yet; `veerpont post list` shows the keys")]
    NothingToDeliver(String),
    /// A key could not be made.
    #[error(transparent)]
    Mint(#[from] MintError),
    /// The scanning thread died.
    #[error("the scan stopped unexpectedly: {0}")]
    Thread(#[from] tokio::task::JoinError),
    /// The database.
    #[error("the database failed: {0}; nothing of this sync was kept")]
    Database(#[from] sqlx::Error),
}

crate::ends_writes!(SyncError);

impl From<register::SourceError> for SyncError {
    fn from(error: register::SourceError) -> Self {
        Self::Database(sqlx::Error::Protocol(error.to_string()))
    }
}
