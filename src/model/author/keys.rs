//! Each actor's key pairs: made with the actor, kept sealed, unsealed to sign.

use std::sync::Arc;

use clock::Timestamp;
use zeroize::Zeroizing;

use super::sealed::{RetiredKey, UNTIL};
use super::{Actor, store};
use crate::app::App;
use crate::base::ids::{ActivityId, ActorId};
use crate::base::sealing::{MasterKey, SealError};
use crate::db::Conn;
use crate::net::keys::{KeyError, PrivateKey, generate_ed25519, generate_rsa};
use uuid::Uuid;

pub(crate) use super::sealed::{MASTER_CHECK, SealedKey, StoredKey};

/// The fragment of the RSA key, as every peer expects it (interop A9).
pub const RSA_FRAGMENT: &str = "main-key";
/// The fragment of the Ed25519 key (interop A10).
pub(crate) const ED25519_FRAGMENT: &str = "ed25519-key";

/// The public keys, as the actor's document shows them.
#[derive(Clone, Debug)]
pub(crate) struct PublicHalves {
    /// SPKI PEM.
    pub(crate) rsa_pem: String,
    pub(crate) ed25519: Option<String>,
}

/// A key id with its private key.
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
pub(crate) fn mint(master: &MasterKey, actor: Uuid) -> Result<Vec<SealedKey>, MintError> {
    let (rsa, ed25519) = (generate_rsa()?, generate_ed25519()?);
    let seal = |kind, fragment, pkcs8: &Zeroizing<Vec<u8>>, public: &str| {
        let sealed = master.seal(pkcs8, &associated(actor, fragment))?;
        let (fragment, public) = (fragment.to_owned(), public.to_owned());
        Ok::<_, MintError>(SealedKey { kind, fragment, public, sealed, master: master.check_value() })
    };
    Ok(vec![
        seal("rsa", RSA_FRAGMENT, &rsa.pkcs8, &rsa.public)?,
        seal("ed25519", ED25519_FRAGMENT, &ed25519.pkcs8, &ed25519.public)?,
    ])
}

/// An actor's private keys, sealed: those in use, and retired ones that sign what was said before (ADR 10).
pub struct Keyring {
    actor: Actor,
    /// Fragment and key.
    used: Vec<(String, String)>,
    retired: Vec<RetiredKey>,
}

impl Keyring {
    /// Reads it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(conn: &mut Conn, actor: Actor) -> sqlx::Result<Self> {
        let keys = store::sealed_keys(conn, actor.id).await?;
        let (mut used, mut retired) = (Vec::new(), Vec::new());
        for (fragment, sealed, is_retired) in keys {
            if is_retired {
                retired.extend(RetiredKey::read(actor.id, fragment, sealed));
            } else {
                used.push((fragment, sealed));
            }
        }
        Ok(Self { actor, used, retired })
    }

    /// Whose keys they are.
    pub(crate) fn actor(&self) -> &Actor {
        &self.actor
    }

    /// What signs from now on with the key of this fragment, from the cache or unsealed.
    ///
    /// # Errors
    /// When the actor has no such key or the master key does not open it.
    pub async fn signer(&self, app: &App, fragment: &str) -> anyhow::Result<Signer> {
        let key = self.used.iter().find(|(of, _)| of == fragment);
        let (_, sealed) = key.ok_or_else(|| anyhow::anyhow!("actor @{} has no key #{fragment}", self.actor.handle))?;
        self.opened(app, fragment, sealed, fragment).await
    }

    /// What signed when this activity was said, if the key was rotated then or since.
    ///
    /// # Errors
    /// When the master key does not open it.
    pub async fn signer_then(&self, app: &App, fragment: &str, activity: ActivityId) -> anyhow::Result<Option<Signer>> {
        let then = self.retired.iter().filter(|key| key.signs(fragment, activity)).min_by_key(|key| key.until);
        let Some(key) = then else { return Ok(None) };
        self.opened(app, fragment, &key.sealed, &key.fragment).await.map(Some)
    }

    /// `place` is for which fragment it was sealed.
    async fn opened(&self, app: &App, fragment: &str, sealed: &str, place: &str) -> anyhow::Result<Signer> {
        let key_id = format!("{}#{fragment}", self.actor.url(&app.urls));
        Ok(Signer { key_id, key: open(app, &self.actor, sealed, place).await? })
    }
}

