//! Who is connected, and who gives way when there is no room: the idle first, then those of whom there are most.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::config;
use crate::net::throttle::counted_as;

/// All connections of this process.
#[derive(Debug)]
pub(super) struct OpenConnections {
    most: usize,
    most_per_address: usize,
    /// Proxies stand for everybody, so theirs are not counted by address.
    proxies: Vec<IpNet>,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    next: u64,
    open_connections: HashMap<u64, Arc<State>>,
}

#[derive(Debug)]
struct State {
    /// `None` for a proxy.
    address: Option<IpAddr>,
    doing: Mutex<Doing>,
    leave: CancellationToken,
}

#[derive(Clone, Copy, Debug)]
struct Doing {
    /// Requests being answered.
    requests: usize,
    /// Since when there are none, or some.
    since: Instant,
}

/// One connection, while it lasts.
#[derive(Debug)]
pub(super) struct OpenConnection {
    number: u64,
    state: Arc<State>,
    open_connections: Arc<OpenConnections>,
}

/// One request being answered.
#[derive(Debug)]
pub(super) struct Serving(Arc<State>);

impl OpenConnections {
    pub(super) fn new(limits: &config::Limits, proxies: &[IpNet]) -> Arc<Self> {
        let number = |limit: std::num::NonZeroU32| usize::try_from(limit.get()).unwrap_or(usize::MAX);
        Arc::new(Self {
            most: number(limits.connections),
            most_per_address: number(limits.connections_per_address),
            proxies: proxies.to_vec(),
            inside: Mutex::default(),
        })
    }

    /// Lets a connection in, perhaps in the place of another; `None` when all others have a better right.
    pub(super) fn admit(self: &Arc<Self>, from: IpAddr) -> Option<OpenConnection> {
        let from = from.to_canonical();
        let proxy = self.proxies.iter().any(|range| range.contains(&from));
        let address = (!proxy).then(|| counted_as(from));
        let mut inside = lock(&self.inside);
        if address.is_some() && inside.of(address).count() >= self.most_per_address {
            let idlest = inside.idlest(|state| state.address == address)?;
            inside.send_away(idlest);
        }
        if inside.open_connections.len() >= self.most {
            let gives_way = inside.idlest(|_| true).or_else(|| inside.of_the_most(address))?;
            inside.send_away(gives_way);
        }
        let number = inside.next;
        inside.next += 1;
        let doing = Mutex::new(Doing { requests: 0, since: Instant::now() });
        let state = Arc::new(State { address, doing, leave: CancellationToken::new() });
        inside.open_connections.insert(number, Arc::clone(&state));
        Some(OpenConnection { number, state, open_connections: Arc::clone(self) })
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        lock(&self.inside).open_connections.len()
    }
}

impl Inside {
    fn of(&self, address: Option<IpAddr>) -> impl Iterator<Item = &Arc<State>> {
        self.open_connections.values().filter(move |state| state.address == address)
    }

    /// The one that has been without a request for longest.
    fn idlest(&self, among: impl Fn(&State) -> bool) -> Option<u64> {
        let idle = self.open_connections.iter().filter(|(_, state)| among(state)).filter_map(|(number, state)| {
            let doing = *lock(&state.doing);
            (doing.requests == 0).then_some((doing.since, *number))
        });
        idle.min().map(|(_, number)| number)
    }

    /// The one that has been busy for longest, of the address that has most; not for a newcomer who has as many.
    fn of_the_most(&self, newcomer: Option<IpAddr>) -> Option<u64> {
        let mut counts: HashMap<IpAddr, usize> = HashMap::new();
        for address in self.open_connections.values().filter_map(|state| state.address) {
            *counts.entry(address).or_default() += 1;
        }
        let (address, most) = counts.iter().max_by_key(|(_, count)| **count)?;
        let own = newcomer.and_then(|address| counts.get(&address).copied()).unwrap_or(0);
        let of_them = self.open_connections.iter().filter(|(_, state)| state.address == Some(*address));
        let longest = of_them.min_by_key(|(_, state)| lock(&state.doing).since).map(|(number, _)| *number);
        longest.filter(|_| *most > own + 1)
    }

    fn send_away(&mut self, number: u64) {
        if let Some(state) = self.open_connections.remove(&number) {
            state.leave.cancel();
        }
    }
}

