//! The fediverse in one process: a bridge beside a small site, simulated servers, one clock, one network in memory.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use clock::{Clock, Timestamp};
use futures::FutureExt;
use futures::future::BoxFuture;
use harness::{FollowState, Found, MemoryError, MemoryNet, Peer, PeerKey, PeerSettings, Received};
use http::{Request, Response};
use veerpont::app::{App, user_agent};
use veerpont::config::Config;
use veerpont::model::interaction::store::Filter;
use veerpont::model::interaction::{Kind, State};
use veerpont::model::{follower, interaction};
use veerpont::net::client::{self, Client, SendError};
use veerpont::site::source::report::Report;
use veerpont::site::source::sync::{self, SyncError, SyncOptions};
use veerpont::{inbox, server, web};

use crate::site::Site;
use crate::support::{Engine, TestDatabase, engines};

/// The bridge's host, and the site's, which shows its webfinger.
const HOSTS: [&str; 2] = ["social.example.org", "example.org"];

/// When a world begins, unless a test says otherwise.
pub(crate) const MONDAY: &str = "2026-11-02T10:00:00Z";

pub(crate) const MAREN: &str = "maren@example.org";
pub(crate) const GROUP: &str = "community@example.org";

/// A bridge and everyone it talks to.
pub(crate) struct World {
    pub(crate) site: Site,
    pub(crate) clock: Clock,
    pub(crate) net: MemoryNet,
    pub(crate) app: App,
    road: Arc<Road>,
    settings: String,
    peers: Vec<Peer>,
    // Held: both last as long as the world.
    _secrets: tempfile::TempDir,
    database: TestDatabase,
}

/// Runs a test in a fresh world on each engine; a failure names the engine.
pub(crate) async fn on_each_engine(test: impl AsyncFn(&mut World)) {
    on_each_engine_at(MONDAY, test).await;
}

/// As [`on_each_engine`], in a world that begins at another time.
pub(crate) async fn on_each_engine_at(start: &str, test: impl AsyncFn(&mut World)) {
    for engine in engines() {
        let run = async {
            let mut world = World::new(*engine, start).await;
            test(&mut world).await;
            world.is_sound().await;
            // The network in memory and the bridge hold each other, so that nobody else would end its connections.
            world.app.db.close().await;
        };
        if let Err(panic) = AssertUnwindSafe(run).catch_unwind().await {
            let message = panic.downcast_ref::<String>().cloned();
            let message = message.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default();
            panic!("on {engine:?}: {message}");
        }
    }
}

/// The bridge's way out: into the network in memory, noting each request.
struct Road {
    net: MemoryNet,
    requests: Mutex<Vec<String>>,
}

impl client::Wire for Road {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Body>, SendError>> {
        self.requests.lock().expect("no panic").push(format!("{} {}", request.method(), request.uri()));
        Box::pin(async move {
            self.net.dispatch(request).await.map_err(|error| match error {
                MemoryError::Closed(_) => SendError::Broken(error.to_string()),
                _ => SendError::Connect(error.to_string()),
            })
        })
    }
}

impl World {
    /// A site with two authors, whose old posts make them actors at the first sync.
    pub(crate) async fn new(engine: Engine, start: &str) -> Self {
        let site = Site::new();
        let clock = Clock::manual(Timestamp::parse_rfc3339(start).expect("a date"));
        let (net, secrets, database) =
            (MemoryNet::new(), tempfile::tempdir().expect("a folder"), engine.database().await);
        let settings = settings(&site, &secrets, &database);
        let road = Arc::new(Road { net: net.clone(), requests: Mutex::default() });
        let app = open(&settings, &clock, &road).await.expect("a bridge");
        let world = Self { site, clock, net, app, road, settings, peers: Vec::new(), _secrets: secrets, database };
        for (slug, name) in [("maren", "Maren Oldham"), ("joris", "Joris Dekker")] {
            world.site.author(slug, name);
            let title = format!("An old post of {name}");
            world.site.post(&format!("old-{slug}"), &title, &title, &[slug], &world.days_ago(100));
        }
        world.listen().await;
        world
    }

    pub(crate) fn engine(&self) -> Engine {
        self.database.engine
    }

    pub(crate) fn database_url(&self) -> &str {
        &self.database.url
    }

    async fn listen(&self) {
        let router = web::router(self.app.clone()).await.expect("a router");
        for host in HOSTS {
            self.net.host(host, router.clone());
        }
    }

