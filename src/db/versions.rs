//! Versions of what caches hold: a write says what it changes, and what was cached of that before is no longer fresh once the write is
//! committed. What other processes change is noticed by [`Db::catch_up`].

use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{Conn, Db, query};
use crate::base::ids::{ActorId, ArticleId, InteractionId};

/// What something cached was made from, and a write changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Topic<'a> {
    /// One of our actors: its profile, state and keys.
    Actor(ActorId),
    /// Which actors and communities there are.
    Actors,
    /// An article: its document, its state, and whom it is for.
    Article(ArticleId),
    /// Which articles there are, of whom, and in which order.
    Articles,
    /// What is said below an article, and how much.
    Conversation(ArticleId),
    /// A note of ours, or what somebody said.
    Interaction(InteractionId),
    /// Who follows one of our actors, and how many.
    Followers(ActorId),
    /// An actor elsewhere and its keys, by its id.
    RemoteActor(&'a str),
    /// How a host reads and makes signatures, by its name.
    Peer(&'a str),
    /// What waits to be delivered, by other means than its addition and its delivery.
    Deliveries,
    /// Blocks, limits and keywords.
    Moderation,
}

/// How many versions there are: topics that share one make each other stale, which costs a read and no more.
const SLOTS: usize = 4096;

/// How many rows the writers of all processes share, so that on `PostgreSQL` they seldom wait for each other.
const ROWS: usize = 16;

impl Topic<'_> {
    fn slot(&self) -> Slot {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        Slot(usize::try_from(hasher.finish() % SLOTS as u64).unwrap_or_default())
    }
}

/// The place of a topic's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Slot(usize);

/// What the present version of some topics is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stamp(u64);

/// The versions of this process, and how much of what all processes changed it knows of. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Versions(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    slots: Vec<AtomicU64>,
    /// Raised when another process changed anything: everything may be stale then.
    all: AtomicU64,
    next_row: AtomicUsize,
    /// How many changes this process committed.
    own: AtomicI64,
    /// How many the other processes did, when that was last read.
    others: Mutex<Option<i64>>,
    began: Instant,
    /// When that was, in milliseconds since `began`, plus one; none yet where it is 0.
    looked: AtomicU64,
}

impl Versions {
    pub(super) fn new() -> Self {
        Self(Arc::new(Inner {
            slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
            all: AtomicU64::new(0),
            next_row: AtomicUsize::new(
                usize::try_from(RandomState::new().hash_one(()) % ROWS as u64).unwrap_or_default(),
            ),
            own: AtomicI64::new(0),
            others: Mutex::default(),
            began: Instant::now(),
            looked: AtomicU64::new(0),
        }))
    }

    /// Within a transaction that changes something, its last statement: other processes will notice.
    pub(super) async fn note(&self, conn: &mut Conn) -> sqlx::Result<()> {
        let row = self.0.next_row.fetch_add(1, Ordering::Relaxed) % ROWS;
        query(
            "INSERT INTO counters (name, value) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET value = counters.value + 1",
            format!("changes-{row:02}"),
        )
        .execute(conn)
        .await
    }

    /// After such a transaction was committed; or may have been, where its `commit` failed.
    pub(super) fn raise(&self, slots: &[Slot], committed: bool) {
        for slot in slots {
            self.of(*slot).fetch_add(1, Ordering::SeqCst);
        }
        if committed && !slots.is_empty() {
            self.0.own.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn of(&self, slot: Slot) -> &AtomicU64 {
        self.0.slots.get(slot.0).unwrap_or(&self.0.all)
    }

    fn stamp(&self, topics: &[Topic<'_>]) -> Stamp {
        // Each only grows, so that their sum is another one once any of them has grown.
        let versions = topics.iter().map(|topic| self.of(topic.slot()).load(Ordering::SeqCst));
        Stamp(versions.fold(self.0.all.load(Ordering::SeqCst), u64::wrapping_add))
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX - 1)
    }

    fn is_recent(&self, at_most: Duration) -> bool {
        let looked = self.0.looked.load(Ordering::Acquire);
        looked > 0 && u128::from((self.millis() + 1).saturating_sub(looked)) < at_most.as_millis()
    }
}

impl Db {
    /// The version of what something is made from. Take it before anything is read for it, and keep it with the result: that
    /// is fresh as long as this returns an equal one.
    pub(crate) fn stamp(&self, topics: &[Topic<'_>]) -> Stamp {
        self.told.versions.stamp(topics)
    }

    /// Notices what other processes changed, unless that was last done less than `at_most` ago: whatever is cached may be stale
    /// then. One statement at most; who comes meanwhile waits for it.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn catch_up(&self, at_most: Duration) -> sqlx::Result<()> {
        let inner = &self.told.versions.0;
        if self.told.versions.is_recent(at_most) {
            return Ok(());
        }
        let mut others = inner.others.lock().await;
        if self.told.versions.is_recent(at_most) {
            return Ok(());
        }
        let at = self.told.versions.millis() + 1;
        let mut conn = self.read().await?;
        let all: i64 = query(
            "SELECT CAST(COALESCE(SUM(value), 0) AS BIGINT) FROM counters WHERE name >= 'changes-' AND name < 'changes.'",
            (),
        )
        .scalar(&mut conn)
        .await?;
        // A change of our own that was committed since is taken for one fewer of the others': at the worst all is read once more.
        let now = all - inner.own.load(Ordering::SeqCst);
        if *others != Some(now) {
            *others = Some(now);
            inner.all.fetch_add(1, Ordering::SeqCst);
        }
        inner.looked.store(at, Ordering::Release);
        Ok(())
    }
}

/// Where the version of a topic is kept.
pub(super) fn slot(topic: Topic<'_>) -> Slot {
    topic.slot()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::changed;

    const ONE: [Topic<'static>; 1] = [Topic::Article(ArticleId(1))];
    const BOTH: [Topic<'static>; 2] = [Topic::Article(ArticleId(1)), Topic::Moderation];

    async fn change(db: &Db, topic: Topic<'static>, keep: bool) {
        let write = db.write(move |_| {
            Box::pin(async move {
                changed(topic);
                if keep { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
            })
        });
        assert_eq!(write.await.is_ok(), keep);
    }

    #[tokio::test]
    async fn what_a_write_changed_is_stale_once_it_is_committed() {
        let db = Db::in_memory().await.expect("a database");
        let [one, both] = [db.stamp(&ONE), db.stamp(&BOTH)];
        change(&db, Topic::Moderation, false).await;
        assert_eq!([one, both], [db.stamp(&ONE), db.stamp(&BOTH)], "what was undone changed nothing");
        change(&db, Topic::Moderation, true).await;
        assert_eq!(one, db.stamp(&ONE));
        assert_ne!(both, db.stamp(&BOTH));
    }

    #[tokio::test]
    async fn what_another_process_changed_is_stale_once_it_was_caught_up_with() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}/v.db", folder.path().display());
        let (here, there) = (Db::open(&url).await.expect("a database"), Db::open(&url).await.expect("a database"));
        here.catch_up(Duration::ZERO).await.expect("a look");
        let before = here.stamp(&ONE);
        change(&here, Topic::Moderation, true).await;
        here.catch_up(Duration::ZERO).await.expect("a look");
        assert_eq!(before, here.stamp(&ONE), "one's own changes are known");
        change(&there, Topic::Moderation, true).await;
        here.catch_up(Duration::from_hours(1)).await.expect("no look");
        assert_eq!(before, here.stamp(&ONE));
        here.catch_up(Duration::ZERO).await.expect("a look");
        assert_ne!(before, here.stamp(&ONE));
    }
}
