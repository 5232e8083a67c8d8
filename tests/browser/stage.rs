//! A bridge beside a small Hugo site and servers elsewhere, all on this machine, and a way to have their people speak.

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use clock::Timestamp;
use harness::{Peer, PeerKey, SignOptions, SocketWire, Wire};
use http::Request;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use veerpont::app::App;
use veerpont::base::ids::Handle;
use veerpont::cli::demo::site::write_site;
use veerpont::config::Config;
use veerpont::federation::outbox::author_replies::{self, Draft};
use veerpont::model::interaction::{self, State};
use veerpont::server::{self, Running};
use veerpont::site::comment_export::{self, Known, partials};

use crate::elsewhere::{self, HOSTS, Server};
use crate::{COMMUNITY, SITE, hugo};

pub(crate) const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

/// How long may pass until what was sent is shown.
const PATIENCE: Duration = Duration::from_mins(3);

/// A server that nobody reaches.
const SUNKEN: &str = "sunken.example";

/// Posts beside those of the demo's site.
const POSTS: [(&str, &str); 3] = [
    (
        "the-bell-is-back/index.md",
        "---\ntitle: The bell is back on board\ndate: \"2025-09-05\"\nauthors: [maren-oldham]\nimage:\n  filename: landing.png\n  alt: The Heron \
         at the landing\nsummary: After eleven years in a cupboard the old bell rings again, at seven each morning.\n---\n\n\
         When we cleared the store room we found the bell of the first *Heron* behind the winter sails.\n\n\
         It is **cracked**, so it says *clonk*. We like it better than the horn, and so do the terns.\n\n\
         > Twice for the far bank, once for fog.\n\nCome and hear it: the first crossing is at seven.\n",
    ),
    (
        "the-guest-book.md",
        "---\ntitle: The guest book\ndate: \"2025-08-20\"\nauthors: [joris-dekker]\n---\n\nThe book on the landing is full. Write here instead.\n",
    ),
    (
        "say-hello-on-regatta-day.md",
        "---\ntitle: Say hello on regatta day\ndate: \"2025-08-02\"\nauthors: [priya-nair]\n---\n\nWho is coming? Say so below, and we shall bake for you.\n",
    ),
];

/// How the site begins each page.
const HEAD: &str = r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{{ .Title }}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/veerpont.css">{{ partial "veerpont/head.html" . }}</head>"#;

/// A post of the site.
const SINGLE: &str = r#"<h1>{{ .Title }}</h1>{{ .Content }}
{{ partial "veerpont/comments.html" . }}{{ partial "veerpont/follow.html" . }}"#;

/// What is said, beside its words.
pub(crate) struct Said<'a> {
    /// `user@host`.
    pub(crate) by: &'a str,
    /// The id of what it answers.
    pub(crate) to: &'a str,
    /// Minutes after the post.
    pub(crate) minute: u64,
    /// HTML.
    pub(crate) words: &'a str,
    /// Properties beside those that every note has, or in place of them.
    pub(crate) more: Value,
}

/// A post of the site with its conversation.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    /// Its page on the site.
    pub(crate) url: String,
    /// Its id on the bridge.
    pub(crate) article: String,
    /// Its page on the bridge.
    pub(crate) page: String,
}

pub(crate) struct Stage {
    pub(crate) app: App,
    /// Where the bridge lives.
    pub(crate) origin: String,
    /// Where everybody else does.
    pub(crate) elsewhere: SocketAddr,
    wire: Arc<dyn Wire>,
    servers: HashMap<&'static str, Server>,
    numbers: AtomicU32,
    running: Running,
    _serving: JoinSet<()>,
    folder: TempDir,
}

impl Stage {
    /// Writes the site and starts everybody; `people` live on their servers with their looks.
    pub(crate) async fn open(mut people: HashMap<&'static str, HashMap<&'static str, Value>>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let door = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let bridge = door.local_addr().expect("its address");
        write(folder.path(), bridge);
        let listening = elsewhere::listen().await;
        let at = listening.address;
        fs::write(folder.path().join("ca.pem"), &listening.certificate).expect("written");
        let config = Config::parse(&configuration(bridge, at), folder.path(), "the stage", &|_| None);
        let app = server::open(config.expect("a sound configuration")).await.expect("a bridge");
        let running = server::start_on(app.clone(), door).await.expect("it starts");

        let wire: Arc<dyn Wire> = Arc::new(SocketWire::new(HashMap::new()));
        let key = PeerKey::generate().expect("a key");
        let servers: HashMap<&'static str, Server> = HOSTS
            .into_iter()
            .map(|host| (host, Server::new(host, people.remove(host).unwrap_or_default(), &key, &wire)))
            .collect();
        let mut serving = JoinSet::new();
        serving.spawn(elsewhere::serve(listening, servers.values().cloned().collect()));
        Self {
            app,
            origin: format!("http://{bridge}"),
            elsewhere: at,
            wire,
            servers,
            numbers: AtomicU32::new(0),
            running,
            _serving: serving,
            folder,
        }
    }

