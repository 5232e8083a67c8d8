//! Budgets by name, for those who have proved nothing yet (interop G8, G9).

use std::time::Duration;

use clock::Timestamp;
use moka::future::Cache;
use moka::ops::compute::Op;

/// Most names remembered; the least recently used are forgotten first.
const NAMES: u64 = 20_000;

/// Counts by name in windows of time that begin with the first use.
#[derive(Debug)]
pub(crate) struct Budget {
    most: u32,
    window: Duration,
    spent: Cache<String, (Timestamp, u32)>,
}

impl Budget {
    pub(crate) fn new(most: u32, window: Duration) -> Self {
        Self { most, window, spent: Cache::new(NAMES) }
    }

    /// Spends one; false when nothing is left for this name.
    pub(crate) async fn take(&self, name: &str, now: Timestamp) -> bool {
        let mut allowed = false;
        let spend = |entry: Option<moka::Entry<String, (Timestamp, u32)>>| {
            let (since, times) = entry
                .map(moka::Entry::into_value)
                .filter(|(since, _)| now.since(*since) < self.window)
                .unwrap_or((now, 0));
            allowed = times < self.most;
            let op = if allowed { Op::Put((since, times + 1)) } else { Op::Nop };
            std::future::ready(op)
        };
        self.spent.entry_by_ref(name).and_compute_with(spend).await;
        allowed
    }

    /// Gives one back, since it was well spent.
    pub(crate) async fn give_back(&self, name: &str) {
        let give = |entry: Option<moka::Entry<String, (Timestamp, u32)>>| {
            std::future::ready(match entry.map(moka::Entry::into_value) {
                Some((since, times)) => Op::Put((since, times.saturating_sub(1))),
                None => Op::Nop,
            })
        };
        self.spent.entry_by_ref(name).and_compute_with(give).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_name_has_its_own_and_gets_it_back_with_time() {
        let budget = Budget::new(2, Duration::from_mins(5));
        let at = |minutes: i64| Timestamp::from_millis(minutes * 60_000);
        assert!(budget.take("a", at(0)).await);
        assert!(budget.take("a", at(4)).await);
        assert!(!budget.take("a", at(4)).await);
        assert!(budget.take("b", at(4)).await);
        assert!(budget.take("a", at(5)).await, "the window is over");
        assert!(budget.take("a", at(5)).await);
        assert!(!budget.take("a", at(5)).await);
        budget.give_back("a").await;
        assert!(budget.take("a", at(5)).await);
        assert!(!budget.take("a", at(5)).await);
    }
}
