//! TLS served by ourselves: a certificate and its key, read again when the files change.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use anyhow::Context;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use crate::config;

/// How often the files are looked at. Their content counts, so that links that are turned elsewhere are noticed.
pub(super) const LOOK: Duration = Duration::from_secs(10);

/// The certificate in use, and the files it came from.
#[derive(Debug)]
pub(super) struct Certificates {
    files: config::Tls,
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
    /// What the files held when they were last read, broken or not.
    seen: Mutex<Files>,
}

/// The content of both files. Printing it shows nothing of it.
#[derive(PartialEq, Eq)]
struct Files {
    cert: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Files")
    }
}

impl Certificates {
    /// Reads both files.
    ///
    /// # Errors
    /// What is wrong with which of them.
    pub(super) fn open(files: &config::Tls) -> anyhow::Result<Arc<Self>> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let seen = read(files)?;
        let current = RwLock::new(Arc::new(certified(files, &seen, &provider)?));
        warn_of_readers(&files.key);
        Ok(Arc::new(Self { files: files.clone(), provider, current, seen: Mutex::new(seen) }))
    }

    /// What TLS connections are accepted with: HTTP/2, or HTTP/1.1.
    ///
    /// # Errors
    /// When the TLS library does not start.
    pub(super) fn acceptor(self: &Arc<Self>) -> anyhow::Result<TlsAcceptor> {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// Reads the files again if they changed. A pair that does not hold leaves the one in use, and says so loudly.
    pub(super) fn look_again(&self) {
        let found = match read(&self.files) {
            Ok(found) => found,
            // Gone for a moment while they are replaced, or for good: it is said at each look until it is right.
            Err(error) => return tracing::error!(error = format!("{error:#}"), "the old certificate stays in use"),
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == found {
            return;
        }
        match certified(&self.files, &found, &self.provider) {
            Ok(new) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
                tracing::info!(file = %self.files.cert.display(), "serving the new certificate");
                warn_of_readers(&self.files.key);
            }
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "the new certificate is not used; the old one stays");
            }
        }
        *seen = found;
    }

    /// [`Certificates::look_again`], while nobody waits for the files.
    pub(super) async fn watch(self: Arc<Self>) -> anyhow::Result<()> {
        Ok(tokio::task::spawn_blocking(move || self.look_again()).await?)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn read(files: &config::Tls) -> anyhow::Result<Files> {
    let read = |key: &str, path: &Path| {
        fs::read(path).with_context(|| format!("[server] {key} {} cannot be read; name a PEM file", path.display()))
    };
    Ok(Files { cert: read("tls_cert", &files.cert)?, key: Zeroizing::new(read("tls_key", &files.key)?) })
}

fn certified(files: &config::Tls, found: &Files, provider: &CryptoProvider) -> anyhow::Result<CertifiedKey> {
    let (cert, key) = (files.cert.display(), files.key.display());
    let chain = CertificateDer::pem_slice_iter(&found.cert)
        .collect::<Result<Vec<_>, _>>()
        .ok()
        .filter(|chain| !chain.is_empty())
        .with_context(|| format!("[server] tls_cert {cert} holds no certificate in PEM; name the whole chain"))?;
    // The reader's own error is not passed on: it might quote the key.
    let private = PrivateKeyDer::from_pem_slice(&found.key)
        .ok()
        .with_context(|| format!("[server] tls_key {key} holds no private key in PEM"))?;
    CertifiedKey::from_der(chain, private, provider).with_context(|| {
        format!("[server] tls_key {key} is not the key of tls_cert {cert}, or of no kind that TLS takes")
    })
}

#[cfg(unix)]
fn warn_of_readers(key: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(about) = fs::metadata(key) else { return };
    if about.permissions().mode() & 0o077 != 0 {
        let file = key.display();
        tracing::warn!(%file, "other users of this machine may read the TLS key; `chmod 600` closes it");
    }
}

#[cfg(not(unix))]
fn warn_of_readers(_: &Path) {}

#[cfg(test)]
mod tests;
