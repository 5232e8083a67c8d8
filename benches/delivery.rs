//! What a delivery costs in processor time, beside a bare client that only signs and sends, in one run. Prints a table; asserts
//! nothing about time.
//!
//! `cargo bench --bench delivery`, with `VEERPONT_BENCH_DATABASE=postgres://…` on an empty PostgreSQL (whose own time is not
//! counted). The remote servers are a process of their own; everything stays on this machine's loopback addresses.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a bench may stop where it finds the world broken")]
#![allow(clippy::print_stdout, reason = "it is what a bench is for")]
#![allow(clippy::disallowed_methods, reason = "a bench measures real time")]

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use bytes::Bytes;
use clock::Clock;
use futures::StreamExt;
use http::{Request, StatusCode};
use http_body_util::Full;
use hyper_util::client::legacy::Client as Bare;
use hyper_util::rt::TokioExecutor;
use sqlx::AssertSqlSafe;
use tokio::net::TcpListener;
use veerpont::app::{App, user_agent, worker};
use veerpont::base::ids::Handle;
use veerpont::config::Config;
use veerpont::federation::{delivery, outbox};
use veerpont::model::author;
use veerpont::model::author::keys::{Keyring, RSA_FRAGMENT};
use veerpont::net::client::Client;
use veerpont::server;
use veerpont::site::source::sync::{self, SyncOptions};

/// Says in the process of the remote servers that it is it.
const SERVERS: &str = "VEERPONT_BENCH_SERVERS";

/// The database, if it is to be another than a SQLite file.
const DATABASE: &str = "VEERPONT_BENCH_DATABASE";

/// Remote servers, and inboxes of each.
const HOSTS: usize = 200;
const INBOXES: usize = 10;

/// Rounds, of which the median counts; each is of one post.
const ROUNDS: usize = 5;

/// Requests of the bare client under way at a time.
const AT_ONCE: usize = 256;

fn main() {
    // `cargo test --benches` runs benches too, and wants no minutes of it.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if std::env::var_os(SERVERS).is_some() {
        return runtime.block_on(servers());
    }
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .env(SERVERS, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the remote servers");
    let mut lines = BufReader::new(child.stdout.take().expect("its words")).lines();
    let at: SocketAddr = lines.next().expect("a line").expect("text").parse().expect("an address");
    runtime.block_on(measure(at));
    child.kill().expect("it ends");
    child.wait().expect("it ended");
}

/// All remote servers, which take everything, until their parent ends.
async fn servers() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("{}", listener.local_addr().expect("an address"));
    let taken = Router::new().fallback(async || StatusCode::ACCEPTED);
    tokio::spawn(async move { axum::serve(listener, taken).await });
    let _ = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await;
}

async fn measure(at: SocketAddr) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let app = bridge(folder.path(), at).await;
    follow(&app).await;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        post(folder.path(), &format!("ferry-{round}"), &Clock::system().now().rfc3339());
        sync::sync(&app, "site", SyncOptions::default(), |_, _| {}).await.expect("a sync");
        worker::drain(&outbox::worker::worker(), &app).await.expect("everything is queued");
        let before = Used::now();
        worker::drain(&delivery::worker::worker(), &app).await.expect("everything is sent");
        ours.push(before.until_now());
        let before = Used::now();
        sign_and_send(&app, at).await;
        bare.push(before.until_now());
    }
    let waiting = {
        let mut conn = app.db.read().await.expect("a connection");
        delivery::store::waiting(&mut conn, None, 1).await.expect("a list")
    };
    assert!(waiting.items.is_empty(), "everything was taken");
    let (ours, bare) = (median(ours), median(bare));
    println!("{} deliveries to {HOSTS} hosts, signed with RSA, median of {ROUNDS} rounds\n", HOSTS * INBOXES);
    println!("{:<12} {:>12} {:>12} {:>8}", "", "CPU each", "a second", "ratio");
    for (name, used) in [("bare client", &bare), ("Veerpont", &ours)] {
        println!(
            "{name:<12} {:>9.2} ms {:>12.0} {:>8.2}",
            used.each_ms(),
            f64::from(COUNT) / used.wall.as_secs_f64(),
            used.each_ms() / bare.each_ms()
        );
    }
}

/// Deliveries of a round.
#[allow(clippy::cast_possible_truncation, reason = "a small product of two constants")]
const COUNT: u32 = (HOSTS * INBOXES) as u32;

/// Processor time of this process, and the time of day.
#[derive(Clone, Copy)]
struct Used {
    cpu: Duration,
    wall: Duration,
}

struct Begun {
    cpu: Duration,
    at: Instant,
}

impl Used {
    fn now() -> Begun {
        Begun { cpu: cpu(), at: Instant::now() }
    }

    fn each_ms(&self) -> f64 {
        self.cpu.as_secs_f64() * 1000.0 / f64::from(COUNT)
    }
}

