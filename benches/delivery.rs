//! What a delivery costs in processor time, beside a bare client that does only what cannot be left out, in one run: signed with RSA
//! and with Ed25519, to few and to many hosts, at once and after a while, and to hosts that are dead. Prints a table and a line of JSON
//! for each; asserts nothing about time.
//!
//! `cargo bench --bench delivery`, with `VEERPONT_BENCH_DATABASE=postgres://…` on a PostgreSQL of its own, whose processor time is
//! counted too: **its schema `public` is emptied**. The remote servers are a process of their own; everything stays on this machine's
//! loopback addresses.

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
use sqlx::{AssertSqlSafe, Connection};
use tokio::net::{TcpListener, TcpStream};
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

/// Rounds, of which the median counts; each is of one post.
const ROUNDS: usize = 5;

/// Requests of the bare client under way at a time.
const AT_ONCE: usize = 256;

/// What is measured.
struct Scene {
    name: &'static str,
    /// Remote servers, and inboxes of each.
    hosts: usize,
    inboxes: usize,
    bare: Limit,
    /// Path of their inboxes: how the servers behave.
    path: &'static str,
}

/// What cannot be left out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Limit {
    /// A signature with RSA, and a request.
    Signed,
    /// A request; Ed25519 costs little more.
    Unsigned,
    /// A connection that is refused.
    Refused,
}

const SCENES: [Scene; 5] = [
    Scene { name: "RSA, 200 hosts × 10", hosts: 200, inboxes: 10, bare: Limit::Signed, path: "now" },
    Scene { name: "Ed25519, 200 hosts × 10", hosts: 200, inboxes: 10, bare: Limit::Unsigned, path: "now" },
    Scene { name: "RSA, 1,000 hosts × 1", hosts: 1000, inboxes: 1, bare: Limit::Signed, path: "now" },
    Scene { name: "RSA, 1,000 hosts × 1, after 100 ms", hosts: 1000, inboxes: 1, bare: Limit::Signed, path: "slow" },
    Scene { name: "dead hosts, 1,000", hosts: 1000, inboxes: 1, bare: Limit::Refused, path: "now" },
];

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
    println!("{:<36} {:>10} {:>10} {:>10} {:>8} {:>10}", "", "bare", "Veerpont", "database", "ratio", "a second");
    for scene in &SCENES {
        runtime.block_on(measure(scene, at));
    }
    child.kill().expect("it ends");
    child.wait().expect("it ended");
}

/// All remote servers, which take everything, until their parent ends.
async fn servers() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("{}", listener.local_addr().expect("an address"));
    let slow = axum::routing::any(async || {
        tokio::time::sleep(Duration::from_millis(100)).await;
        StatusCode::ACCEPTED
    });
    let taken = Router::new().route("/slow/{*inbox}", slow).fallback(async || StatusCode::ACCEPTED);
    tokio::spawn(async move { axum::serve(listener, taken).await });
    let _ = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await;
}

