//! Rate limits for strangers: by where requests come from, and by who signs them (interop G9).

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clock::{Clock, Timestamp};
use governor::clock::{Clock as _, Reference as _};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use super::body_limits::BodyLimits;
use crate::config;

/// Calls between two clean-ups of idle keys.
const TIDY_EVERY: u32 = 1024;

/// The unit in which kept bytes are counted.
const UNIT: usize = 1024;

const UNITS_OF_MIB: NonZeroU32 = match NonZeroU32::new(1024) {
    Some(units) => units,
    None => NonZeroU32::MIN,
};

/// What is kept a day of each domain, whatever all others send, in MiB.
const RESERVE_MIB: NonZeroU32 = NonZeroU32::MIN;

/// Queries to other servers a minute on behalf of one reader.
const LOOKUPS: NonZeroU32 = match NonZeroU32::new(10) {
    Some(ten) => ten,
    None => NonZeroU32::MIN,
};

#[derive(Debug)]
pub(crate) struct Throttles {
    /// POSTs to an inbox by source, before anything of them is read.
    pub(crate) sources: Throttle<IpAddr>,
    /// Verified POSTs by the registrable domain that signed: who owns one has any number of hosts.
    pub(crate) domains: Throttle<String>,
    /// Queries to other servers on behalf of readers, by source.
    pub(crate) lookups: Throttle<IpAddr>,
    /// What is kept of a domain's POSTs, in units of 1024 bytes.
    kept: Throttle<String>,
    /// The same of all domains.
    kept_in_all: Throttle<()>,
    /// What is still kept of a domain when all together have sent too much: so a flood of some does not shut out the
    /// others.
    reserve: Throttle<String>,
    /// Room for bodies of requests that are not answered yet.
    pub(crate) bodies: Arc<BodyLimits>,
    /// Rejections, written together: else each would cost us more than its sender.
    pub(crate) refused: Tally,
    /// Requests with a Host for which they were not signed.
    pub(crate) foreign_hosts: Tally,
}

impl Throttles {
    pub(crate) fn new(limits: &config::Limits, clock: &Clock) -> Self {
        let units = |mib: NonZeroU32| mib.saturating_mul(UNITS_OF_MIB);
        Self {
            sources: Throttle::new(Quota::per_minute(limits.inbox_per_source), clock.clone()),
            domains: Throttle::new(Quota::per_minute(limits.inbox_per_host), clock.clone()),
            lookups: Throttle::new(Quota::per_minute(LOOKUPS), clock.clone()),
            kept: Throttle::new(a_day(units(limits.inbox_mib_per_host)), clock.clone()),
            kept_in_all: Throttle::new(a_day(units(limits.inbox_mib_in_all)), clock.clone()),
            reserve: Throttle::new(a_day(units(RESERVE_MIB)), clock.clone()),
            bodies: BodyLimits::new(limits.connections),
            refused: Tally::default(),
            foreign_hosts: Tally::default(),
        }
    }

    /// Whether this many more bytes of a domain may be kept.
    ///
    /// # Errors
    /// Who sent too much, and how long to wait.
    pub(crate) fn keep(&self, domain: &str, bytes: usize) -> Result<(), TooMuch> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
        let domain = domain.to_owned();
        self.kept.take_many(&domain, units).map_err(TooMuch::OfDomain)?;
        let Err(wait) = self.kept_in_all.take_many(&(), units) else { return Ok(()) };
        self.reserve.take_many(&domain, units).map_err(|_| TooMuch::InAll(wait))
    }
}

/// Who sent too much today, and how long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TooMuch {
    /// This domain.
    OfDomain(Duration),
    /// All together, and this domain has had its reserve.
    InAll(Duration),
}

/// The rate of so many a day, all of them at once if need be.
fn a_day(units: NonZeroU32) -> Quota {
    let each = Duration::from_hours(24) / units.get();
    Quota::with_period(each).unwrap_or(Quota::per_second(NonZeroU32::MAX)).allow_burst(units)
}

/// The address that a limit counts by: in IPv4 itself, in IPv6 its network of 64 bits, which is what one customer has.
pub(crate) fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// A rate for each key, by the generic cell rate algorithm. Idle keys are forgotten, so that memory does not grow with
/// the number of strangers.
pub(crate) struct Throttle<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, DefaultKeyedStateStore<K>, Ticks, NoOpMiddleware<Nanos>>,
    clock: Ticks,
    calls: AtomicU32,
}

impl<K: Hash + Eq + Clone> Throttle<K> {
    pub(crate) fn new(quota: Quota, clock: Clock) -> Self {
        let clock = Ticks::new(clock);
        let limiter = RateLimiter::new(quota, DefaultKeyedStateStore::default(), clock.clone());
        Self { limiter, clock, calls: AtomicU32::new(0) }
    }

    /// Counts one.
    ///
    /// # Errors
    /// How long to wait.
    pub(crate) fn take(&self, key: &K) -> Result<(), Duration> {
        self.take_many(key, NonZeroU32::MIN)
    }

    fn take_many(&self, key: &K, many: NonZeroU32) -> Result<(), Duration> {
        if self.calls.fetch_add(1, Ordering::Relaxed) % TIDY_EVERY == TIDY_EVERY - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        match self.limiter.check_key_n(key, many) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_until)) => Err(not_until.wait_time_from(self.clock.now())),
            // More at once than the whole limit: only a limit below one body would come here.
            Err(_) => Err(Duration::from_hours(24)),
        }
    }

    pub(crate) fn remembered(&self) -> usize {
        self.limiter.len()
    }
}

impl<K: Hash + Eq + Clone> std::fmt::Debug for Throttle<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Throttle").field("remembered", &self.remembered()).finish_non_exhaustive()
    }
}

