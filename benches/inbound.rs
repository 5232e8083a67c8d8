//! What a Like, a reply and a Follow cost in processor time from their arrival to their verdict, and the Follow to the delivery of
//! its Accept, beside a bare server that verifies the same requests and answers them, in one run, with few of them on one article and
//! with many. Prints a table and the same as JSON; asserts nothing about time.
//!
//! `cargo bench --bench inbound`, with `VEERPONT_BENCH_DATABASE=postgres://…` on an empty PostgreSQL (whose own time is not
//! counted). Bridge and bare server are processes of their own; everything stays on this machine's loopback addresses.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a bench may stop where it finds the world broken")]
#![allow(clippy::print_stdout, reason = "it is what a bench is for")]
#![allow(clippy::disallowed_methods, reason = "a bench measures real time")]

use std::fs;
use std::io::{BufRead, BufReader, Lines, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use clock::Clock;
use futures::StreamExt;
use harness::PeerKey;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::Full;
use hyper_util::client::legacy::Client as Sender;
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use sqlx::AssertSqlSafe;
use tokio::net::TcpListener;
use veerpont::app::{App, user_agent};
use veerpont::config::Config;
use veerpont::federation::delivery;
use veerpont::inbox;
use veerpont::net::client::Client;
use veerpont::server;
use veerpont::site::source::sync::{self, SyncOptions};

/// Names, in a process of its own, what that is, and the folder.
const WHAT: &str = "VEERPONT_BENCH_WHAT";
const FOLDER: &str = "VEERPONT_BENCH_FOLDER";

/// The database, if it is to be another than a SQLite file.
const DATABASE: &str = "VEERPONT_BENCH_DATABASE";

/// Where the servers of everybody are, for the process of the bridge.
const PEERS: &str = "VEERPONT_BENCH_PEERS";

/// How many there are before the later rounds, if it is to be another number.
const KEPT: &str = "VEERPONT_BENCH_KEPT";

/// Activities of a round, each by somebody else, of these servers.
const EACH: usize = 500;
const HOSTS: usize = 20;

/// Rounds, of which the median counts: at the beginning, and once the article has many of that kind.
const ROUNDS: usize = 5;

/// Requests under way at a time.
const AT_ONCE: usize = 64;

fn main() {
    // `cargo test --benches` runs benches too, and wants no minutes of it.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let folder = || std::env::var(FOLDER).expect("a folder");
    match std::env::var(WHAT).as_deref() {
        Ok("bridge") => runtime.block_on(bridge(Path::new(&folder()))),
        Ok(_) => runtime.block_on(bare(Path::new(&folder()))),
        Err(_) => runtime.block_on(measure()),
    }
}

/// A process that serves; it does what is left to do when it is asked, and says so.
struct Server {
    child: Child,
    ask: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    at: SocketAddr,
    /// What it says of itself.
    word: String,
}

impl Server {
    fn start(what: &str, folder: &Path, peers: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .env(WHAT, what)
            .env(FOLDER, folder)
            .env(PEERS, peers)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let mut lines = BufReader::new(child.stdout.take().expect("its words")).lines();
        let mut line = || lines.next().expect("a line").expect("text");
        let (at, word) = (line().parse().expect("an address"), line());
        let ask = child.stdin.take().expect("its ear");
        Self { child, ask, lines, at, word }
    }

    /// Waits until all that it took is done.
    fn finish(&mut self) {
        self.ask.write_all(b"\n").expect("it listens");
        self.lines.next().expect("a line").expect("text");
    }

    /// What Linux counts for it, in hundredths of a second.
    fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        let ticks = after_name.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum::<u64>();
        Duration::from_millis(ticks * 10)
    }
}

/// What is sent.
#[derive(Clone, Copy)]
enum Kind {
    Like,
    Reply,
    Follow,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Like, Self::Reply, Self::Follow];

    fn name(self) -> &'static str {
        match self {
            Self::Like => "Like",
            Self::Reply => "reply",
            Self::Follow => "Follow",
        }
    }
}

/// What of ours everything is about.
struct About {
    article: String,
    author: String,
}