async fn measure(scene: &Scene, at: SocketAddr) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let app = bridge(scene, folder.path(), at).await;
    follow(scene, &app).await;
    let count = f64::from(u32::try_from(scene.hosts * scene.inboxes).expect("few"));
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        if round == 0 || scene.bare != Limit::Refused {
            post(folder.path(), &format!("ferry-{round}"), &Clock::system().now().rfc3339());
            sync::sync(&app, "site", SyncOptions::default(), |_, _| {}).await.expect("a sync");
            worker::drain(&outbox::worker::worker(), &app).await.expect("everything is queued");
        } else {
            due_again(&app).await;
        }
        let before = Used::now();
        worker::drain(&delivery::worker::worker(), &app).await.expect("everything is sent");
        ours.push(before.until_now());
        let before = Used::now();
        do_without(scene, &app, at).await;
        bare.push(before.until_now());
    }
    let waiting = {
        let mut conn = app.db.read().await.expect("a connection");
        delivery::store::waiting(&mut conn, None, 1).await.expect("a list")
    };
    assert_eq!(waiting.items.is_empty(), scene.bare != Limit::Refused, "what could be taken was taken");
    let (ours, bare) = (median(ours), median(bare));
    let each = |time: Duration| time.as_secs_f64() * 1000.0 / count;
    let (limit, us, database) = (each(bare.cpu), each(ours.cpu), each(ours.database));
    let (ratio, rate) = ((us + database) / limit, count / ours.wall.as_secs_f64());
    let written = f64::from(u32::try_from(ours.written / 1000).expect("a few megabytes")) / count;
    println!("{:<36} {limit:>7.3} ms {us:>7.3} ms {database:>7.3} ms {ratio:>8.2} {rate:>10.0}", scene.name);
    println!(
        "{{\"bench\":\"delivery\",\"scene\":\"{}\",\"bare_ms\":{limit:.4},\"ms\":{us:.4},\"database_ms\":{database:.4},\
         \"ratio\":{ratio:.2},\"per_second\":{rate:.0},\"written_kb\":{written:.2},\"database\":\"{}\"}}",
        scene.name,
        if std::env::var_os(DATABASE).is_some() { "postgres" } else { "sqlite" },
    );
    app.db.close().await;
}

/// Makes all that failed due again.
async fn due_again(app: &App) {
    let write = app.db.write(|conn| {
        Box::pin(async move {
            sqlx::query("UPDATE hosts SET backoff_until = NULL, next_attempt_at = 0").execute(conn).await?;
            Ok::<_, sqlx::Error>(())
        })
    });
    write.await.expect("they are due");
}

/// Processor time of this process and of PostgreSQL, the time of day, and what was written to disk.
#[derive(Clone, Copy)]
struct Used {
    cpu: Duration,
    database: Duration,
    wall: Duration,
    written: u64,
}

struct Begun {
    cpu: Duration,
    database: Duration,
    at: Instant,
    written: u64,
}

impl Used {
    fn now() -> Begun {
        Begun { cpu: cpu("self"), database: database_cpu(), at: Instant::now(), written: written() }
    }
}

impl Begun {
    fn until_now(self) -> Used {
        Used {
            cpu: cpu("self").saturating_sub(self.cpu),
            database: database_cpu().saturating_sub(self.database),
            wall: self.at.elapsed(),
            written: written().saturating_sub(self.written),
        }
    }
}

/// What Linux counts for a process, in hundredths of a second.
fn cpu(process: &str) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks = after_name.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum::<u64>();
    Duration::from_millis(ticks * 10)
}

/// That of all processes of PostgreSQL, where it is measured.
fn database_cpu() -> Duration {
    if std::env::var_os(DATABASE).is_none() {
        return Duration::ZERO;
    }
    let processes = fs::read_dir("/proc").expect("processes").flatten();
    let names = processes.filter_map(|entry| entry.file_name().into_string().ok());
    let is_postgres =
        |id: &String| fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|name| name.trim() == "postgres");
    names.filter(is_postgres).map(|id| cpu(&id)).sum()
}

/// Bytes that this process had written to disk.
fn written() -> u64 {
    let io = fs::read_to_string("/proc/self/io").unwrap_or_default();
    io.lines().find_map(|line| line.strip_prefix("write_bytes: ")?.parse().ok()).unwrap_or_default()
}

fn median(mut rounds: Vec<Used>) -> Used {
    rounds.sort_by_key(|used| used.cpu + used.database);
    rounds[rounds.len() / 2]
}

fn post(folder: &Path, slug: &str, date: &str) {
    let file = folder.join(format!("site/content/post/{slug}/index.md"));
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    let body = "It sails at ten, and comes back with the tide. ".repeat(40);
    let text = format!("---\ntitle: The ferry\ndate: {date}\nauthors: [maren]\n---\n\n{body}\n");
    fs::write(file, text).expect("a file");
}

