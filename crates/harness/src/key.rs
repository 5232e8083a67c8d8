//! RSA keys of simulated servers, and the check of a signature against a key read from a stranger's document.

use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicEncryptingKey};
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";

/// An RSA-2048 key pair; clones share it, so that many peers can be made quickly.
#[derive(Clone)]
pub struct PeerKey {
    pair: Arc<RsaKeyPair>,
    pem: Arc<str>,
}

impl PeerKey {
    /// A new key.
    ///
    /// # Errors
    /// When the machine's source of chance fails.
    pub fn generate() -> Result<Self, String> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| "no RSA key could be made")?;
        let der: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| "the public key has no DER form")?;
        let pem = pem_of(der.as_ref());
        Ok(Self { pair: Arc::new(pair), pem: pem.into() })
    }

    /// The public half: SPKI in PEM, `BEGIN PUBLIC KEY` (interop A9).
    #[must_use]
    pub fn public_pem(&self) -> &str {
        &self.pem
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256 over `message`, in base64 (interop C1).
    ///
    /// # Errors
    /// When the library refuses to sign.
    pub fn sign(&self, message: &[u8]) -> Result<String, String> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| "the key refuses to sign")?;
        Ok(STANDARD.encode(signature))
    }
}

fn pem_of(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("{BEGIN}\n");
    for (column, letter) in text.chars().enumerate() {
        if column > 0 && column % 64 == 0 {
            pem.push('\n');
        }
        pem.push(letter);
    }
    pem.push('\n');
    pem.push_str(END);
    pem.push('\n');
    pem
}

/// Checks `signature` (base64) over `message` against a PEM read from an actor document.
///
/// # Errors
/// When the PEM is no SPKI RSA key of 2048 bits or more (A9), or the signature is not its owner's.
pub(super) fn verify(pem: &str, message: &[u8], signature: &str) -> Result<(), String> {
    let body = pem.trim().strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END));
    let body: String = body.ok_or("A9: publicKeyPem is no BEGIN PUBLIC KEY block")?.split_whitespace().collect();
    let der = STANDARD.decode(body).map_err(|_| "A9: publicKeyPem is not base64")?;
    PublicEncryptingKey::from_der(&der).map_err(|_| "A9: publicKeyPem is no SPKI RSA key of 2048 bits or more")?;
    let signature = STANDARD.decode(signature).map_err(|_| "C1: the signature is not base64")?;
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der)
        .verify(message, &signature)
        .map_err(|_| "C1: the signature does not fit the key".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_fits_its_own_key_alone() {
        let (ours, other) = (PeerKey::generate().expect("a key"), PeerKey::generate().expect("a key"));
        let signature = ours.sign(b"text").expect("a signature");
        assert_eq!(verify(ours.public_pem(), b"text", &signature), Ok(()));
        assert!(verify(ours.public_pem(), b"texts", &signature).is_err());
        assert!(verify(other.public_pem(), b"text", &signature).is_err());
        assert!(verify(&ours.public_pem().replace("PUBLIC", "RSA PUBLIC"), b"text", &signature).is_err());
    }
}