impl Begun {
    fn until_now(self) -> Used {
        Used { cpu: cpu().saturating_sub(self.cpu), wall: self.at.elapsed() }
    }
}

/// What Linux counts for this process, in hundredths of a second.
fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks = after_name.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum::<u64>();
    Duration::from_millis(ticks * 10)
}

fn median(mut rounds: Vec<Used>) -> Used {
    rounds.sort_by_key(|used| used.cpu);
    rounds[rounds.len() / 2]
}

fn post(folder: &Path, slug: &str, date: &str) {
    let file = folder.join(format!("site/content/post/{slug}/index.md"));
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    let body = "It sails at ten, and comes back with the tide. ".repeat(40);
    let text = format!("---\ntitle: The ferry\ndate: {date}\nauthors: [maren]\n---\n\n{body}\n");
    fs::write(file, text).expect("a file");
}

async fn bridge(folder: &Path, at: SocketAddr) -> App {
    let site = folder.join("site");
    fs::create_dir_all(site.join("content/authors/maren")).expect("a folder");
    fs::write(site.join("hugo.toml"), "baseURL = \"http://example.org/\"\n[taxonomies]\nauthor = \"authors\"\n")
        .expect("a file");
    fs::write(site.join("content/authors/maren/_index.md"), "---\ntitle: Maren Oldham\n---\n").expect("a file");
    post(folder, "old", "2020-01-01T00:00:00Z");
    let database = std::env::var(DATABASE).unwrap_or_else(|_| "sqlite://delivery.db".to_owned());
    let mut hosts = String::new();
    for host in 0..HOSTS {
        write!(hosts, "\"h{host}.example:80={at}\",").expect("a text grows");
    }
    let text = format!(
        "[server]\norigin = \"http://social.example.org\"\nhandle_domain = \"example.org\"\n[database]\nurl = \"{database}\"\n\
         [secrets]\nmaster_key_file = \"master.key\"\n\
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
    app
}

async fn maren(app: &App) -> author::Actor {
    let mut conn = app.db.read().await.expect("a connection");
    let handle = Handle::parse("maren").expect("a handle");
    author::store::actor_by_handle(&mut conn, &handle).await.expect("a read").expect("an actor")
}

/// Followers of the author, each with an inbox of their own.
async fn follow(app: &App) {
    let maren = maren(app).await.id.0;
    let write = app.db.write(move |conn| {
        Box::pin(async move {
            for host in 0..HOSTS {
                let mut statements = vec![format!("INSERT INTO hosts (id, name) VALUES ({host}, 'h{host}.example')")];
                for inbox in 0..INBOXES {
                    let (id, url) = (host * INBOXES + inbox, format!("http://h{host}.example/u/{inbox}"));
                    statements.extend([
                        format!("INSERT INTO inboxes (id, host_id, url, shared) VALUES ({id}, {host}, '{url}/inbox', 0)"),
                        format!(
                            "INSERT INTO remote_actors (id, url, kind, username, name, profile_url, inbox_id, fetched_at)
                             VALUES ({id}, '{url}', 'Person', 'u{inbox}', 'Someone', '{url}', {id}, 0)"
                        ),
                        format!(
                            "INSERT INTO followers (actor_id, remote_actor_id, inbox_id, follow_id, since)
                             VALUES ({maren}, {id}, {id}, '{url}/f', 0)"
                        ),
                    ]);
                }
                for statement in statements {
                    sqlx::query(AssertSqlSafe(statement)).execute(&mut *conn).await?;
                }
            }
            Ok::<_, sqlx::Error>(())
        })
    });
    write.await.expect("followers");
}

/// The limit: as many signatures of the same key, and requests of about the same size.
async fn sign_and_send(app: &App, at: SocketAddr) {
    let maren = maren(app).await;
    let signer = Keyring::of(app, &maren).await.expect("the keys").signer(RSA_FRAGMENT).await.expect("a key");
    let client: Bare<_, Full<Bytes>> = Bare::builder(TokioExecutor::new()).build_http();
    let (signer, body) = (Arc::new(signer), Bytes::from(vec![b'x'; 4096]));
    futures::stream::iter(0..COUNT)
        .map(|number| {
            let (client, signer, body) = (client.clone(), signer.clone(), body.clone());
            tokio::spawn(async move {
                let text =
                    format!("(request-target): post /u/{number}/inbox\nhost: h.example\ndate: now\ndigest: {number}");
                let signature = signer.key.sign(text.as_bytes()).expect("a signature");
                let request = Request::post(format!("http://{at}/u/{number}/inbox"))
                    .header("x-signature-bytes", signature.len())
                    .body(Full::new(body))
                    .expect("a request");
                let answer = client.request(request).await.expect("an answer");
                assert_eq!(answer.status(), StatusCode::ACCEPTED);
            })
        })
        .buffer_unordered(AT_ONCE)
        .for_each(|done| async { done.expect("it was sent") })
        .await;
}
