//! Trusted certificates: the system's root certificates, and those the operator adds.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::ClientError;

/// TLS as the client speaks it. A system without root certificates is no error: each https request then says so itself.
pub(super) fn client_config(extra_ca_file: Option<&Path>) -> Result<ClientConfig, ClientError> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (taken, _) = roots.add_parsable_certificates(found.certs);
    if taken == 0 {
        tracing::warn!("this system has no root certificates; https to the public internet will fail without them");
    }
    if let Some(path) = extra_ca_file {
        add_file(&mut roots, path)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ClientError::Tls(error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), ClientError> {
    let unreadable = |why: String| ClientError::CaFile { path: path.to_owned(), why };
    let text = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let mut any = false;
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
        any = true;
    }
    if any { Ok(()) } else { Err(ClientError::CaFileEmpty(path.to_owned())) }
}