    /// A post of the site, once the bridge has it.
    pub(crate) async fn post(&self, slug: &str) -> Post {
        let url = format!("https://{SITE}/post/{slug}/");
        let told = self.until(&url, |told| told["article"]["id"].is_string()).await;
        let text = |key: &str| told["article"][key].as_str().expect("a text").to_owned();
        Post { article: text("id"), page: text("page"), url }
    }

    /// Says something in public, in Mastodon's shape (interop S); hands its id on.
    pub(crate) async fn say(&self, said: Said<'_>) -> String {
        let (peer, user) = self.speaker(said.by);
        let id = format!("{}/statuses/{}", peer.actor_id(user), self.new_number());
        self.tell(said.by, "Create", self.note(&id, &said)).await;
        id
    }

    /// Gives something that was said other words.
    pub(crate) async fn say_again(&self, id: &str, said: Said<'_>) {
        let mut note = self.note(id, &said);
        note["updated"] = after(said.minute + 5).rfc3339().into();
        self.tell(said.by, "Update", note).await;
    }

    fn note(&self, id: &str, said: &Said<'_>) -> Value {
        let (peer, user) = self.speaker(said.by);
        let author = peer.actor_id(user);
        let number = id.rsplit('/').next().unwrap_or_default();
        let note = json!({
            "id": id, "type": "Note", "attributedTo": author, "inReplyTo": said.to, "content": said.words,
            "url": format!("https://{}/@{user}/{number}", peer.host()), "published": after(said.minute).rfc3339(),
            "to": [PUBLIC], "cc": [format!("{author}/followers")],
        });
        with(note, &said.more)
    }

    /// Sends an activity with this object to our shared inbox, which must take it.
    pub(crate) async fn tell(&self, by: &str, kind: &str, object: impl Into<Value>) {
        self.tell_more(by, kind, object, &Value::Null).await;
    }

    /// As `tell`, with more properties.
    pub(crate) async fn tell_more(&self, by: &str, kind: &str, object: impl Into<Value>, more: &Value) {
        let (peer, user) = self.speaker(by);
        let activity = json!({
            "@context": "https://www.w3.org/ns/activitystreams", "type": kind, "actor": peer.actor_id(user),
            "id": format!("https://{}/activities/{}", peer.host(), self.new_number()), "to": [PUBLIC], "object": object.into(),
        });
        let inbox = format!("{}/ap/inbox", self.origin);
        let answer = peer.post_signed(user, &inbox, &with(activity, more), &SignOptions::default()).await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status, 202, "{kind} by {by}: {}", answer.body);
    }

    /// The server of `user@host`, and the user.
    fn speaker<'a>(&self, who: &'a str) -> (&Peer, &'a str) {
        let (user, host) = who.split_once('@').expect("user@host");
        (&self.servers[host].peer, user)
    }

    fn new_number(&self) -> u32 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// An author of the site answers; hands the answer's id on.
    pub(crate) async fn author_answers(&self, author: &str, to: &str, text: &str) -> String {
        let author = Handle::parse(author).expect("a handle");
        let draft = Draft { author, to: to.to_owned(), text: text.to_owned(), language: None };
        let note = author_replies::send(&self.app, draft).await.expect("an answer");
        self.app.urls.note(note.uuid)
    }

    /// A moderator hides what somebody said.
    pub(crate) async fn hide(&self, id: &str) {
        let (id, now) = (id.to_owned(), self.app.clock.now());
        let hidden = self.app.db.write(move |conn| {
            Box::pin(async move {
                let post = interaction::store::post(conn, &id).await?.expect("a post");
                interaction::store::decide(conn, post.id, State::Hidden, Some("spam"), now).await
            })
        });
        hidden.await.expect("it is hidden");
    }

    /// Waits until a reply is shown under a post.
    pub(crate) async fn shows(&self, post: &Post, id: &str) {
        let is_it = |reply: &Value| reply["id"] == id;
        self.until(&post.url, |told| told["replies"]["items"].as_array().is_some_and(|all| all.iter().any(is_it)))
            .await;
    }

    /// Waits until the conversation under a page of the site holds what is asked for, and hands it on.
    ///
    /// # Panics
    /// When that takes too long; the message holds what there is.
    pub(crate) async fn until(&self, url: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let waiting = async {
            loop {
                last = self.conversation(url).await;
                if holds(&last) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
        };
        let done = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(done.is_ok(), "not within {PATIENCE:?}; there is {last:#}");
        last
    }

    async fn conversation(&self, url: &str) -> Value {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("url", url).finish();
        self.read(&format!("/api/v1/conversation?{query}")).await
    }

    /// What the bridge has at a path, as JSON.
    pub(crate) async fn read(&self, path: &str) -> Value {
        let request = Request::get(format!("{}{path}", self.origin)).body(Bytes::new()).expect("a request");
        let answer = self.wire.send(request).await.expect("an answer");
        serde_json::from_slice(answer.body()).expect("JSON")
    }

    /// The site as Hugo builds it, with what was said of its posts; nothing where there is no Hugo.
    pub(crate) async fn build(&self) -> Option<TempDir> {
        let program = hugo::programs().first()?;
        let site = self.folder.path().join("site");
        partials::write(&site, false).expect("the partials");
        let source = self.app.config.sources.first().expect("a source");
        comment_export::hand_back(&self.app, source, &site, &mut Known::new()).await.expect("the data files");
        Some(hugo::build(program, &site))
    }

    pub(crate) async fn close(self) {
        self.running.stop().await;
    }
}

