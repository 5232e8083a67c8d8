//! Keys as they stand in the table: sealed, in use or replaced.

use clock::Timestamp;

use crate::base::ids::{ActivityId, ActorId};

/// The setting that names the master key after its first change.
pub(crate) const MASTER_CHECK: &str = "master_key_check";

/// A key pair ready to be stored.
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
    /// `rsa` or `ed25519`.
    pub(crate) kind: String,
    /// Its place.
    pub(crate) fragment: String,
    /// The public half.
    pub(crate) public: String,
    /// The private half, sealed.
    pub(crate) sealed: String,
    /// When it was made.
    pub(crate) created_at: Timestamp,
}

/// A key that was replaced, kept while what was said before may still have to be signed with it.
#[derive(Clone, Debug)]
pub(crate) struct RetiredKey {
    /// Whose.
    pub(crate) actor: ActorId,
    /// Its place: that of the key it was, and the last activity it signs.
    pub(crate) fragment: String,
    /// The private key, sealed for this actor and fragment.
    pub(crate) sealed: String,
    /// The last activity it signs: the Update that told of its successor.
    pub(crate) until: ActivityId,
}

impl RetiredKey {
    /// Reads a row; `None` where the fragment is that of a key in use.
    #[must_use]
    pub(crate) fn read(actor: ActorId, fragment: String, sealed: String) -> Option<Self> {
        let until = ActivityId(fragment.split_once(UNTIL)?.1.parse().ok()?);
        Some(Self { actor, fragment, sealed, until })
    }

    pub(super) fn signs(&self, fragment: &str, activity: ActivityId) -> bool {
        self.fragment.split_once(UNTIL).is_some_and(|(of, _)| of == fragment) && activity.0 <= self.until.0
    }
}

/// In the fragment of a retired key, between what it was and the number of the last activity it signs.
pub(super) const UNTIL: &str = ".until.";
