//! Limits for the bodies of requests, in bytes and number: in all, and for each source, so that nobody alone takes all;
//! where there is no room, the slowest is ended (interop G9).

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Bytes of bodies that may be in memory at a time, over all connections.
const MOST: usize = 64 * 1024 * 1024;

/// Most of them from one source: who makes us wait for a slow key has its bodies held meanwhile.
const MOST_OF_SOURCE: usize = MOST / 8;

/// Bodies that an honest server may send at once, however few connections there are.
const AT_ONCE: usize = 8;

/// How long a body may be under way before another may take its place.
const AT_LEAST: Duration = Duration::from_secs(1);

/// The bodies of requests that are not answered yet.
#[derive(Debug)]
pub(crate) struct BodyLimits {
    /// Most under way at a time: fewer than there are connections, so that some are left for readers.
    most_under_way: usize,
    /// Most of them from one source.
    most_of_source: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    all: usize,
    of: HashMap<IpAddr, usize>,
    next: u64,
    under_way: HashMap<u64, UnderWay>,
}

/// A body of which more is to come.
#[derive(Debug)]
struct UnderWay {
    source: Option<IpAddr>,
    since: Instant,
    bytes: usize,
    gives_way: CancellationToken,
}

/// The room that one body takes, as long as it lives.
#[derive(Debug)]
pub(crate) struct BodyPermit {
    bodies: Arc<BodyLimits>,
    source: Option<IpAddr>,
    bytes: usize,
    /// While more of it is to come.
    under_way: Option<u64>,
    gives_way: CancellationToken,
}

impl BodyLimits {
    /// Limits for so many connections: bodies may use three of four, and of those one source one in eight, or [a
    /// few](AT_ONCE).
    pub(crate) fn new(connections: NonZeroU32) -> Arc<Self> {
        let connections = usize::try_from(connections.get()).unwrap_or(usize::MAX);
        let most_under_way = (connections / 4 * 3).max(1);
        let most_of_source = (connections / 8).max(AT_ONCE).min(most_under_way);
        Arc::new(Self { most_under_way, most_of_source, held: Mutex::default() })
    }

    /// Room for a new body, perhaps in the place of another; `None` when all others are faster or have just begun.
    /// Without a source only the limits of all apply.
    pub(crate) fn room(self: &Arc<Self>, source: Option<IpAddr>) -> Option<BodyPermit> {
        let (now, mut held) = (Instant::now(), self.lock());
        if source.is_some() && held.of_source(source).count() >= self.most_of_source {
            held.slowest_gives_way(now, |one| one.source == source)?;
        }
        if held.under_way.len() >= self.most_under_way {
            held.slowest_gives_way(now, |_| true)?;
        }
        let number = held.next;
        held.next += 1;
        let gives_way = CancellationToken::new();
        let begun = UnderWay { source, since: now, bytes: 0, gives_way: gives_way.clone() };
        held.under_way.insert(number, begun);
        drop(held);
        Some(BodyPermit { bodies: Arc::clone(self), source, bytes: 0, under_way: Some(number), gives_way })
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, source: Option<IpAddr>, change: impl Fn(usize) -> usize, within: bool) -> bool {
        let mut held = self.lock();
        let all = change(held.all);
        let own = source.map(|source| (source, change(held.of.get(&source).copied().unwrap_or(0))));
        if within && (all > MOST || own.is_some_and(|(_, bytes)| bytes > MOST_OF_SOURCE)) {
            return false;
        }
        held.all = all;
        match own {
            Some((source, 0)) => drop(held.of.remove(&source)),
            Some((source, bytes)) => drop(held.of.insert(source, bytes)),
            None => {}
        }
        true
    }
}

impl Held {
    fn of_source(&self, source: Option<IpAddr>) -> impl Iterator<Item = &UnderWay> {
        self.under_way.values().filter(move |one| one.source == source)
    }

    /// Ends the slowest body, but none that has just begun.
    fn slowest_gives_way(&mut self, now: Instant, among: impl Fn(&UnderWay) -> bool) -> Option<()> {
        let candidates = self.under_way.iter().filter(|(_, one)| among(one) && now - one.since >= AT_LEAST);
        // Bytes a millisecond; of two that sent nothing, the one that began first.
        let speed = |one: &UnderWay| one.bytes as u128 / (now - one.since).as_millis().max(1);
        let slowest = candidates.min_by_key(|(number, one)| (speed(one), **number)).map(|(number, _)| *number)?;
        self.under_way.remove(&slowest)?.gives_way.cancel();
        Some(())
    }
}