/// So many minutes after the post that most answer.
fn after(minute: u64) -> Timestamp {
    let noon = Timestamp::parse_rfc3339("2025-09-05T10:00:00Z").expect("a time");
    noon + Duration::from_secs(60 * minute)
}

/// A document with more properties, or others in place of those it has.
fn with(mut document: Value, more: &Value) -> Value {
    for (key, value) in more.as_object().into_iter().flatten() {
        document[key] = value.clone();
    }
    document
}

fn write(folder: &Path, bridge: SocketAddr) {
    let site = folder.join("site");
    write_site(&site).expect("a site");
    dress(&site, bridge);
    for (path, text) in POSTS {
        let file = site.join("content/post").join(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, text).expect("a post");
    }
    let landing = include_bytes!("pictures/landing.png");
    fs::write(site.join("content/post/the-bell-is-back/landing.png"), landing).expect("a picture");
}

/// Templates with our partials in them, as docs/hugo-comments.md tells.
fn dress(site: &Path, bridge: SocketAddr) {
    let settings = fs::read_to_string(site.join("hugo.toml")).expect("its settings");
    let params =
        format!("\n[params.veerpont]\nbridge = \"http://{bridge}\"\nfollow = \"{COMMUNITY}\"\npictures = true\n");
    fs::write(site.join("hugo.toml"), settings + &params).expect("written");
    let layouts = site.join("layouts/_default");
    fs::create_dir_all(&layouts).expect("a folder");
    for (name, body) in [("single", SINGLE), ("list", "<h1>{{ .Title }}</h1>")] {
        let text = format!("{HEAD}<body><main>{body}</main></body></html>\n");
        fs::write(layouts.join(format!("{name}.html")), text).expect("a template");
    }
}

/// The bridge lives at its loopback address, so that a browser opens its pages; everybody else has a name, and TLS as out
/// there.
fn configuration(bridge: SocketAddr, elsewhere: SocketAddr) -> String {
    let mut hosts: Vec<String> =
        HOSTS.iter().chain([&SITE]).map(|host| format!("\"{host}:443={elsewhere}\"")).collect();
    // No program listens at port 1.
    hosts.push(format!("\"{SUNKEN}:443=127.0.0.1:1\""));
    format!(
        r#"
[server]
listen = "{bridge}"
origin = "http://{bridge}"
handle_domain = "{SITE}"
[database]
url = "sqlite://veerpont.db"
[secrets]
master_key_file = "master.key"
[network]
allow_http = true
extra_ca_file = "ca.pem"
connect_to = [{hosts}]
[moderation]
policy = "open"
# What names ten thousand people must be shown harmlessly too, should an operator let it in.
max_mentions = 20000
max_links = 20000
[[community]]
name = "Sandhaven Notes"
handle = "{COMMUNITY}"
team_handle = "editors"
summary = "Notes from both sides of the ferry."
[[source]]
name = "site"
kind = "hugo"
community = "{COMMUNITY}"
path = "site"
public_url = "https://{SITE}/"
sections = ["post"]
authors = "published"
rescan = "1s"
profile_fields = true
"#,
        hosts = hosts.join(", ")
    )
}