/// Counts that wait to be written, at most for a second while more come.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    written: Option<Timestamp>,
    counts: HashMap<(String, &'static str), i64>,
}

impl Tally {
    /// Counts one; returns all that wait when it is time to write them.
    pub(crate) fn add(&self, host: &str, label: &'static str, now: Timestamp) -> Vec<(String, &'static str, i64)> {
        const WRITE_EVERY: Duration = Duration::from_secs(1);
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *waiting.counts.entry((host.to_owned(), label)).or_default() += 1;
        if waiting.written.is_some_and(|written| now.since(written) < WRITE_EVERY) && waiting.counts.len() < 1000 {
            return Vec::new();
        }
        waiting.written = Some(now);
        waiting.take()
    }

    /// All that wait.
    pub(crate) fn take(&self) -> Vec<(String, &'static str, i64)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Waiting {
    fn take(&mut self) -> Vec<(String, &'static str, i64)> {
        self.counts.drain().map(|((host, label), times)| (host, label, times)).collect()
    }
}

/// Our clock for the rate limiter: never backwards, also when the machine's is set back.
#[derive(Clone, Debug)]
struct Ticks {
    clock: Clock,
    /// The last reading in Unix milliseconds, and the time since the start.
    passed: Arc<Mutex<(i64, Nanos)>>,
}

impl Ticks {
    fn new(clock: Clock) -> Self {
        let passed = Arc::new(Mutex::new((clock.now().millis(), Nanos::new(0))));
        Self { clock, passed }
    }
}

impl governor::clock::Clock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let reading = self.clock.now().millis();
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, so_far) = *passed;
        let step = u64::try_from(reading.saturating_sub(last)).unwrap_or(0).saturating_mul(1_000_000);
        let now = Nanos::new(so_far.as_u64().saturating_add(step));
        *passed = (reading, now);
        debug_assert_eq!(so_far.duration_since(now), Nanos::new(0), "never backwards");
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ten_a_minute() -> (Throttle<IpAddr>, Clock) {
        let clock = Clock::manual(Timestamp::from_millis(1_000_000));
        (Throttle::new(Quota::per_minute(NonZeroU32::new(10).expect("ten")), clock.clone()), clock)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn each_key_has_its_own_burst_and_rate_g9() {
        let (throttle, clock) = ten_a_minute();
        for _ in 0..10 {
            throttle.take(&ip("192.0.2.1")).expect("within the burst");
        }
        let wait = throttle.take(&ip("192.0.2.1")).expect_err("over it");
        assert_eq!(wait, Duration::from_secs(6));
        throttle.take(&ip("192.0.2.2")).expect("somebody else");
        clock.advance(wait);
        throttle.take(&ip("192.0.2.1")).expect("after the wait");
        throttle.take(&ip("192.0.2.1")).expect_err("one for each wait");
    }

    #[test]
    fn the_quiet_are_forgotten() {
        let (throttle, clock) = ten_a_minute();
        for number in 0..20_000_u32 {
            throttle.take(&IpAddr::from(number.to_be_bytes())).expect("a new one");
            if number % 100 == 0 {
                clock.advance(Duration::from_secs(1));
            }
        }
        assert!(throttle.remembered() < 2 * TIDY_EVERY as usize, "{} remembered", throttle.remembered());
    }

    #[test]
    fn ipv6_counts_by_network_and_ipv4_is_ipv4_however_written() {
        assert_eq!(counted_as(ip("2001:db8:1:2:3:4:5:6")), counted_as(ip("2001:db8:1:2::")));
        assert_ne!(counted_as(ip("2001:db8:1:2::1")), counted_as(ip("2001:db8:1:3::1")));
        assert_eq!(counted_as(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
    }

    #[test]
    fn counts_are_written_together() {
        let (tally, clock) = (Tally::default(), Clock::manual(Timestamp::from_millis(0)));
        assert_eq!(tally.add("a", "x", clock.now()), [("a".to_owned(), "x", 1)]);
        for _ in 0..10 {
            assert_eq!(tally.add("a", "x", clock.now()), []);
        }
        clock.advance(Duration::from_secs(1));
        assert_eq!(tally.add("a", "x", clock.now()), [("a".to_owned(), "x", 11)]);
        assert_eq!(tally.add("b", "y", clock.now()), []);
        assert_eq!(tally.take(), [("b".to_owned(), "y", 1)]);
        assert_eq!(tally.take(), []);
    }

    #[test]
    fn a_domain_may_fill_no_disk() {
        let clock = Clock::manual(Timestamp::from_millis(0));
        let limits = config::Limits { inbox_mib_per_host: NonZeroU32::MIN, ..config::Limits::default() };
        let throttles = Throttles::new(&limits, &clock);
        throttles.keep("a.example", 1024 * 1024).expect("a whole one");
        throttles.keep("a.example", 1).expect_err("no more today");
        throttles.keep("b.example", 1).expect("another domain");
        clock.advance(Duration::from_hours(24));
        throttles.keep("a.example", 1024 * 1024).expect("tomorrow");
    }

    #[test]
    fn all_domains_together_may_fill_no_disk_and_the_quiet_are_still_heard() {
        let clock = Clock::manual(Timestamp::from_millis(0));
        let limits = config::Limits { inbox_mib_in_all: NonZeroU32::new(2).expect("two"), ..config::Limits::default() };
        let throttles = Throttles::new(&limits, &clock);
        throttles.keep("a.example", 2 * 1024 * 1024).expect("as much as all may");
        throttles.keep("b.example", 1024 * 1024).expect("its reserve");
        assert!(matches!(throttles.keep("b.example", 1), Err(TooMuch::InAll(_))));
        throttles.keep("c.example", 1).expect("another's reserve");
    }
}
