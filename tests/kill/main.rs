//! The server is killed at random moments while posts are published: nobody misses anything, and all comes in order.
//!
//! `VEERPONT_KILLS` says how often (20), `VEERPONT_KILL_SEED` repeats a run; `docs/crash-test.md` tells more.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop where it finds the world broken"
)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use clock::Clock;
use harness::{Found, Peer};
use tempfile::TempDir;
use tokio::task::JoinSet;
use veerpont::base::ids::Ids;

#[path = "../support/mod.rs"]
mod support;

mod bridge;
mod chance;
mod records;
mod sequence;
mod site;
mod town;

use bridge::{Bridge, COMMUNITY};
use chance::Dice;
use records::{Published, Rest};
use sequence::{Kill, Receipt, Repeats};
use site::{AUTHORS, Site};
use support::say;
use town::Town;

const POSTS: usize = 20;
/// How many inboxes the posts go to.
const INBOXES: usize = 200;
/// How long a life lasts at most where nothing is due.
const LONGEST_LIFE: Duration = Duration::from_secs(2);

/// How many requests a life may at least be given: four for each host may be under way at a kill and come again, so
/// that lives of fewer would hardly get on.
const REQUESTS: u64 = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_reordered_when_the_server_is_killed() {
    let kills = number_from("VEERPONT_KILLS").unwrap_or(20);
    let seed = number_from("VEERPONT_KILL_SEED").unwrap_or_else(|| Ids::new(Clock::system()).jitter_seed() >> 32);
    let mut runs = JoinSet::new();
    for engine in support::engines() {
        let database = engine.database().await;
        let name = format!("{:?}", database.engine);
        say(&format!("{name}: {kills} kills, to be repeated with VEERPONT_KILLS={kills} VEERPONT_KILL_SEED={seed}"));
        runs.spawn(async move { Run::new(name, &database.url, Dice::new(seed)).await.finish_after(kills).await });
    }
    let mut failed = false;
    while let Some(run) = runs.join_next().await {
        failed |= run.is_err();
    }
    assert!(!failed, "what went wrong stands above");
}

fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is `{text}`, not a whole number")))
}

fn as_count(number: usize) -> u64 {
    u64::try_from(number).expect("a small number")
}

/// A server, its site, its followers, and how it was killed.
struct Run {
    name: String,
    url: String,
    dice: Dice,
    site: Site,
    // Before the folder, so that the server has ended when its log is kept or thrown away.
    bridge: Bridge,
    town: Town,
    kills: Vec<Kill>,
    folder: Option<TempDir>,
}

impl Drop for Run {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(folder) = self.folder.take()
        {
            let kept = folder.keep();
            say(&format!("{}: the site and the server's log are kept in {}", self.name, kept.display()));
        }
    }
}

