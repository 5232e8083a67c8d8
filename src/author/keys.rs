//! Each actor's key pairs: minted with the actor, kept sealed, unsealed to sign.

use zeroize::Zeroizing;

use super::{Actor, store};
use crate::app::App;
use crate::db::Conn;
use crate::ids::ActorId;
use crate::net::keys::{KeyError, PrivateKey, generate_ed25519, generate_rsa};
use crate::sealing::{MasterKey, SealError};
use uuid::Uuid;

/// The fragment of the RSA key, as every peer expects it (interop A9).
pub const RSA_FRAGMENT: &str = "main-key";
/// The fragment of the Ed25519 key (interop A10).
pub const ED25519_FRAGMENT: &str = "ed25519-key";

/// A key pair ready to be stored.
#[derive(Clone, Debug)]
pub struct SealedKey {
    /// `rsa` or `ed25519`.
    pub kind: &'static str,
    /// What follows `#` in its id.
    pub fragment: &'static str,
    /// PEM for RSA, multibase for Ed25519.
    pub public: String,
    /// The private key, sealed for this actor and fragment.
    pub sealed: String,
}

/// The public halves, as the actor's document shows them.
#[derive(Clone, Debug)]
pub struct PublicHalves {
    /// SPKI PEM.
    pub rsa_pem: String,
    /// Multibase.
    pub ed25519: Option<String>,
}

/// What signs for an actor.
#[derive(Clone, Debug)]
pub struct Signer {
    /// `{actor}#main-key`, or `{actor}#ed25519-key`.
    pub key_id: String,
    /// The private key.
    pub key: PrivateKey,
}

/// Why an actor's keys could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// The pair itself.
    #[error("cannot make a key pair: {0}")]
    Key(#[from] KeyError),
    /// Its sealing.
    #[error("cannot seal a key pair: {0}")]
    Seal(#[from] SealError),
}

/// Makes both key pairs of a new actor; about a tenth of a second of work, so not inside a transaction.
///
/// # Errors
/// When the random source or the cipher fails.
pub fn mint(master: &MasterKey, actor: Uuid) -> Result<Vec<SealedKey>, MintError> {
    let (rsa, ed25519) = (generate_rsa()?, generate_ed25519()?);
    let seal = |kind, fragment, pkcs8: &Zeroizing<Vec<u8>>, public: &str| {
        let sealed = master.seal(pkcs8, &associated(actor, fragment))?;
        Ok::<_, MintError>(SealedKey { kind, fragment, public: public.to_owned(), sealed })
    };
    Ok(vec![
        seal("rsa", RSA_FRAGMENT, &rsa.pkcs8, &rsa.public)?,
        seal("ed25519", ED25519_FRAGMENT, &ed25519.pkcs8, &ed25519.public)?,
    ])
}

/// What signs for `actor` with the key of this fragment, from the cache or unsealed.
///
/// # Errors
/// When the actor has no such key or the master key does not open it.
pub async fn signer(app: &App, actor: &Actor, fragment: &'static str) -> anyhow::Result<Signer> {
    let key_id = format!("{}#{fragment}", actor.url(&app.urls));
    if let Some(key) = app.signers.get(&(actor.id, fragment)).await {
        return Ok(Signer { key_id, key });
    }
    let sealed = {
        let mut conn = app.db.read().await?;
        store::sealed_key(&mut conn, actor.id, fragment).await?
    };
    let sealed = sealed.ok_or_else(|| anyhow::anyhow!("actor @{} has no key #{fragment}", actor.handle))?;
    let key = PrivateKey::from_pkcs8(&app.master.open(&sealed, &associated(actor.uuid, fragment))?)?;
    app.signers.insert((actor.id, fragment), key.clone()).await;
    Ok(Signer { key_id, key })
}

/// The public halves of an actor's keys; `None` when it has none.
///
/// # Errors
/// The database's.
pub async fn public_halves(conn: &mut Conn, actor: ActorId) -> sqlx::Result<Option<PublicHalves>> {
    let rsa = store::public_key(conn, actor, RSA_FRAGMENT).await?;
    let ed25519 = store::public_key(conn, actor, ED25519_FRAGMENT).await?;
    Ok(rsa.map(|rsa_pem| PublicHalves { rsa_pem, ed25519 }))
}

/// Binds a sealed key to its actor and place, so that rows cannot be swapped.
pub(super) fn associated(actor: Uuid, fragment: &str) -> String {
    format!("{actor}#{fragment}")
}
