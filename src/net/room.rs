//! Room in memory for what strangers send: bounded in all, and for each source, so that nobody alone keeps others out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of bodies that may be in memory at a time, over all connections.
const MOST: usize = 64 * 1024 * 1024;

/// Bytes of them that may be of one source: whoever has us wait for a slow key holds its bodies meanwhile.
const MOST_OF_SOURCE: usize = MOST / 8;

/// The bodies that belong to no answered request yet.
#[derive(Debug, Default)]
pub struct Bodies(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    all: usize,
    /// Only those that hold any.
    of: HashMap<IpAddr, usize>,
}

/// The room that one body takes, while it lasts.
#[derive(Debug)]
pub struct Room {
    bodies: Arc<Bodies>,
    source: Option<IpAddr>,
    bytes: usize,
}

impl Bodies {
    /// Room for a body of which nothing has come yet. Without a source only what all share is counted.
    #[must_use]
    pub fn room(self: &Arc<Self>, source: Option<IpAddr>) -> Room {
        Room { bodies: Arc::clone(self), source, bytes: 0 }
    }

    fn change(&self, source: Option<IpAddr>, change: impl Fn(usize) -> usize, within: bool) -> bool {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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

impl Room {
    /// Takes room for so many more bytes; false, and nothing taken, where there is none.
    pub fn take(&mut self, bytes: usize) -> bool {
        let taken = self.bodies.change(self.source, |held| held.saturating_add(bytes), true);
        self.bytes += if taken { bytes } else { 0 };
        taken
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let bytes = self.bytes;
        self.bodies.change(self.source, |held| held.saturating_sub(bytes), false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    #[test]
    fn one_source_alone_does_not_take_all_the_room_g9() {
        let bodies = Arc::new(Bodies::default());
        let room = |last: u8| bodies.room(Some(IpAddr::from([192, 0, 2, last])));
        let mut held: Vec<Room> = (0..8).map(|_| room(1)).collect();
        assert!(held.iter_mut().all(|one| one.take(MIB)));
        assert!(!room(1).take(1), "it has its share");
        assert!(room(2).take(MIB), "another has its own");
        held.pop();
        assert!(room(1).take(MIB), "what it gave back is free");
    }

    #[test]
    fn all_together_have_an_end_and_nothing_is_left_of_them() {
        let bodies = Arc::new(Bodies::default());
        let mut held: Vec<Room> = (0..64_u8).map(|last| bodies.room(Some(IpAddr::from([192, 0, 2, last])))).collect();
        assert!(held.iter_mut().all(|one| one.take(MIB / 2) && one.take(MIB / 2)));
        assert!(!bodies.room(None).take(1), "nobody has more");
        drop(held);
        let left = bodies.0.lock().expect("unpoisoned");
        assert_eq!((left.all, left.of.len()), (0, 0));
    }
}