impl BodyPermit {
    /// Takes room for so many more bytes; false, and nothing taken, where there is none.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let taken = self.bodies.change(self.source, |held| held.saturating_add(bytes), true);
        if taken {
            self.bytes += bytes;
            self.came(bytes);
        }
        taken
    }

    /// Counts what came without keeping it, so that a body that still comes differs from a stalled one.
    pub(crate) fn came(&mut self, bytes: usize) {
        let mut held = self.bodies.lock();
        if let Some(one) = self.under_way.and_then(|number| held.under_way.get_mut(&number)) {
            one.bytes += bytes;
        }
    }

    /// Resolves when this body must give way to another.
    pub(crate) fn gives_way(&self) -> impl Future<Output = ()> + 'static {
        self.gives_way.clone().cancelled_owned()
    }

    /// All of it has come: it keeps its room in memory, and another may be under way.
    pub(crate) fn is_whole(&mut self) {
        if let Some(number) = self.under_way.take() {
            self.bodies.lock().under_way.remove(&number);
        }
    }
}

impl Drop for BodyPermit {
    fn drop(&mut self) {
        self.is_whole();
        let bytes = self.bytes;
        self.bodies.change(self.source, |held| held.saturating_sub(bytes), false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    fn of_connections(connections: u32) -> Arc<BodyLimits> {
        BodyLimits::new(NonZeroU32::new(connections).expect("some"))
    }

    fn source(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    async fn is_ended(room: &BodyPermit) -> bool {
        tokio::time::timeout(Duration::from_millis(1), room.gives_way()).await.is_ok()
    }

    #[test]
    fn one_source_alone_does_not_take_all_the_room_g9() {
        let bodies = of_connections(512);
        let room = |last: u8| bodies.room(Some(source(last))).expect("a place");
        let mut held: Vec<BodyPermit> = (0..8).map(|_| room(1)).collect();
        assert!(held.iter_mut().all(|one| one.take(MIB)));
        assert!(!room(1).take(1), "it has its share");
        assert!(room(2).take(MIB), "another has its own");
        held.pop();
        assert!(room(1).take(MIB), "what it gave back is free");
    }

    #[test]
    fn all_together_have_an_end_and_nothing_is_left_of_them() {
        let bodies = of_connections(512);
        let mut held: Vec<BodyPermit> = (0..64_u8).filter_map(|last| bodies.room(Some(source(last)))).collect();
        assert!(held.iter_mut().all(|one| one.take(MIB / 2) && one.take(MIB / 2)));
        assert!(!bodies.room(None).expect("a place").take(1), "nobody has more");
        drop(held);
        let left = bodies.lock();
        assert_eq!((left.all, left.of.len(), left.under_way.len()), (0, 0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn the_slow_bodies_of_one_source_give_way_to_each_other_g9() {
        let bodies = of_connections(32);
        let mut slow: Vec<BodyPermit> = (0..8).filter_map(|_| bodies.room(Some(source(1)))).collect();
        assert!(bodies.room(Some(source(1))).is_none(), "they have just begun");
        let other = bodies.room(Some(source(2))).expect("another source is not touched by it");
        tokio::time::advance(AT_LEAST).await;
        assert!(slow[0].take(MIB));
        let _next = bodies.room(Some(source(1))).expect("in the place of another");
        assert!(is_ended(&slow[1]).await, "the first of those that sent nothing");
        assert!(!is_ended(&slow[0]).await && !is_ended(&slow[2]).await && !is_ended(&other).await);
    }

    #[tokio::test(start_paused = true)]
    async fn the_slowest_of_all_gives_way_when_there_are_no_places_g9() {
        let bodies = of_connections(8);
        let mut held: Vec<BodyPermit> = (0..6).filter_map(|last| bodies.room(Some(source(last)))).collect();
        assert_eq!(held.len(), 6);
        assert!(bodies.room(Some(source(7))).is_none() && bodies.room(None).is_none(), "they have just begun");
        tokio::time::advance(AT_LEAST).await;
        assert!(held.iter_mut().skip(1).all(|one| one.take(2000)));
        let mut next = bodies.room(Some(source(7))).expect("in the place of the first");
        assert!(is_ended(&held[0]).await);
        next.is_whole();
        let _one_more = bodies.room(Some(source(8))).expect("what is whole is under way no longer");
        assert!(!is_ended(&held[1]).await);
    }
}
