//! Private keys at rest: sealed with the master key, so that a copy of the database alone signs nothing (interop G10).

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::{Zeroize, Zeroizing};

/// Length of the master key, in bytes.
const KEY_LEN: usize = 32;

/// Marks the form of a sealed text: base64 of nonce, ciphertext and tag of AES-256-GCM.
const FORM: &str = "v1:";

/// The key that seals the private keys of our actors: 32 bytes, kept outside the database.
pub struct MasterKey(Zeroizing<[u8; KEY_LEN]>);

/// Why a text is no master key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MasterKeyError {
    /// The text is not base64.
    #[error("the master key is not base64; it must be 32 bytes in base64, 44 characters: restore it from your backup")]
    NotBase64,
    /// The text holds too few or too many bytes.
    #[error("the master key holds {0} bytes instead of 32; restore it from your backup")]
    Length(usize),
}

/// The machine gave no randomness, or no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cryptographic library failed; the machine may be out of memory or randomness")]
pub struct SealError;

/// Why a sealed text does not open. With AES-GCM a wrong key and a damaged text look the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a stored private key does not open: the master key is not the one it was sealed with, or the database is damaged; \
     restore the master key that belongs to this database"
)]
pub(crate) struct OpenError;

impl MasterKey {
    /// Makes a new key, as the text of its file: base64, 44 characters.
    ///
    /// # Errors
    /// When the machine gives no randomness.
    pub fn generate() -> Result<Zeroizing<String>, SealError> {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        aws_lc_rs::rand::fill(bytes.as_mut_slice()).map_err(|_| SealError)?;
        Ok(Zeroizing::new(STANDARD.encode(bytes.as_slice())))
    }

    /// Reads a key from the text of its file or variable; blanks and line ends around it do not count.
    ///
    /// # Errors
    /// When it is not 32 bytes in base64.
    pub fn from_base64(text: &str) -> Result<Self, MasterKeyError> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| MasterKeyError::NotBase64)?);
        let mut key = <[u8; KEY_LEN]>::try_from(bytes.as_slice()).map_err(|_| MasterKeyError::Length(bytes.len()))?;
        let master = Self(Zeroizing::new(key));
        key.zeroize();
        Ok(master)
    }

    /// Seals `plain`. `associated` says whose it is (actor and fragment): a sealed text moved to another row does not open.
    ///
    /// # Errors
    /// When the machine gives no randomness.
    pub(crate) fn seal(&self, plain: &[u8], associated: &str) -> Result<String, SealError> {
        let mut content = Zeroizing::new(plain.to_vec());
        let nonce = self
            .cipher()
            .and_then(|cipher| cipher.seal_in_place_append_tag(Aad::from(associated), &mut *content))
            .map_err(|_| SealError)?;
        let sealed = [nonce.as_ref().as_slice(), content.as_slice()].concat();
        Ok(format!("{FORM}{}", STANDARD.encode(sealed)))
    }

    /// Opens what [`Self::seal`] sealed for the same `associated`.
    ///
    /// # Errors
    /// When the key or `associated` is another, or the text is damaged: nobody can tell which.
    pub(crate) fn open(&self, sealed: &str, associated: &str) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let base64 = sealed.strip_prefix(FORM).ok_or(OpenError)?;
        let bytes = STANDARD.decode(base64).map_err(|_| OpenError)?;
        let (nonce, content) = bytes.split_at_checked(NONCE_LEN).ok_or(OpenError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError)?;
        let mut content = Zeroizing::new(content.to_vec());
        let plain_len = self
            .cipher()
            .and_then(|cipher| Ok(cipher.open_in_place(nonce, Aad::from(associated), &mut content)?.len()))
            .map_err(|_| OpenError)?;
        content.truncate(plain_len);
        Ok(content)
    }

    /// Tells one master key from another without giving it away: 32 random bytes cannot be guessed from their hash.
    pub(crate) fn check_value(&self) -> String {
        let text = [b"veerpont master key\0".as_slice(), self.0.as_slice()].concat();
        let text = Zeroizing::new(text);
        STANDARD.encode(digest(&SHA256, &text))
    }

    fn cipher(&self) -> Result<RandomizedNonceKey, aws_lc_rs::error::Unspecified> {
        RandomizedNonceKey::new(&AES_256_GCM, self.0.as_slice())
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn master() -> MasterKey {
        MasterKey::from_base64(&MasterKey::generate().expect("a key")).expect("reads back")
    }

    #[test]
    fn what_was_sealed_opens_with_the_same_key_and_owner_only() {
        let master = master();
        let sealed = master.seal(b"secret", "actor-1#main-key").expect("seals");
        assert!(sealed.starts_with("v1:"));
        assert_eq!(master.open(&sealed, "actor-1#main-key").expect("opens").as_slice(), b"secret");
        assert_eq!(master.open(&sealed, "actor-2#main-key"), Err(OpenError));
        assert_eq!(self::master().open(&sealed, "actor-1#main-key"), Err(OpenError));
        assert_ne!(master.seal(b"secret", "actor-1#main-key").expect("seals"), sealed, "each has its own nonce");
    }

    #[test]
    fn a_damaged_text_does_not_open() {
        let master = master();
        let sealed = master.seal(b"secret", "a").expect("seals");
        let mut bytes = STANDARD.decode(&sealed[3..]).expect("base64");
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            assert_eq!(master.open(&format!("v1:{}", STANDARD.encode(&bytes)), "a"), Err(OpenError), "byte {at}");
            bytes[at] ^= 1;
        }
        for text in ["", "v1:", "v1:AAAA", "v1:%", "v2:AAAA", &sealed[..sealed.len() - 4], &sealed[3..]] {
            assert_eq!(master.open(text, "a"), Err(OpenError), "{text}");
        }
    }

    #[test]
    fn a_bad_master_key_is_one_clear_sentence() {
        assert_eq!(MasterKey::from_base64("not base64!").expect_err("refused"), MasterKeyError::NotBase64);
        assert_eq!(MasterKey::from_base64("c2hvcnQ=").expect_err("refused"), MasterKeyError::Length(5));
        let text = MasterKey::generate().expect("a key");
        assert_eq!(text.len(), 44);
        assert!(MasterKey::from_base64(&format!(" {}\n", *text)).is_ok());
        assert_eq!(format!("{:?}", master()), "MasterKey");
    }
}
