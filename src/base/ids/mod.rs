//! Names of things: row ids, host names, handles; and chance, handed in.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use clock::{Clock, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use crate::base::stored::stored;

mod domain;

pub use domain::registrable;
pub(crate) use domain::{Domain, registrable_of};

/// Declares a row id: an integer that cannot be mistaken for another table's.
macro_rules! row_ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl Serialize for $name {
            /// As text: these numbers are beyond 2^53, so that many programs would round them.
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        stored! { $name as i64: |id: Self| id.0, |id| Some(Self(id)); }
    )+};
}

row_ids! {
    /// One of our actors.
    ActorId,
    /// An author of a source.
    AuthorId,
    /// A community.
    CommunityId,
    /// A source.
    SourceId,
    /// A post of a source.
    PostId,
    /// A post as the fediverse knows it.
    ArticleId,
    /// What somebody elsewhere said of an article.
    InteractionId,
    /// An activity of ours; these ids count up in the order of publication.
    ActivityId,
    /// A verified activity of somebody else's.
    InboundId,
    /// An actor elsewhere.
    RemoteActorId,
    /// A remote server.
    HostId,
    /// An address on a remote server that takes activities.
    InboxId,
    /// A block of an actor, a domain or a keyword.
    BlockId,
    /// A list of blocks that was imported.
    ListId,
    /// A report of somebody elsewhere.
    ReportId,
}

/// Actors within a document of ours in the database, where their rows are numbers as everywhere there.
pub(crate) mod actors_as_numbers {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::ActorId;

    /// As numbers.
    pub(crate) fn serialize<S: Serializer>(actors: &[ActorId], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(actors.iter().map(|actor| actor.0))
    }

    /// From numbers.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ActorId>, D::Error> {
        Ok(Vec::<i64>::deserialize(deserializer)?.into_iter().map(ActorId).collect())
    }
}

/// How many bits of a row id are chance.
const CHANCE_BITS: u32 = 21;

/// Makes new ids, and seeds for jitter.
///
/// Row ids are 63 bits: 42 of milliseconds, so that neighbours in time are neighbours in an index, then 21 of
/// chance, so that several processes on one database need no common counter (ADR 2).
#[derive(Clone, Debug)]
pub struct Ids {
    clock: Clock,
    last: Arc<AtomicI64>,
}

impl Ids {
    /// Names whose time part comes from `clock`.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, last: Arc::new(AtomicI64::new(0)) }
    }

    /// A public name: random, so that it tells nothing and cannot be guessed.
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub(crate) fn uuid() -> Uuid {
        Uuid::new_v4()
    }

    /// A new row id, greater than every one this process gave before.
    #[must_use]
    pub fn row(&self) -> i64 {
        let (_, random) = Self::uuid().as_u64_pair();
        let chance = i64::try_from(random & ((1 << CHANCE_BITS) - 1)).unwrap_or(0);
        let fresh = (self.clock.now().millis().max(0) << CHANCE_BITS) | chance;
        let next = |last: i64| fresh.max(last.saturating_add(1));
        let previous = self
            .last
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(next(last)))
            .unwrap_or_else(|last| last);
        next(previous)
    }

    /// The first row id that could be made at a moment: a row with a smaller one is older.
    #[must_use]
    pub fn first_at(moment: Timestamp) -> i64 {
        moment.millis().max(0) << CHANCE_BITS
    }

    /// A seed for jitter.
    #[must_use]
    pub fn jitter_seed(&self) -> u64 {
        Self::uuid().as_u64_pair().1
    }
}

/// A remote server: `host` or `host:port`, lower case, punycode, without a trailing dot; the port only where it
/// is not the scheme's own (docs/architecture.md#queues).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Host(String);

impl Host {
    /// The host of an address; `None` where it has none.
    #[must_use]
    pub fn of(url: &Url) -> Option<Self> {
        let name = url.host_str()?.trim_end_matches('.').to_ascii_lowercase();
        if name.is_empty() {
            return None;
        }
        Some(Self(match url.port() {
            Some(port) => format!("{name}:{port}"),
            None => name,
        }))
    }