impl OpenConnection {
    /// Notes that a request has come, until what is given back is dropped.
    pub(super) fn serving(&self) -> Serving {
        self.state.change(|requests| requests + 1);
        Serving(Arc::clone(&self.state))
    }

    /// Resolves when this connection has to give way to another.
    pub(super) async fn sent_away(&self) {
        self.state.leave.cancelled().await;
    }

    /// Resolves when there has been no request for so long.
    pub(super) async fn idle_for(&self, time: Duration) {
        loop {
            let doing = *lock(&self.state.doing);
            let until = if doing.requests == 0 { doing.since + time } else { Instant::now() + time };
            if doing.requests == 0 && until <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(until).await;
        }
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        lock(&self.open_connections.inside).open_connections.remove(&self.number);
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.change(|requests| requests.saturating_sub(1));
    }
}

impl State {
    fn change(&self, requests: impl Fn(usize) -> usize) {
        let mut doing = lock(&self.doing);
        let (before, after) = (doing.requests, requests(doing.requests));
        let since = if (before == 0) == (after == 0) { doing.since } else { Instant::now() };
        *doing = Doing { requests: after, since };
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn open_connections(most: u32, per_address: u32) -> Arc<OpenConnections> {
        let number = |number| NonZeroU32::new(number).expect("a limit");
        let limits = config::Limits {
            connections: number(most),
            connections_per_address: number(per_address),
            ..config::Limits::default()
        };
        OpenConnections::new(&limits, &["127.0.0.0/8".parse().expect("a range")])
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn is_sent_away(admitted: &OpenConnection) -> bool {
        admitted.state.leave.is_cancelled()
    }

    #[tokio::test(start_paused = true)]
    async fn the_idlest_of_an_address_gives_way_to_its_next() {
        let open_connections = open_connections(100, 2);
        let first = open_connections.admit(ip("192.0.2.1")).expect("room");
        tokio::time::advance(Duration::from_secs(1)).await;
        let second = open_connections.admit(ip("::ffff:192.0.2.1")).expect("room");
        let other = open_connections.admit(ip("192.0.2.2")).expect("room");
        let third = open_connections.admit(ip("192.0.2.1")).expect("in the place of the first");
        assert!(is_sent_away(&first) && !is_sent_away(&second) && !is_sent_away(&other));
        let _busy = (second.serving(), third.serving());
        assert!(open_connections.admit(ip("192.0.2.1")).is_none(), "whoever is served is not cut off by his own like");
        drop(first);
        assert_eq!(open_connections.count(), 3);
        drop((second, third, other));
        assert_eq!(open_connections.count(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn when_all_are_busy_the_most_numerous_give_way() {
        let open_connections = open_connections(4, 3);
        let many: Vec<OpenConnection> =
            (0..3).map(|_| open_connections.admit(ip("192.0.2.1")).expect("room")).collect();
        let one = open_connections.admit(ip("192.0.2.2")).expect("room");
        let _busy: Vec<Serving> = many.iter().chain([&one]).map(OpenConnection::serving).collect();
        let next = open_connections.admit(ip("192.0.2.3")).expect("in the place of one of many");
        assert_eq!(many.iter().filter(|admitted| is_sent_away(admitted)).count(), 1);
        let _served = next.serving();
        assert!(open_connections.admit(ip("192.0.2.3")).is_none(), "nobody has many more than this one now");
    }

    #[tokio::test(start_paused = true)]
    async fn a_proxy_stands_for_everybody() {
        let open_connections = open_connections(10, 1);
        let all: Vec<OpenConnection> =
            (0..10).map(|_| open_connections.admit(ip("127.0.0.1")).expect("room")).collect();
        assert!(all.iter().all(|admitted| !is_sent_away(admitted)));
    }

    #[tokio::test(start_paused = true)]
    async fn idle_is_without_a_request() {
        let open_connections = open_connections(10, 10);
        let admitted = open_connections.admit(ip("192.0.2.1")).expect("room");
        let serving = admitted.serving();
        let idle = admitted.idle_for(Duration::from_mins(1));
        tokio::pin!(idle);
        tokio::time::timeout(Duration::from_mins(10), idle.as_mut()).await.expect_err("busy");
        drop(serving);
        let ended = Instant::now();
        idle.await;
        assert!(ended.elapsed() >= Duration::from_mins(1));
    }
}