impl Run {
    async fn new(name: String, url: &str, mut dice: Dice) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut town = Town::found().await;
        let site = Site::new(&folder.path().join("site"));
        let bridge = Bridge::new(folder.path(), &site.folder, url, (&town::hosts(), town.address), &mut dice);
        town.settle(bridge.address);
        Self { name, url: url.to_owned(), dice, site, bridge, town, kills: Vec::new(), folder: Some(folder) }
    }

    async fn finish_after(mut self, kills: u64) {
        self.bridge.start();
        let found = self.look_up().await;
        self.bridge.within(self.town.follow(&found), "everybody follows").await;
        self.publish_and_kill(kills).await;
        self.bridge.start();
        self.town.calm();
        self.let_finish().await;
        let published = records::published(&self.url).await;
        self.check_published(&published);
        let repeats = self.check_inboxes(&published);
        self.check_outcomes(&published).await;
        say(&format!(
            "{}: {kills} kills; every inbox has everything in order; came twice after a kill: {}, after no answer: {}",
            self.name, repeats.after_kill, repeats.after_silence
        ));
    }

    /// Finds the actors, which stand once the first scan is done.
    async fn look_up(&mut self) -> HashMap<&'static str, Found> {
        let mut found = HashMap::new();
        for handle in AUTHORS.into_iter().chain([COMMUNITY]) {
            let search = async {
                loop {
                    match self.town.peers[0].lookup(&format!("{handle}@bridge.test")).await {
                        Ok(found) => return found,
                        Err(why) => tracing::debug!(why, "not yet"),
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            };
            found.insert(handle, self.bridge.within(search, &format!("@{handle} is found")).await);
        }
        found
    }

    async fn publish_and_kill(&mut self, kills: u64) {
        let inboxes = self.town.inboxes();
        assert_eq!(inboxes.len(), INBOXES);
        let deliveries: usize = (0..POSTS).map(|number| Self::reached(&inboxes, number)).sum();
        let share = as_count(deliveries) / kills.max(1);
        let mut writing = JoinSet::new();
        let mut next = 0;
        for life in 0..kills {
            self.bridge.start();
            self.town.change_weather(&mut self.dice);
            while next < POSTS && as_count(next) * kills / as_count(POSTS) <= life {
                let (site, pause, number) = (self.site.clone(), self.dice.millis_below(500), next);
                writing.spawn(async move {
                    tokio::time::sleep(pause).await;
                    site.publish(number);
                });
                next += 1;
            }
            self.some_moment(share).await;
            let at = self.bridge.kill();
            let unsettled = records::unsettled(&self.url).await;
            self.kills.push(Kill { at, restarted: Clock::system().now(), unsettled });
        }
        while let Some(written) = writing.join_next().await {
            written.expect("a post is written");
        }
        for number in next..POSTS {
            self.site.publish(number);
        }
    }

    /// Lets a life go on for a random time, or until a random number of requests has reached the hosts or been
    /// answered by them: about so many that the work lasts for all lives.
    async fn some_moment(&mut self, share: u64) {
        let counter = match self.dice.below(5) {
            0 => return tokio::time::sleep(self.dice.millis_below(800)).await,
            1 | 2 => &self.town.traffic.answered,
            _ => &self.town.traffic.arrived,
        };
        let mut counter = counter.subscribe();
        let enough = *counter.borrow() + 1 + self.dice.below(REQUESTS.max(share * 3 / 2));
        // Where nothing is due for a while, the life ends all the same.
        let _ = tokio::time::timeout(LONGEST_LIFE, counter.wait_for(|count| *count >= enough)).await;
    }

    /// How many deliveries follow from a post: its author's Create and the community's Announce.
    fn reached(inboxes: &BTreeMap<String, BTreeSet<&'static str>>, number: usize) -> usize {
        let of = |handle: &str| inboxes.values().filter(|follows| follows.contains(handle)).count();
        of(site::author_of(number)) + of(COMMUNITY)
    }

    /// Waits until nothing is left to be done.
    async fn let_finish(&mut self) {
        let done = Rest {
            published: i64::try_from(POSTS).expect("a small number"),
            not_said: 0,
            not_fanned_out: 0,
            unsettled: 0,
        };
        let wait = async {
            while records::rest(&self.url).await != done {
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
        };
        self.bridge.within(wait, &format!("the server's tables say {done:?}")).await;
    }

    /// Each post has one Create by its author, and after it one Announce by the community.
    fn check_published(&self, published: &[Published]) {
        let mut said: Vec<(String, &str, &str)> =
            published.iter().map(|one| (one.title.clone(), one.kind.as_str(), one.actor.as_str())).collect();
        // Stable: what is said of one post keeps its order.
        said.sort_by(|a, b| a.0.cmp(&b.0));
        let planned: Vec<(String, &str, &str)> = (0..POSTS)
            .flat_map(|number| {
                let create = (site::title(number), "Create", site::author_of(number));
                [create, (site::title(number), "Announce", COMMUNITY)]
            })
            .collect();
        assert_eq!(said, planned, "{}", self.name);
    }

    fn check_inboxes(&self, published: &[Published]) -> Repeats {
        let inboxes = self.town.inboxes();
        let mut receipts = self.receipts();
        let (mut repeats, mut wrong) = (Repeats::default(), Vec::new());
        for (inbox, follows) in &inboxes {
            let expected: Vec<String> =
                published.iter().filter(|one| follows.contains(one.actor.as_str())).map(|one| one.id.clone()).collect();
            let came = receipts.remove(inbox).unwrap_or_default();
            match sequence::check(inbox, &expected, &came, &self.kills) {
                Ok(again) => {
                    repeats.after_kill += again.after_kill;
                    repeats.after_silence += again.after_silence;
                }
                Err(why) => wrong.push(format!("{inbox}: {why}")),
            }
        }
        wrong.extend(receipts.keys().map(|inbox| format!("{inbox}: nothing was to come here")));
        wrong.extend(self.town.peers.iter().flat_map(Peer::problems));
        assert!(wrong.is_empty(), "{}: {} inboxes or hosts complain:\n{}", self.name, wrong.len(), wrong.join("\n"));
        repeats
    }

    /// What the hosts took, apart from Accepts, by inbox and in the order of arrival.
    fn receipts(&self) -> BTreeMap<String, Vec<Receipt>> {
        let mut receipts: BTreeMap<String, Vec<Receipt>> = BTreeMap::new();
        for peer in &self.town.peers {
            for post in peer.received().into_iter().filter(|post| post.taken && post.kind != "Accept") {
                let inbox = format!("http://{}{}", peer.host(), post.inbox);
                let receipt = Receipt { at: post.at, id: post.id, withheld: post.status.is_none() };
                receipts.entry(inbox).or_default().push(receipt);
            }
        }
        receipts
    }

    /// The database agrees: every delivery of a post ended well.
    async fn check_outcomes(&self, published: &[Published]) {
        let inboxes = self.town.inboxes();
        let of = |one: &Published| inboxes.values().filter(|follows| follows.contains(one.actor.as_str())).count();
        let deliveries: usize = published.iter().map(of).sum();
        let delivered = ("delivered".to_owned(), i64::try_from(deliveries).expect("a small number"));
        assert_eq!(records::outcomes(&self.url).await, [delivered], "{}", self.name);
    }
}
