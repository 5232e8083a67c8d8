//! Keys for signatures: ours are made and used here, others' are read and verified against here.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKey as RsaPublicKey};
use aws_lc_rs::signature::{
    ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaParameters,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Longest PEM text taken from a stranger, in bytes; RSA-4096 needs about 800.
const PEM_MAX: usize = 8 * 1024;

/// Sizes of RSA keys we verify with, in bits (interop H15).
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=4096;

/// Longest multibase text taken from a stranger, in bytes; an Ed25519 key has 48.
const MULTIBASE_MAX: usize = 256;

const ED25519_PUBLIC: [u8; 2] = [0xed, 0x01];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Rsa,
    Ed25519,
}

/// Why a key cannot be read, made, or used. Says nothing of the key itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is not one PEM block.
    #[error("the key is not a PEM block of at most {PEM_MAX} bytes")]
    NotPem,
    /// The PEM block holds something else than an RSA public key.
    #[error("the key is not an RSA public key")]
    NotRsa,
    /// The RSA key is too small to be safe, or too large to be cheap.
    #[error("the RSA key has {0} bits; 2048 to 4096 are taken")]
    Size(u32),
    /// The multibase text holds something else than an Ed25519 public key.
    #[error("the key is not an Ed25519 public key in base58 (z6Mk…)")]
    NotEd25519,
    /// The stored private key cannot be read.
    #[error("the private key is damaged: it is neither RSA nor Ed25519 in PKCS#8")]
    Damaged,
    /// The cryptographic library failed, which it does only when the machine is out of memory or randomness.
    #[error("the cryptographic library failed; the machine may be out of memory")]
    Library,
}

/// One of our private keys, RSA or Ed25519, parsed once and cheap to clone.
#[derive(Clone)]
pub struct PrivateKey(Arc<Pair>);

enum Pair {
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl PrivateKey {
    /// Reads a key in PKCS#8 (DER).
    ///
    /// # Errors
    /// When it is neither RSA nor Ed25519.
    pub(crate) fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, KeyError> {
        let pair = RsaKeyPair::from_pkcs8(pkcs8)
            .map(Pair::Rsa)
            .or_else(|_| Ed25519KeyPair::from_pkcs8(pkcs8).map(Pair::Ed25519));
        pair.map(|pair| Self(Arc::new(pair))).map_err(|_| KeyError::Damaged)
    }

    pub(crate) fn kind(&self) -> KeyKind {
        match &*self.0 {
            Pair::Rsa(_) => KeyKind::Rsa,
            Pair::Ed25519(_) => KeyKind::Ed25519,
        }
    }

    /// Signs: RSA with PKCS#1 v1.5 and SHA-256 (interop C1), Ed25519 as it is.
    ///
    /// # Errors
    /// [`KeyError::Library`] alone.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        match &*self.0 {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map_err(|_| KeyError::Library)?;
                Ok(signature)
            }
            Pair::Ed25519(pair) => {
                let signature = pair.try_sign(message).map_err(|_| KeyError::Library)?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &*self.0 {
            Pair::Rsa(_) => "PrivateKey(RSA)",
            Pair::Ed25519(_) => "PrivateKey(Ed25519)",
        })
    }
}

/// A new key: its private half to be sealed, its public half to be served.
pub(crate) struct GeneratedKey {
    /// PKCS#8, DER.
    pub(crate) pkcs8: Zeroizing<Vec<u8>>,
    /// RSA: a PEM block `PUBLIC KEY`. Ed25519: multibase, `z6Mk…`.
    pub(crate) public: String,
}

impl fmt::Debug for GeneratedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GeneratedKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// Makes an RSA key of 2048 bits, which every server accepts (interop C1). Takes about a tenth of a second of one core.
///
/// # Errors
/// [`KeyError::Library`] alone.
pub(crate) fn generate_rsa() -> Result<GeneratedKey, KeyError> {
    let make = || {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der()?;
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der()?;
        Ok(GeneratedKey { pkcs8: Zeroizing::new(pkcs8.as_ref().to_vec()), public: pem(public.as_ref()) })
    };
    make().map_err(|_: aws_lc_rs::error::Unspecified| KeyError::Library)
}

