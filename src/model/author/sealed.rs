//! Keys as they are stored: sealed, in use or retired.

use clock::Timestamp;

use crate::base::ids::{ActivityId, ActorId};

/// The setting that names the master key after its first change.
pub(crate) const MASTER_CHECK: &str = "master_key_check";

#[derive(Clone, Debug)]
pub(crate) struct SealedKey {
    /// `rsa` or `ed25519`.
    pub(crate) kind: &'static str,
    /// What follows `#` in its id.
    pub(crate) fragment: String,
    /// PEM for RSA, multibase for Ed25519.
    pub(crate) public: String,
    /// The private key, sealed for this actor and fragment.
    pub(crate) sealed: String,
    /// Which master key sealed it.
    pub(crate) master: String,
}

/// A row of the keys table.
#[derive(Clone, Debug)]
pub(crate) struct StoredKey {
    pub(crate) kind: String,
    pub(crate) fragment: String,
    pub(crate) public: String,
    pub(crate) sealed: String,
    pub(crate) created_at: Timestamp,
}

/// A key that was replaced, kept while older activities may still have to be signed with it.
#[derive(Clone, Debug)]
pub(crate) struct RetiredKey {
    pub(crate) actor: ActorId,
    /// That of the key it was, and the last activity that it signs.
    pub(crate) fragment: String,
    /// The private key, sealed for this actor and fragment.
    pub(crate) sealed: String,
    /// The last activity that it signs: the Update that announced its successor.
    pub(crate) until: ActivityId,
}

impl RetiredKey {
    /// Reads a row; `None` where the fragment is that of a key in use.
    pub(crate) fn read(actor: ActorId, fragment: String, sealed: String) -> Option<Self> {
        let until = ActivityId(fragment.split_once(UNTIL)?.1.parse().ok()?);
        Some(Self { actor, fragment, sealed, until })
    }

    pub(super) fn signs(&self, fragment: &str, activity: ActivityId) -> bool {
        self.fragment.split_once(UNTIL).is_some_and(|(of, _)| of == fragment) && activity.0 <= self.until.0
    }
}

/// In the fragment of a retired key, between the original fragment and the number of the last activity that it signs.
pub(super) const UNTIL: &str = ".until.";