    /// The host of an address that is a text; `None` where it is no address, or has none.
    pub(crate) fn named_in(address: &str) -> Option<Self> {
        Self::of(&Url::parse(address).ok()?)
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The local part of `@handle@domain`: lower case, `[a-z0-9_]+([.-]+[a-z0-9_]+)*`, at most 64 characters, so that
/// every peer takes it (interop A6).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Handle(String);

/// Longest handle we give.
const HANDLE_MAX: usize = 64;

/// Why a text is no handle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` cannot be a handle: use letters a-z, digits and _, with single . or - between them, at most {HANDLE_MAX} characters"
)]
pub struct InvalidHandle(String);

impl Handle {
    /// Takes a handle as an operator wrote it; case does not count.
    ///
    /// # Errors
    /// When peers would not take it (interop A6).
    pub fn parse(text: &str) -> Result<Self, InvalidHandle> {
        let handle = text.to_lowercase();
        let between = |c: char| c == '.' || c == '-';
        let valid = !handle.is_empty()
            && handle.len() <= HANDLE_MAX
            && handle.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || between(c))
            && !handle.starts_with(between)
            && !handle.ends_with(between);
        if valid { Ok(Self(handle)) } else { Err(InvalidHandle(text.to_owned())) }
    }

    /// Brings a source's own name for an author to a handle: accents stripped, every other run of characters a
    /// single `-`; `None` where nothing is left.
    pub(crate) fn from_slug(slug: &str) -> Option<Self> {
        use unicode_normalization::UnicodeNormalization;
        let plain: String = slug
            .nfkd()
            .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
            .flat_map(char::to_lowercase)
            .map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '.' { c } else { '-' })
            .collect();
        let words: Vec<&str> =
            plain.split('-').map(|word| word.trim_matches('.')).filter(|word| !word.is_empty()).collect();
        let mut handle = words.join("-");
        handle.truncate(HANDLE_MAX);
        Self::parse(handle.trim_end_matches(['-', '.'])).ok()
    }

    /// As text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The user's name in a handle as people write it, and its host where it has one: `ann`, `@ann`, `ann@example.org`,
/// `@ann@example.org`.
pub(crate) fn split_handle(text: &str) -> (&str, Option<&str>) {
    let bare = text.strip_prefix('@').unwrap_or(text);
    bare.rsplit_once('@').map_or((bare, None), |(user, host)| (user, Some(host)))
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use clock::Timestamp;

    use super::*;

    #[test]
    fn row_ids_only_go_up() {
        let ids = Ids::new(Clock::manual(Timestamp::from_millis(1_700_000_000_000)));
        let given: Vec<i64> = (0..1000).map(|_| ids.row()).collect();
        assert!(given.windows(2).all(|pair| matches!(pair, [a, b] if a < b)));
    }

    #[test]
    fn handles_are_what_every_peer_takes() {
        for good in ["ann", "a.b-c_d", "x1", "Ann"] {
            assert!(Handle::parse(good).is_ok(), "{good}");
        }
        for bad in ["", ".a", "a-", "a b", "é", "a@b", &"x".repeat(65)] {
            assert!(Handle::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Handle::from_slug("Ferreira Lômba, Tânia").expect("a handle").as_str(), "ferreira-lomba-tania");
        assert_eq!(Handle::from_slug("日本"), None);
    }

    #[test]
    fn a_handle_is_split_however_it_is_written() {
        for (text, parts) in [
            ("ann", ("ann", None)),
            ("@ann", ("ann", None)),
            ("ann@example.org", ("ann", Some("example.org"))),
            ("@ann@example.org", ("ann", Some("example.org"))),
            ("ann@else@example.org", ("ann@else", Some("example.org"))),
            ("@", ("", None)),
        ] {
            assert_eq!(split_handle(text), parts, "{text}");
        }
    }

    #[test]
    fn a_host_is_normalised() {
        let host = |url: &str| Host::of(&Url::parse(url).expect("an address")).map(|host| host.to_string());
        assert_eq!(host("https://Bücher.example./x").as_deref(), Some("xn--bcher-kva.example"));
        assert_eq!(host("https://a.example:443/").as_deref(), Some("a.example"));
        assert_eq!(host("http://127.0.0.1:8080/").as_deref(), Some("127.0.0.1:8080"));
    }
}
