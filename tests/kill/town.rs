//! Sixty simulated hosts behind one listener, with 200 inboxes; a third of the hosts fails at times.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::{self, Next};
use clock::Clock;
use futures::stream::{self, StreamExt};
use harness::{self, Fault, FollowState, Found, Peer, PeerKey, PeerSettings, SocketWire, Wire};
use http::Method;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::bridge::COMMUNITY;
use crate::chance::Dice;

pub(crate) const HOSTS: usize = 60;
/// The hosts that fail at times: the first of them.
const FAILING: usize = HOSTS / 3;
/// Whom the followers follow, in turn.
const WISHES: [&[&str]; 5] =
    [&["ann"], &[COMMUNITY], &["ann", COMMUNITY], &["ben", COMMUNITY], &["ann", "ben", COMMUNITY]];
/// How many follows are under way at a time.
const FOLLOWS_AT_ONCE: usize = 16;

/// A follower, and where what they follow is delivered to.
struct Follower {
    host: usize,
    user: String,
    follows: &'static [&'static str],
    inbox: String,
}

/// POSTs that reached a host, and those of them that were dealt with.
#[derive(Clone)]
pub(crate) struct Traffic {
    pub(crate) arrived: watch::Sender<u64>,
    pub(crate) answered: watch::Sender<u64>,
}

pub(crate) struct Town {
    pub(crate) address: SocketAddr,
    pub(crate) peers: Vec<Peer>,
    pub(crate) traffic: Traffic,
    followers: Vec<Follower>,
    listener: Option<TcpListener>,
    serving: Option<JoinHandle<()>>,
}

/// The names of the hosts.
pub(crate) fn hosts() -> Vec<String> {
    (0..HOSTS).map(|host| format!("p{host:02}.test")).collect()
}

/// Every third host has a shared inbox and two followers; the others have four or five, each an inbox of their own:
/// 20 shared inboxes and 180 personal ones.
fn is_shared(host: usize) -> bool {
    host.is_multiple_of(3)
}

fn followers_on(host: usize) -> usize {
    if is_shared(host) { 2 } else { 3 + host % 3 }
}

impl Town {
    /// Takes a port; nobody lives there yet.
    pub(crate) async fn found() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let traffic = Traffic { arrived: watch::Sender::new(0), answered: watch::Sender::new(0) };
        Self { address, peers: Vec::new(), traffic, followers: Vec::new(), listener: Some(listener), serving: None }
    }

    /// Settles the hosts, which find the bridge at `bridge`.
    pub(crate) fn settle(&mut self, bridge: SocketAddr) {
        let wire: Arc<dyn Wire> = Arc::new(SocketWire::new(HashMap::from([("bridge.test".to_owned(), bridge)])));
        let key = PeerKey::generate().expect("a key");
        for (host, name) in hosts().iter().enumerate() {
            let origin = format!("http://{name}");
            let users: Vec<String> = (0..followers_on(host)).map(|user| format!("u{user}")).collect();
            let mut settings = PeerSettings::new(&origin, &[], Clock::system(), wire.clone());
            settings.users.clone_from(&users);
            settings.shared_inbox = is_shared(host);
            settings.key = Some(key.clone());
            self.peers.push(Peer::new(settings).expect("a peer"));
            for user in users {
                let personal = format!("{origin}/users/{user}/inbox");
                let inbox = if is_shared(host) { format!("{origin}/inbox") } else { personal };
                let follows = WISHES[self.followers.len() % WISHES.len()];
                self.followers.push(Follower { host, user, follows, inbox });
            }
        }
        let router =
            harness::by_host(self.peers.clone()).layer(middleware::from_fn_with_state(self.traffic.clone(), count));
        let listener = self.listener.take().expect("a town is settled once");
        self.serving =
            Some(tokio::spawn(async move { harness::serve(listener, router).await.expect("the peers are served") }));
    }

    /// What is delivered where: inboxes, and whose activities each must get.
    pub(crate) fn inboxes(&self) -> BTreeMap<String, BTreeSet<&'static str>> {
        let mut inboxes: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
        for follower in &self.followers {
            inboxes.entry(follower.inbox.clone()).or_default().extend(follower.follows);
        }
        inboxes
    }

    /// Everyone follows whom they wish to, and waits for the Accept.
    pub(crate) async fn follow(&self, found: &HashMap<&'static str, Found>) {
        let follows: Vec<(&Follower, &Found)> = self
            .followers
            .iter()
            .flat_map(|follower| follower.follows.iter().map(move |handle| (follower, &found[handle])))
            .collect();
        let mut under_way = Vec::new();
        for (follower, found) in &follows {
            under_way.push(self.peers[follower.host].follow(&follower.user, found));
        }
        let sent: Vec<_> = stream::iter(under_way).buffer_unordered(FOLLOWS_AT_ONCE).collect().await;
        for result in sent {
            result.expect("a Follow is taken");
        }
        for (follower, found) in follows {
            let state = || self.peers[follower.host].follow_state(&follower.user, &found.actor_id);
            while state() != Some(FollowState::Accepted) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// Rolls anew how each host of the failing third behaves.
    pub(crate) fn change_weather(&self, dice: &mut Dice) {
        for peer in &self.peers[..FAILING] {
            let seed = dice.number();
            peer.set_fault(match dice.below(7) {
                0 | 1 => Fault::None,
                2 | 3 => Fault::Random { share: 0.4, seed },
                4 => Fault::Every(3, Box::new(Fault::DropAfterAccepting)),
                5 => Fault::Down,
                _ => Fault::Slow(dice.millis_below(100)),
            });
        }
    }

    /// From now on nobody fails.
    pub(crate) fn calm(&self) {
        for peer in &self.peers {
            peer.set_fault(Fault::None);
        }
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}

async fn count(
    axum::extract::State(traffic): axum::extract::State<Traffic>,
    request: Request,
    next: Next,
) -> axum::response::Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    traffic.arrived.send_modify(|count| *count += 1);
    let answer = next.run(request).await;
    traffic.answered.send_modify(|count| *count += 1);
    answer
}