    /// Drops the bridge and opens it again on the same database, as after a crash.
    pub(crate) async fn restart(&mut self) {
        let before = self.app.clone();
        self.app = open(&self.settings, &self.clock, &self.road).await.expect("a bridge");
        server::free_leases(&self.app).await.expect("its leases are free");
        self.listen().await;
        before.db.close().await;
    }

    /// Changes a part of the configuration, which must be there, and restarts.
    pub(crate) async fn configure(&mut self, before: &str, after: &str) {
        assert!(self.settings.contains(before), "the configuration holds no `{before}`");
        self.settings = self.settings.replace(before, after);
        self.restart().await;
    }

    /// Another program on the same database, as a command beside a running bridge, with a part of the configuration
    /// changed; both parts may be the same.
    pub(crate) async fn beside(&self, before: &str, after: &str) -> anyhow::Result<App> {
        assert!(self.settings.contains(before), "the configuration holds no `{before}`");
        open(&self.settings.replace(before, after), &self.clock, &self.road).await
    }

    /// As in the configuration.
    pub(crate) fn source_path(&self) -> String {
        format!("path = \"{}\"", self.site.path().display())
    }

    pub(crate) async fn try_sync(&self, wish: SyncOptions) -> Result<Report, SyncError> {
        sync::sync(&self.app, "site", wish, |_, _| {}).await
    }

    pub(crate) async fn sync(&self) -> Report {
        self.try_sync(SyncOptions::default()).await.expect("a sync")
    }

    /// A sync in which the operator confirms that what vanished is gone.
    pub(crate) async fn sync_confirmed(&self) -> Report {
        self.try_sync(SyncOptions { confirm: true, ..SyncOptions::default() }).await.expect("a sync")
    }

    /// Works everything that is due now.
    pub(crate) async fn drain(&self) {
        server::drain(&self.app).await.expect("everything that is due is worked");
    }

    /// Syncs and works what follows.
    pub(crate) async fn publish(&self) -> Report {
        let report = self.sync().await;
        self.drain().await;
        report
    }

    /// Takes a post off the site, confirmed by the operator.
    pub(crate) async fn sync_removal(&self, slug: &str) {
        self.site.remove(slug);
        assert_eq!(self.sync_confirmed().await.removed, 1, "{slug}");
        self.drain().await;
    }

    pub(crate) fn advance(&self, span: Duration) {
        self.clock.advance(span);
    }

    /// A moment before the clock's, as front matter has it.
    pub(crate) fn days_ago(&self, days: u64) -> String {
        (self.clock.now() - Duration::from_hours(24 * days)).rfc3339()
    }

    /// A post of this moment.
    pub(crate) fn write_post(&self, slug: &str, title: &str, body: &str, authors: &[&str]) {
        self.site.post(slug, title, body, authors, &self.clock.now().rfc3339());
    }

    /// A server in Mastodon's shape.
    pub(crate) fn peer(&mut self, host: &str, users: &[&str]) -> Peer {
        self.peer_with(host, users, |_| {})
    }

    /// A server set up as the test wants it.
    pub(crate) fn peer_with(&mut self, host: &str, users: &[&str], set_up: impl FnOnce(&mut PeerSettings)) -> Peer {
        let mut settings =
            PeerSettings::new(&format!("https://{host}"), users, self.clock.clone(), Arc::new(self.net.clone()));
        settings.key = Some(shared_key());
        set_up(&mut settings);
        let peer = Peer::new(settings).expect("a peer");
        self.net.host(peer.host(), peer.router());
        self.peers.push(peer.clone());
        peer
    }

    /// Lets a user of a peer follow one of ours, and waits for the Accept.
    pub(crate) async fn follow(&self, peer: &Peer, user: &str, handle: &str) -> Found {
        let found = peer.lookup(handle).await.expect("an actor");
        peer.follow(user, &found).await.expect("the Follow is taken");
        self.drain().await;
        assert_eq!(peer.follow_state(user, &found.actor_id), Some(FollowState::Accepted), "{user} follows {handle}");
        found
    }

    /// The requests the bridge has made that begin so, such as `POST https://peer.test/`.
    pub(crate) fn requests(&self, start: &str) -> usize {
        self.road.requests.lock().expect("no panic").iter().filter(|request| request.starts_with(start)).count()
    }

