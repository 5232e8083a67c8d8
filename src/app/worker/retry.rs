//! When failed work is tried again, and when it is given up: pure.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

/// How often a piece of work may be begun without end before it is given up, where giving it up harms nobody else.
pub(crate) const BEGUN_MAX: i64 = 5;

/// Longest wait between attempts at something that may come back.
const LONGEST_WAIT: Duration = Duration::from_hours(6);

/// How long to wait after `failures` in a row (counted from 1): `first` doubled each time with up to as much again of
/// jitter, six hours at most.
#[must_use]
pub(crate) fn wait(first: Duration, failures: i64, jitter_seed: u64) -> Duration {
    let earlier = usize::try_from(failures.saturating_sub(1)).unwrap_or(0).min(64);
    ExponentialBuilder::new()
        .with_factor(2.0)
        .with_min_delay(first)
        .with_max_delay(LONGEST_WAIT)
        .with_max_times(earlier + 1)
        .with_jitter()
        .with_jitter_seed(jitter_seed)
        .build()
        .nth(earlier)
        .unwrap_or(LONGEST_WAIT)
}

/// How long a piece rests if the process ended `begun` times in a row while it was worked: not at all at first, since a
/// process may end for many reasons; then a minute, and longer each time, up to about an hour. `rested!` says the same
/// in SQL.
#[must_use]
pub(crate) fn rest(begun: i64) -> Duration {
    let steps = u64::try_from(begun - 2).unwrap_or(0).min(8);
    Duration::from_mins(steps * steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_with_jitter_up_to_a_bound() {
        let first = Duration::from_mins(1);
        for (failures, least) in [(1, 60), (2, 120), (5, 960), (40, 6 * 3600)] {
            for jitter_seed in 0..50 {
                let waited = wait(first, failures, jitter_seed).as_secs();
                assert!((least..=2 * least).contains(&waited), "{failures} failures: {waited} s");
            }
        }
    }
}