fn kept() -> usize {
    std::env::var(KEPT).ok().map_or(20_000, |kept| kept.parse().expect("a number"))
}

async fn measure() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let key = PeerKey::generate().expect("a key");
    fs::write(folder.path().join("key.pem"), key.public_pem()).expect("a file");
    let mut bare = Server::start("bare", folder.path(), "");
    let mut bridge = Server::start("bridge", folder.path(), &bare.at.to_string());
    let (article, author) = bridge.word.split_once(' ').expect("an article and its author");
    let about = About { article: article.to_owned(), author: author.to_owned() };
    println!("{EACH} a round by as many people of {HOSTS} hosts, median of {ROUNDS} rounds\n");
    println!("{:<8} {:>8} {:>14} {:>14} {:>10} {:>8}", "", "kept", "bare each", "Veerpont each", "a second", "ratio");
    let sender: Sender<_, Full<Bytes>> = Sender::builder(TokioExecutor::new()).build_http();
    let mut figures = Vec::new();
    for kind in Kind::ALL {
        for before in [0, kept()] {
            let mut rounds = Vec::new();
            if before > 0 {
                for from in (ROUNDS * EACH..before).step_by(EACH) {
                    let more: Vec<_> =
                        (from..(from + EACH).min(before)).map(|number| said(kind, &key, &about, number)).collect();
                    send(&sender, &mut bridge, &more).await;
                }
            }
            for round in 0..ROUNDS {
                let from = before + round * EACH;
                let all: Vec<_> = (from..from + EACH).map(|number| said(kind, &key, &about, number)).collect();
                let (_, limit) = send(&sender, &mut bare, &all).await;
                let (wall, cpu) = send(&sender, &mut bridge, &all).await;
                rounds.push((cpu, limit, wall));
            }
            rounds.sort();
            let (cpu, limit, wall) = rounds[ROUNDS / 2];
            let each = |time: Duration| time.as_secs_f64() * 1000.0 / f64::from(COUNT);
            let (a_second, ratio) =
                (f64::from(COUNT) / wall.as_secs_f64(), cpu.as_secs_f64() / limit.as_secs_f64().max(0.001));
            println!(
                "{:<8} {before:>8} {:>11.3} ms {:>11.2} ms {a_second:>10.0} {ratio:>8.1}",
                kind.name(),
                each(limit),
                each(cpu)
            );
            figures.push(json!({
                "what": kind.name(), "kept": before, "bare_ms": each(limit), "ms": each(cpu), "a_second": a_second, "ratio": ratio,
            }));
        }
    }
    println!("\n{}", json!({ "bench": "inbound", "figures": figures }));
    for mut server in [bridge, bare] {
        server.child.kill().expect("it ends");
        server.child.wait().expect("it ended");
    }
}

/// Activities of a round.
#[allow(clippy::cast_possible_truncation, reason = "a small constant")]
const COUNT: u32 = EACH as u32;

