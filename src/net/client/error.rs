//! Errors of the client, by what a caller does next.

use std::error::Error;
use std::io;
use std::path::PathBuf;

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// `extra_ca_file` cannot be read.
    #[error("[network] extra_ca_file {} cannot be read: {why}; name a PEM file of root certificates", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What the system, the PEM reader or the certificate reader said.
        why: String,
    },
    /// `extra_ca_file` holds no certificate.
    #[error("[network] extra_ca_file {} holds no certificate; name a PEM file of root certificates", .0.display())]
    CaFileEmpty(PathBuf),
    /// The User-Agent is no header value.
    #[error("the User-Agent must be plain text in one line")]
    UserAgent,
    /// The TLS library does not start.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Our own policy forbids it; trying again never helps.
    #[error("{0}")]
    Refused(String),
    /// The whole exchange took longer than its limit.
    #[error("the server did not answer in time")]
    Timeout,
    /// The name is unknown, or no connection was made.
    #[error("no connection: {0}")]
    Connect(String),
    /// The connection could not be secured.
    #[error("no secure connection: {0}")]
    Tls(String),
    /// The body is longer than its limit.
    #[error("the answer is longer than {limit} bytes")]
    TooLarge {
        /// In bytes, after decompression.
        limit: usize,
    },
    /// The connection broke, or the answer is no HTTP.
    #[error("the answer is broken: {0}")]
    Broken(String),
}

impl SendError {
    /// Sorts an error of the network: the connector's own error is somewhere in its chain of causes.
    pub(super) fn of_network(error: &hyper_util::client::legacy::Error) -> Self {
        if let Some(told) = causes(error).find_map(|cause| cause.downcast_ref::<Self>()) {
            return told.clone();
        }
        if let Some(tls) = causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
            return Self::Tls(tls.to_string());
        }
        // The connector itself always says so, so what else fails while connecting is the handshake.
        if error.is_connect() { Self::Tls(innermost(error)) } else { Self::broken(error) }
    }

    /// An answer that broke off or cannot be read.
    pub(super) fn broken(error: &(dyn Error + 'static)) -> Self {
        Self::Broken(innermost(error))
    }
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// An error and its causes. An `io::Error` hides the error it wraps from `source`, so it is asked directly.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| cause(error))
}

fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}