    /// How many follow anyone of ours.
    pub(crate) async fn followers(&self) -> i64 {
        let mut conn = self.app.db.read().await.expect("a connection");
        follower::store::count_all(&mut conn, 10_000).await.expect("a count")
    }

    /// How many activities we have ever said.
    pub(crate) async fn activities(&self) -> i64 {
        let mut conn = self.app.db.read().await.expect("a connection");
        let said = sqlx::query_scalar("SELECT COUNT(*) FROM activities").fetch_one(&mut *conn).await;
        said.expect("a count")
    }

    /// How many activities of others have each verdict.
    pub(crate) async fn verdicts(&self) -> Vec<(String, i64)> {
        let mut conn = self.app.db.read().await.expect("a connection");
        inbox::store::count_verdicts(&mut conn, 10_000).await.expect("counts")
    }

    /// The words of all replies that stand, in the order of the alphabet.
    pub(crate) async fn reply_texts(&self) -> Vec<String> {
        self.texts(Filter { state: Some(State::Shown), ..Filter::default() }).await
    }

    /// Of what was written to an author alone.
    pub(crate) async fn private_texts(&self) -> Vec<String> {
        self.texts(Filter { kind: Some(Kind::Notice), ..Filter::default() }).await
    }

    async fn texts(&self, filter: Filter) -> Vec<String> {
        let mut conn = self.app.db.read().await.expect("a connection");
        let replies = interaction::store::list(&mut conn, &self.app.urls, filter, None, 10_000).await.expect("replies");
        let words = replies.items.iter().filter_map(|reply| reply.words.as_ref());
        let mut texts: Vec<String> = words.map(|words| html::text(&words.content)).collect();
        texts.sort();
        texts
    }

    /// What every test ends with: no peer has anything against us, and each activity of others has its verdict.
    async fn is_sound(&self) {
        for peer in &self.peers {
            assert_eq!(peer.problems(), Vec::<String>::new(), "problems of {}", peer.host());
        }
        let mut conn = self.app.db.read().await.expect("a connection");
        assert_eq!(inbox::store::count_waiting(&mut conn, 10).await.expect("a count"), 0, "without a verdict");
    }
}

async fn open(settings: &str, clock: &Clock, road: &Arc<Road>) -> anyhow::Result<App> {
    let config = Config::parse(settings, std::path::Path::new("/"), "veerpont.toml", &|_| None)?;
    let net = Client::memory(road.clone(), &config.network, user_agent(&config.server.origin))?;
    server::open_with(config, clock.clone(), net).await
}

fn settings(site: &Site, secrets: &tempfile::TempDir, database: &TestDatabase) -> String {
    format!(
        r#"
[server]
origin = "https://social.example.org"
handle_domain = "example.org"
node = "test"
[database]
url = "{}"
[secrets]
master_key_file = "{}"
[publishing]
push_within = "7d"
[delivery]
first_retry = "1m"
[moderation]
policy = "open"
[[community]]
name = "Example community"
handle = "community"
team_handle = "editors"
[[source]]
name = "site"
kind = "hugo"
community = "community"
path = "{}"
public_url = "https://example.org/"
sections = ["post"]
authors = "published"
rescan = "5m"
removal_grace = "24h"
"#,
        database.url,
        secrets.path().join("master.key").display(),
        site.path().display(),
    )
}

/// One key for all peers, since making one takes a while.
pub(crate) fn shared_key() -> PeerKey {
    static KEY: OnceLock<PeerKey> = OnceLock::new();
    KEY.get_or_init(|| PeerKey::generate().expect("a key")).clone()
}

/// What a peer took of a kind, in order.
pub(crate) fn taken(peer: &Peer, kind: &str) -> Vec<Received> {
    peer.received().into_iter().filter(|post| post.taken && post.kind == kind).collect()
}

/// The kinds of all a peer took, in order, but for the Accepts.
pub(crate) fn kinds(peer: &Peer) -> Vec<String> {
    let posts = peer.received().into_iter().filter(|post| post.taken && post.kind != "Accept");
    posts.map(|post| post.kind).collect()
}

/// The ids of all a peer took, in order, but for the Accepts.
pub(crate) fn ids(peer: &Peer) -> Vec<String> {
    let posts = peer.received().into_iter().filter(|post| post.taken && post.kind != "Accept");
    posts.map(|post| post.id).collect()
}