/// A signed request.
#[derive(Clone)]
struct Signed {
    headers: Vec<(&'static str, String)>,
    body: Bytes,
}

fn said(kind: Kind, key: &PeerKey, about: &About, number: usize) -> Signed {
    let actor = person(number);
    let public = "https://www.w3.org/ns/activitystreams#Public";
    let (name, object) = match kind {
        Kind::Like => ("Like", json!(about.article)),
        Kind::Follow => ("Follow", json!(about.author)),
        Kind::Reply => (
            "Create",
            json!({
                "id": format!("{actor}/notes/1"), "type": "Note", "attributedTo": actor, "inReplyTo": about.article, "to": [public],
                "content": "<p>It sails at <b>eleven</b> on Sundays, and comes back with the tide.</p>",
            }),
        ),
    };
    let body = json!({
        "@context": "https://www.w3.org/ns/activitystreams", "id": format!("{actor}/{name}/1"), "type": name, "actor": actor,
        "object": object, "to": [public],
    })
    .to_string();
    let (date, digest) = (Clock::system().now().http_date(), STANDARD.encode(digest(&SHA256, body.as_bytes())));
    let signed = format!(
        "(request-target): post /ap/inbox\nhost: social.example.org\ndate: {date}\ndigest: SHA-256={digest}\n\
         content-type: application/activity+json"
    );
    let signature = key.sign(signed.as_bytes()).expect("a signature");
    let headers = vec![
        ("host", "social.example.org".to_owned()),
        ("date", date),
        ("digest", format!("SHA-256={digest}")),
        ("content-type", "application/activity+json".to_owned()),
        (
            "signature",
            format!(
                "keyId=\"{actor}#main-key\",algorithm=\"rsa-sha256\",headers=\"(request-target) host date digest content-type\",\
                 signature=\"{signature}\""
            ),
        ),
    ];
    Signed { headers, body: body.into() }
}

fn person(number: usize) -> String {
    format!("http://h{}.example/u/{number}", number % HOSTS)
}

/// Sends all, and waits until the server has done what follows: how long, and at what cost.
async fn send(
    sender: &Sender<hyper_util::client::legacy::connect::HttpConnector, Full<Bytes>>,
    to: &mut Server,
    all: &[Signed],
) -> (Duration, Duration) {
    let (at, before, began) = (to.at, to.cpu(), Instant::now());
    futures::stream::iter(all.to_vec())
        .map(|signed| {
            let mut request = Request::post(format!("http://{at}/ap/inbox"));
            for (name, value) in &signed.headers {
                request = request.header(*name, value);
            }
            let request = request.body(Full::new(signed.body)).expect("a request");
            tokio::spawn(sender.request(request))
        })
        .buffer_unordered(AT_ONCE)
        .for_each(|answer| async {
            let answer = answer.expect("it was sent").expect("an answer");
            assert_eq!(answer.status(), StatusCode::ACCEPTED);
        })
        .await;
    to.finish();
    (began.elapsed(), to.cpu().saturating_sub(before))
}

/// The bridge, until its parent ends.
async fn bridge(folder: &Path) {
    let site = folder.join("site");
    fs::create_dir_all(site.join("content/authors/maren")).expect("a folder");
    fs::create_dir_all(site.join("content/post/ferry")).expect("a folder");
    fs::write(site.join("hugo.toml"), "baseURL = \"http://example.org/\"\n[taxonomies]\nauthor = \"authors\"\n")
        .expect("a file");
    fs::write(site.join("content/authors/maren/_index.md"), "---\ntitle: Maren Oldham\n---\n").expect("a file");
    let text = "---\ntitle: The ferry\ndate: 2020-01-01T00:00:00Z\nauthors: [maren]\n---\n\nIt sails at ten.\n";
    fs::write(site.join("content/post/ferry/index.md"), text).expect("a file");
    let database = std::env::var(DATABASE).unwrap_or_else(|_| "sqlite://inbound.db".to_owned());
    let peers = std::env::var(PEERS).expect("an address");
    let hosts: Vec<String> = (0..HOSTS).map(|host| format!("\"h{host}.example:80={peers}\"")).collect();
    let hosts = hosts.join(",");
    let text = format!(
        "[server]\norigin = \"http://social.example.org\"\nhandle_domain = \"example.org\"\ntrusted_proxies = []\n\
         [database]\nurl = \"{database}\"\n[secrets]\nmaster_key_file = \"master.key\"\n\
         [limits]\ninbox_per_source = 1000000\ninbox_per_host = 1000000\n[moderation]\npolicy = \"open\"\n\
         [network]\nallow_http = true\nallow_addresses = [\"127.0.0.0/8\"]\nconnect_to = [{hosts}]\n\
         [[community]]\nname = \"Example\"\nhandle = \"community\"\nteam_handle = \"editors\"\n\
         [[source]]\nname = \"site\"\nkind = \"hugo\"\ncommunity = \"community\"\npath = \"site\"\n\
         public_url = \"http://example.org/\"\nsections = [\"post\"]\nauthors = \"published\"\n"
    );
    let config = Config::parse(&text, folder, "the bench's configuration", &|_| None).expect("a configuration");
    let net = Client::network(&config.network, user_agent(&config.server.origin)).expect("a client");
    let app = server::open_with(config, Clock::system(), net).await.expect("a bridge");
    sync::sync(&app, "site", SyncOptions::default(), |_, _| {}).await.expect("a sync");
    server::drain(&app).await.expect("everything is said");
    let pem = fs::read_to_string(folder.join("key.pem")).expect("a key");
    people(&app, pem).await;
    let (article, author): (String, String) = {
        let mut conn = app.db.read().await.expect("a connection");
        let both = "SELECT a.uuid, p.uuid FROM articles a JOIN actors p ON p.id = a.owner_actor_id";
        sqlx::query_as(both).fetch_one(&mut *conn).await.expect("an article")
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let running = server::start_on(app.clone(), listener).await.expect("a bridge");
    let ours = "http://social.example.org/ap";
    println!("{}\n{ours}/articles/{article} {ours}/actors/{author}", running.address);
    answer(async || {
        loop {
            let is_done = {
                let mut conn = app.db.read().await.expect("a connection");
                inbox::store::count_waiting(&mut conn, 1).await.expect("a count") == 0
                    && delivery::store::waiting(&mut conn, None, 1).await.expect("a list").items.is_empty()
            };
            if is_done {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// Does something each time a line comes in, and says so.
async fn answer(finish: impl AsyncFn()) {
    let (sender, mut asked) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    while asked.recv().await.is_some() {
        finish().await;
        println!("done");
    }
}

/// Everybody who sends anything, with their key, as if they had been read before.
async fn people(app: &App, pem: String) {
    let write = app.db.write(move |conn| {
        Box::pin(async move {
            let mut statements: Vec<String> = Vec::new();
            for host in 0..HOSTS {
                statements.push(format!("INSERT INTO hosts (id, name) VALUES ({host}, 'h{host}.example')"));
                statements.push(format!(
                    "INSERT INTO inboxes (id, host_id, url, shared) VALUES ({host}, {host}, 'http://h{host}.example/inbox', 1)"
                ));
            }
            let now = Clock::system().now().millis();
            for number in 0..kept() + 2 * ROUNDS * EACH {
                let (url, inbox) = (person(number), number % HOSTS);
                statements.push(format!(
                    "INSERT INTO remote_actors (id, url, kind, username, name, profile_url, inbox_id, fetched_at)
                     VALUES ({number}, '{url}', 'Person', 'u{number}', 'Someone', '{url}', {inbox}, {now})"
                ));
                statements.push(format!(
                    "INSERT INTO remote_keys (id, remote_actor_id, public, fetched_at) VALUES ('{url}#main-key', {number}, '{pem}', {now})"
                ));
            }
            for statement in statements {
                sqlx::query(AssertSqlSafe(statement)).execute(&mut *conn).await?;
            }
            Ok::<_, sqlx::Error>(())
        })
    });
    write.await.expect("people");
}

/// The limit: a server that verifies each request, with a key that was parsed once, and answers it.
async fn bare(folder: &Path) {
    let pem = fs::read_to_string(folder.join("key.pem")).expect("a key");
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(text).expect("base64");
    let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &der).expect("a key");
    let routes =
        Router::new().route("/inbox", post(async || StatusCode::ACCEPTED)).fallback(verify).with_state(Arc::new(key));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("{}\nbare", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    answer(async || ()).await;
}

async fn verify(State(key): State<Arc<ParsedPublicKey>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if header("digest") != format!("SHA-256={}", STANDARD.encode(digest(&SHA256, &body))) {
        return StatusCode::UNAUTHORIZED;
    }
    let signed = format!(
        "(request-target): post /ap/inbox\nhost: {}\ndate: {}\ndigest: {}\ncontent-type: {}",
        header("host"),
        header("date"),
        header("digest"),
        header("content-type")
    );
    let signature = header("signature").rsplit_once("signature=\"").map_or("", |(_, rest)| rest.trim_end_matches('"'));
    match STANDARD.decode(signature).map(|signature| key.verify_sig(signed.as_bytes(), &signature)) {
        Ok(Ok(())) => StatusCode::ACCEPTED,
        _ => StatusCode::UNAUTHORIZED,
    }
}
