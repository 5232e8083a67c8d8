//! Slots for work that strangers cause before they have proved anything: so many in all, a few for each source and each
//! domain, so that a few of them do not keep everybody else out (interop G8).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Slots that may be taken at a time.
#[derive(Debug)]
pub(crate) struct Slots {
    most: usize,
    most_each: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    each: HashMap<String, usize>,
}

/// Frees its place when dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    places: Arc<Slots>,
    names: Vec<String>,
}

impl Slots {
    /// So many places in all, and so many for each name.
    pub(crate) fn new(most: usize, most_each: usize) -> Arc<Self> {
        Arc::new(Self { most, most_each, taken: Mutex::default() })
    }

    /// A place that counts for each of these names; `None` when one of them, or all together, have none left.
    pub(crate) fn take(self: &Arc<Self>, names: Vec<String>) -> Option<Slot> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let is_free = |name: &String| taken.each.get(name).copied().unwrap_or(0) < self.most_each;
        if taken.all >= self.most || !names.iter().all(is_free) {
            return None;
        }
        taken.all += 1;
        for name in &names {
            *taken.each.entry(name.clone()).or_default() += 1;
        }
        Some(Slot { places: Arc::clone(self), names })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        for name in &self.names {
            let left = taken.each.get(name).copied().unwrap_or(0).saturating_sub(1);
            if left == 0 {
                taken.each.remove(name);
            } else {
                taken.each.insert(name.clone(), left);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(source: &str, domain: &str) -> Vec<String> {
        vec![source.to_owned(), domain.to_owned()]
    }

    #[test]
    fn nobody_keeps_others_out_g8() {
        let places = Slots::new(5, 2);
        let mut held: Vec<_> = ["a", "b"].map(|domain| places.take(names("1", domain)).expect("its share")).into();
        assert!(places.take(names("1", "c")).is_none(), "the source has its share");
        held.push(places.take(names("2", "a")).expect("another source"));
        assert!(places.take(names("3", "a")).is_none(), "the domain has its share");
        held.push(places.take(names("3", "c")).expect("others are let in"));
        held.push(places.take(names("4", "d")).expect("the last"));
        assert!(places.take(names("5", "e")).is_none(), "all are taken");
        held.truncate(2);
        places.take(names("3", "a")).expect("what was given back is free");
        drop(held);
        let taken = places.taken.lock().expect("unpoisoned");
        assert_eq!((taken.all, taken.each.len()), (0, 0), "nothing is left of them");
    }
}