/// Makes an Ed25519 key.
///
/// # Errors
/// [`KeyError::Library`] alone.
pub(crate) fn generate_ed25519() -> Result<GeneratedKey, KeyError> {
    let make = || {
        let pair = Ed25519KeyPair::generate()?;
        let pkcs8 = pair.to_pkcs8v1()?;
        let public = [&ED25519_PUBLIC, pair.public_key().as_ref()].concat();
        Ok(GeneratedKey {
            pkcs8: Zeroizing::new(pkcs8.as_ref().to_vec()),
            public: format!("z{}", bs58::encode(public).into_string()),
        })
    };
    make().map_err(|_: aws_lc_rs::error::Unspecified| KeyError::Library)
}

/// DER as a PEM block `PUBLIC KEY`, in lines of 64 characters (RFC 7468).
fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut block = String::from("-----BEGIN PUBLIC KEY-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        block.push_str(line);
        block.push('\n');
        rest = after;
    }
    block.push_str("-----END PUBLIC KEY-----\n");
    block
}

/// A public key, parsed once and cheap to clone.
#[derive(Clone)]
pub struct PublicKey {
    kind: KeyKind,
    parsed: Arc<ParsedPublicKey>,
}

impl PublicKey {
    /// Reads a key as an actor's document has it and as it is stored: PEM for RSA, multibase for Ed25519.
    ///
    /// # Errors
    /// When it is neither, or an RSA key of another size than 2048 to 4096 bits.
    pub fn read(text: &str) -> Result<Self, KeyError> {
        if text.starts_with('z') { Self::from_multibase(text) } else { Self::from_pem(text) }
    }

    /// Reads the `publicKeyPem` of an actor: `PUBLIC KEY` (SPKI) or `RSA PUBLIC KEY` (PKCS#1), 2048 to 4096 bits.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let der = pem_content(text).ok_or(KeyError::NotPem)?;
        let key = RsaPublicKey::from_der(&der).map_err(|_| KeyError::NotRsa)?;
        let bits = RsaParameters::public_modulus_len(key.as_ref()).map_err(|_| KeyError::NotRsa)?;
        if !RSA_BITS.contains(&bits) {
            return Err(KeyError::Size(bits));
        }
        let parsed = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.as_ref()).map_err(|_| KeyError::NotRsa)?;
        Ok(Self { kind: KeyKind::Rsa, parsed: Arc::new(parsed) })
    }

    /// Reads the `publicKeyMultibase` of a Multikey (FEP-521a): an Ed25519 key in base58.
    ///
    /// # Errors
    /// When it is anything else.
    pub(crate) fn from_multibase(text: &str) -> Result<Self, KeyError> {
        let base58 = text.strip_prefix('z').filter(|_| text.len() <= MULTIBASE_MAX).ok_or(KeyError::NotEd25519)?;
        let bytes = bs58::decode(base58).into_vec().map_err(|_| KeyError::NotEd25519)?;
        let key = bytes.strip_prefix(&ED25519_PUBLIC).filter(|key| key.len() == 32).ok_or(KeyError::NotEd25519)?;
        let parsed = ParsedPublicKey::new(&ED25519, key).map_err(|_| KeyError::NotEd25519)?;
        Ok(Self { kind: KeyKind::Ed25519, parsed: Arc::new(parsed) })
    }

    pub(crate) fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Whether `signature` over `message` was made with this key's private half.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.parsed.verify_sig(message, signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?})", self.kind)
    }
}