async fn bridge(scene: &Scene, folder: &Path, at: SocketAddr) -> App {
    let site = folder.join("site");
    fs::create_dir_all(site.join("content/authors/maren")).expect("a folder");
    fs::write(site.join("hugo.toml"), "baseURL = \"http://example.org/\"\n[taxonomies]\nauthor = \"authors\"\n")
        .expect("a file");
    fs::write(site.join("content/authors/maren/_index.md"), "---\ntitle: Maren Oldham\n---\n").expect("a file");
    post(folder, "old", "2020-01-01T00:00:00Z");
    let database = match std::env::var(DATABASE) {
        Ok(url) => {
            let mut conn = sqlx::PgConnection::connect(&url).await.expect("PostgreSQL answers");
            for statement in ["DROP SCHEMA public CASCADE", "CREATE SCHEMA public"] {
                sqlx::query(statement).execute(&mut conn).await.expect("an empty schema");
            }
            url
        }
        Err(_) => "sqlite://delivery.db".to_owned(),
    };
    let (mut hosts, mut named) = (String::new(), String::new());
    // Nobody listens at port 1.
    let at = if scene.bare == Limit::Refused { SocketAddr::from(([127, 0, 0, 1], 1)) } else { at };
    for host in 0..scene.hosts {
        write!(hosts, "\"h{host}.example:80={at}\",").expect("a text grows");
        if scene.bare == Limit::Unsigned {
            write!(named, "\"h{host}.example\",").expect("a text grows");
        }
    }
    let text = format!(
        "[server]\norigin = \"http://social.example.org\"\nhandle_domain = \"example.org\"\n[database]\nurl = \"{database}\"\n\
         [secrets]\nmaster_key_file = \"master.key\"\n\
         [network]\nallow_http = true\nallow_addresses = [\"127.0.0.0/8\"]\nconnect_to = [{hosts}]\n\
         [federation]\ned25519_hosts = [{named}]\n\
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
async fn follow(scene: &Scene, app: &App) {
    let (hosts, inboxes, path) = (scene.hosts, scene.inboxes, scene.path);
    let maren = maren(app).await.id.0;
    let write = app.db.write(move |conn| {
        Box::pin(async move {
            for host in 0..hosts {
                let mut statements = vec![format!("INSERT INTO hosts (id, name) VALUES ({host}, 'h{host}.example')")];
                for inbox in 0..inboxes {
                    let (id, url) = (host * inboxes + inbox, format!("http://h{host}.example/{path}/{inbox}"));
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

/// The limit: as many requests of about the same size, or connections, with a signature of the same key where it counts.
async fn do_without(scene: &Scene, app: &App, at: SocketAddr) {
    let maren = maren(app).await;
    let keys = {
        let mut conn = app.db.read().await.expect("a connection");
        Keyring::of(&mut conn, maren).await.expect("the keys")
    };
    let signer = Arc::new(keys.signer(app, RSA_FRAGMENT).await.expect("a key"));
    let client: Bare<_, Full<Bytes>> = Bare::builder(TokioExecutor::new()).build_http();
    let (body, bare, path) = (Bytes::from(vec![b'x'; 4096]), scene.bare, scene.path);
    futures::stream::iter(0..scene.hosts * scene.inboxes)
        .map(|number| {
            let (client, signer, body) = (client.clone(), signer.clone(), body.clone());
            tokio::spawn(async move {
                if bare == Limit::Refused {
                    assert!(TcpStream::connect(("127.0.0.1", 1)).await.is_err(), "nobody listens there");
                    return;
                }
                let mut request = Request::post(format!("http://{at}/{path}/{number}/inbox"));
                if bare == Limit::Signed {
                    let text = format!(
                        "(request-target): post /{path}/{number}/inbox\nhost: h.example\ndate: now\ndigest: {number}"
                    );
                    request = request
                        .header("x-signature-bytes", signer.key.sign(text.as_bytes()).expect("a signature").len());
                }
                let answer =
                    client.request(request.body(Full::new(body)).expect("a request")).await.expect("an answer");
                assert_eq!(answer.status(), StatusCode::ACCEPTED);
            })
        })
        .buffer_unordered(AT_ONCE)
        .for_each(|done| async { done.expect("it was sent") })
        .await;
}
