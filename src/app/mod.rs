//! What every module is handed: configuration, database, clock, ids, the network, and the secrets to sign with.

pub mod worker;

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use clock::{Clock, Timestamp};
use moka::future::Cache;
use tokio::sync::{Mutex, Semaphore};
use tokio_util::task::TaskTracker;

use crate::activitypub::urls::{InvalidHome, Urls};
use crate::base::ids::Ids;
use crate::base::sealing::MasterKey;
use crate::config::Config;
use crate::db::Db;
use crate::net::budget::Budget;
use crate::net::client::Client;
use crate::net::keys::PrivateKey;
use crate::net::slots::Slots;
use crate::net::throttle::Throttles;

/// The running bridge; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// Why a key could not be had.
#[derive(Clone, Debug)]
pub(crate) enum NoKey {
    /// It may be there later.
    Passing(String),
    /// Its server says that it is gone for ever.
    Gone,
    /// It is not there, or not to be believed.
    Lasting(String),
}

/// The parts of an [`App`].
pub struct Parts {
    /// `veerpont.toml`.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
    /// Makes new ids.
    pub ids: Ids,
    /// The outgoing client.
    pub(crate) net: Client,
    /// Our own addresses.
    pub urls: Urls,
    /// Opens the sealed private keys.
    pub(crate) master: MasterKey,
    /// Private keys already opened, by their sealed text: a key that another process rotated or sealed anew is not found here.
    pub(crate) signers: Cache<String, PrivateKey>,
    /// When and why the key of a keyId could last not be had, so that a stranger cannot make us ask again and again, and is
    /// answered the same meanwhile (interop G8).
    pub(crate) failed_keys: Cache<String, (Timestamp, NoKey)>,
    /// Held while the key of a keyId is fetched, so that one fetch serves all who wait for it.
    pub(crate) key_flights: Cache<String, Arc<Mutex<()>>>,
    /// Fetches that strangers may cause at one host.
    pub(crate) fetches_at: Budget,
    /// Fetches that one source may cause without proving anything by them.
    pub(crate) fetches_for: Budget,
    /// Fetches that strangers may cause at a time, before anything of theirs is proved: in all, by one source, and at one
    /// registrable domain (interop G8).
    pub(crate) fetches: Arc<Slots>,
    /// Checks of who signed a GET that may be under way at a time.
    pub(crate) readers: Arc<Semaphore>,
    /// Rate limits for what strangers ask (interop G9).
    pub(crate) throttles: Throttles,
    /// Work that goes on after its request was answered; tests and the end of the program wait for it.
    pub(crate) afterwards: TaskTracker,
    /// Whether this node's clock is right enough for leases to mean anything.
    pub may_claim: AtomicBool,
    /// Whether the disk was nearly full when it was last looked at.
    was_full: AtomicBool,
    /// Whether another process may be this node now, so that nothing is claimed.
    pub replaced: AtomicBool,
    /// See [`App::kept`].
    kept: std::sync::Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

/// Most keys, private or missing, remembered at once.
const OPEN_KEYS: u64 = 10_000;

/// Fetches for requests that are not verified yet, at a time: in all, and of them for one source or at one domain.
const UNPROVED_FETCHES: usize = 256;
const UNPROVED_FETCHES_EACH: usize = 8;

/// The time in which fetches for requests that are not verified yet are counted.
const FETCH_WINDOW: Duration = Duration::from_mins(5);

/// Keys fetched from one host in that time, each with up to two requests: GoToSocial answers 300 (interop O2).
const FETCHES_AT_HOST: u32 = 150;

/// Keys fetched for one source in that time whose requests proved to be nothing (interop G8).
const FETCHES_FOR_SOURCE: u32 = 30;

/// Signed GETs whose signature may be under check at a time, after they were answered; of more, no note is taken.
const READERS_UNDER_WAY: usize = 256;

impl App {
    /// Puts the parts together.
    ///
    /// # Errors
    /// When the origin or the handle domain is not a valid address.
    pub(crate) fn new(
        config: Config,
        db: Db,
        clock: Clock,
        net: Client,
        master: MasterKey,
    ) -> Result<Self, InvalidHome> {
        let urls = Urls::new(&config.server.origin, Some(&config.server.handle_domain))?;
        let ids = Ids::new(clock.clone());
        let signers = Cache::new(OPEN_KEYS);
        let fetches = Slots::new(UNPROVED_FETCHES, UNPROVED_FETCHES_EACH);
        let may_claim = AtomicBool::new(true);
        let (failed_keys, key_flights) = (Cache::new(OPEN_KEYS), Cache::new(OPEN_KEYS));
        let fetches_at = Budget::new(FETCHES_AT_HOST, FETCH_WINDOW);
        let fetches_for = Budget::new(FETCHES_FOR_SOURCE, FETCH_WINDOW);
        let throttles = Throttles::new(&config.limits, &clock);
        Ok(Self(Arc::new(Parts {
            config,
            db,
            clock,
            ids,
            net,
            urls,
            master,
            signers,
            failed_keys,
            key_flights,
            fetches_at,
            fetches_for,
            fetches,
            readers: Arc::new(Semaphore::new(READERS_UNDER_WAY)),
            throttles,
            afterwards: TaskTracker::new(),
            may_claim,
            was_full: AtomicBool::new(false),
            replaced: AtomicBool::new(false),
            kept: std::sync::Mutex::default(),
        })))
    }

    /// What a module keeps in memory as long as the bridge runs, such as a cache: one of each type, made when it is first asked
    /// for.
    pub(crate) fn kept<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = all.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(make())).clone();
        drop(all);
        kept.downcast().unwrap_or_else(|_| unreachable!("it is kept under its type"))
    }

    /// Whether so little room is left on the disk that nothing from other servers is accepted; logged when it changes.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let keep_free = u64::from(self.config.limits.keep_free_mib.get()) * 1024 * 1024;
        let free = self.db.free_bytes();
        let full = free.is_some_and(|free| free < keep_free);
        if self.was_full.swap(full, Ordering::Relaxed) != full {
            let free_mib = free.map(|free| free / (1024 * 1024));
            if full {
                tracing::error!(
                    free_mib,
                    "the disk of the database is nearly full: nothing is taken in until there is room again"
                );
            } else {
                tracing::warn!(free_mib, "the disk of the database has room again");
            }
        }
        full
    }

    /// Whether this process may claim work.
    #[must_use]
    pub fn may_claim(&self) -> bool {
        self.may_claim.load(Ordering::Relaxed) && !self.replaced.load(Ordering::Relaxed)
    }
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// Our `User-Agent`: name, version and where to ask.
#[must_use]
pub fn user_agent(origin: &url::Url) -> String {
    format!("Veerpont/{} (+{})", env!("CARGO_PKG_VERSION"), origin.as_str().trim_end_matches('/'))
}