/// The bytes of the first PEM block that is a public key.
fn pem_content(text: &str) -> Option<Vec<u8>> {
    if text.len() > PEM_MAX {
        return None;
    }
    ["PUBLIC KEY", "RSA PUBLIC KEY"].into_iter().find_map(|label| {
        let (_, after) = text.split_once(&format!("-----BEGIN {label}-----"))?;
        let (content, _) = after.split_once(&format!("-----END {label}-----"))?;
        let base64: String = content.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        STANDARD.decode(base64).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_rsa_key_signs_and_its_public_half_verifies() {
        let made = generate_rsa().expect("a key");
        assert!(made.public.starts_with("-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEF"));
        assert!(made.public.lines().all(|line| line.len() <= 64));
        let private = PrivateKey::from_pkcs8(&made.pkcs8).expect("reads back");
        let public = PublicKey::from_pem(&made.public).expect("reads back");
        let signature = private.sign(b"message").expect("signs");
        assert_eq!(signature.len(), 256);
        assert!(public.verify(b"message", &signature));
        assert!(!public.verify(b"another", &signature));
        assert!(!public.verify(b"message", &signature[1..]));
        assert!(!public.verify(b"message", b""));
    }

    #[test]
    fn an_ed25519_key_signs_and_its_public_half_is_multibase() {
        let made = generate_ed25519().expect("a key");
        assert!(made.public.starts_with("z6Mk"), "{}", made.public);
        let private = PrivateKey::from_pkcs8(&made.pkcs8).expect("reads back");
        let signature = private.sign(b"message").expect("signs");
        let public = PublicKey::read(&made.public).expect("a key");
        assert_eq!((private.kind(), public.kind()), (KeyKind::Ed25519, KeyKind::Ed25519));
        assert!(public.verify(b"message", &signature));
        assert!(!public.verify(b"another", &signature));
        // P-256, too short, not base58, and RSA in multibase.
        for text in ["z", "z6Mk", "zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169", "z6Mk0OIl", "z4MXj1wBzi9jUstyN"]
        {
            assert_eq!(PublicKey::read(text).expect_err("no key"), KeyError::NotEd25519, "{text}");
        }
        assert_eq!(PublicKey::read(&format!("z{}", "1".repeat(9999))).expect_err("long"), KeyError::NotEd25519);
    }

    #[test]
    fn pkcs1_and_untidy_pem_are_read() {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
        let pkcs1 = STANDARD.encode(pair.public_key().as_ref());
        let text = format!("\r\n-----BEGIN RSA PUBLIC KEY-----\r\n{pkcs1}\r\n-----END RSA PUBLIC KEY-----");
        PublicKey::from_pem(&text).expect("PKCS#1 in one long line");
    }

    #[test]
    fn what_is_no_rsa_key_of_2048_to_4096_bits_is_refused() {
        for bits in [1024_u16, 8192] {
            let bytes = bits / 8;
            let modulus = vec![0xff; bytes.into()];
            let [high, low] = (bytes + 1).to_be_bytes();
            let [whole_high, whole_low] = (bytes + 10).to_be_bytes();
            let head = [0x30, 0x82, whole_high, whole_low, 0x02, 0x82, high, low, 0x00];
            let der = [&head[..], &modulus, &[0x02, 0x03, 0x01, 0x00, 0x01]].concat();
            // DER wants the shortest form of a length.
            let short =
                [&[0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00][..], &modulus, &[0x02, 0x03, 0x01, 0x00, 0x01]].concat();
            let pkcs1 = STANDARD.encode(if bits == 1024 { short } else { der });
            let text = format!("-----BEGIN RSA PUBLIC KEY-----\n{pkcs1}\n-----END RSA PUBLIC KEY-----");
            assert_eq!(PublicKey::from_pem(&text).expect_err("size"), KeyError::Size(bits.into()));
        }

        let cut = "-----BEGIN PUBLIC KEY-----\n\
            MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC/1/v2ZuX0EYRGn6F3Fnu5X7aK\n\
            -----END PUBLIC KEY-----";
        assert_eq!(PublicKey::from_pem(cut).expect_err("cut off"), KeyError::NotRsa);

        let ed25519 = Ed25519KeyPair::generate().expect("a key");
        let der: PublicKeyX509Der<'_> = ed25519.public_key().as_der().expect("DER");
        assert_eq!(PublicKey::from_pem(&pem(der.as_ref())).expect_err("not RSA"), KeyError::NotRsa);

        for text in ["", "key", "-----BEGIN PUBLIC KEY-----", "-----BEGIN PUBLIC KEY-----\n%\n-----END PUBLIC KEY-----"]
        {
            assert_eq!(PublicKey::from_pem(text).expect_err("no PEM"), KeyError::NotPem, "{text}");
        }
        assert_eq!(PublicKey::from_pem(&"x".repeat(PEM_MAX + 1)).expect_err("too long"), KeyError::NotPem);
        assert_eq!(PrivateKey::from_pkcs8(b"junk").expect_err("junk"), KeyError::Damaged);
    }

    #[test]
    fn debug_shows_no_key() {
        let made = generate_ed25519().expect("a key");
        let private = PrivateKey::from_pkcs8(&made.pkcs8).expect("reads back");
        assert_eq!(format!("{private:?}"), "PrivateKey(Ed25519)");
        assert_eq!(format!("{made:?}"), format!("GeneratedKey {{ public: {:?}, .. }}", made.public));
    }
}