async fn open(app: &App, actor: &Actor, sealed: &str, fragment: &str) -> anyhow::Result<PrivateKey> {
    if let Some(key) = app.signers.get(sealed).await {
        return Ok(key);
    }
    let key = PrivateKey::from_pkcs8(&app.master.open(sealed, &associated(actor.uuid, fragment))?)?;
    app.signers.insert(sealed.to_owned(), key.clone()).await;
    Ok(key)
}

/// An actor's keys in use, removed, to be put back by [`retire`].
pub(crate) async fn replace(
    conn: &mut Conn,
    actor: ActorId,
    new: &[SealedKey],
    now: Timestamp,
) -> sqlx::Result<Vec<StoredKey>> {
    let old = store::take_keys(conn, actor).await?;
    store::insert_keys(conn, actor, new, now).await?;
    Ok(old)
}

/// Puts replaced keys back as retired: they sign everything up to `until`.
///
/// # Errors
/// The database's, or when the master key does not open them.
pub(crate) async fn retire(
    conn: &mut Conn,
    master: &MasterKey,
    actor: &Actor,
    old: Vec<StoredKey>,
    until: ActivityId,
    now: Timestamp,
) -> anyhow::Result<()> {
    for key in old {
        let fragment = format!("{}{UNTIL}{}", key.fragment, until.0);
        let plain = master.open(&key.sealed, &associated(actor.uuid, &key.fragment))?;
        let sealed = master.seal(&plain, &associated(actor.uuid, &fragment))?;
        store::insert_retired(conn, actor.id, &StoredKey { fragment, sealed, ..key }, now).await?;
    }
    Ok(())
}

/// Seals every private key with another master key, in one transaction: all or none. Returns how many.
///
/// # Errors
/// When one does not open with the present master key, or the database fails: then nothing has changed.
pub async fn reseal(app: &App, new: MasterKey) -> anyhow::Result<usize> {
    let (old, new) = (app.clone(), Arc::new(new));
    app.db
        .write(move |conn| {
            Box::pin(async move {
                store::lock_keys(conn).await?;
                let keys = store::all_sealed(conn).await?;
                for (actor, uuid, fragment, sealed) in &keys {
                    let bound = associated(*uuid, fragment);
                    let plain = old.master.open(sealed, &bound)?;
                    store::set_sealed(conn, *actor, fragment, &new.seal(&plain, &bound)?).await?;
                }
                store::set_master_check(conn, &new.check_value()).await?;
                Ok::<_, anyhow::Error>(keys.len())
            })
        })
        .await
}

/// Whether the private keys are still sealed with the master key of this process.
pub(crate) async fn master_fits(app: &App) -> sqlx::Result<bool> {
    let mut conn = app.db.read().await?;
    Ok(store::setting(&mut conn, MASTER_CHECK).await?.is_none_or(|check| check == app.master.check_value()))
}

/// An actor's public keys; `None` when it has none.
pub(crate) async fn public_halves(conn: &mut Conn, actor: ActorId) -> sqlx::Result<Option<PublicHalves>> {
    let rsa = store::public_key(conn, actor, RSA_FRAGMENT).await?;
    let ed25519 = store::public_key(conn, actor, ED25519_FRAGMENT).await?;
    Ok(rsa.map(|rsa_pem| PublicHalves { rsa_pem, ed25519 }))
}

/// Binds a sealed key to its actor and place, so that rows cannot be swapped.
pub(super) fn associated(actor: Uuid, fragment: &str) -> String {
    format!("{actor}#{fragment}")
}
