//! How many GETs a second a herd gets of what is prepared, and what each costs in processor time, beside a hello-world axum in one
//! run. Prints a table and lines of JSON; asserts nothing about time.
//!
//! `cargo bench --bench serving`, with `VEERPONT_BENCH_DATABASE=postgres://…` on an empty PostgreSQL. The herd is a process of its
//! own; everything stays on this machine's loopback addresses.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a bench may stop where it finds the world broken")]
#![allow(clippy::print_stdout, reason = "it is what a bench is for")]
#![allow(clippy::disallowed_methods, reason = "a bench measures real time")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use clock::Clock;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use veerpont::app::{App, user_agent};
use veerpont::config::Config;
use veerpont::net::client::Client;
use veerpont::server;
use veerpont::site::source::sync::{self, SyncOptions};

/// Says in the process of the herd that it is it.
const HERD: &str = "VEERPONT_BENCH_HERD";

/// The database, if it is to be another than a SQLite file.
const DATABASE: &str = "VEERPONT_BENCH_DATABASE";

/// Connections of the herd, and requests on each in a round.
const CONNECTIONS: u32 = 32;
const REQUESTS: u32 = 500;

/// Rounds, of which the median counts.
const ROUNDS: usize = 5;

fn main() {
    // `cargo test --benches` runs benches too, and wants no minutes of it.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if std::env::var_os(HERD).is_some() {
        return herd(&runtime);
    }
    runtime.block_on(measure());
}

/// What is asked for, and of whom.
struct Case {
    name: &'static str,
    at: SocketAddr,
    path: String,
    /// Header lines besides Host.
    headers: String,
    rounds: Vec<Round>,
}

impl Case {
    fn new(name: &'static str, at: SocketAddr, path: &str, headers: &str) -> Self {
        Self { name, at, path: path.to_owned(), headers: headers.to_owned(), rounds: Vec::new() }
    }

    fn request(&self) -> String {
        format!("GET {} HTTP/1.1\r\nhost: social.example.org\r\n{}\r\n", self.path, self.headers)
    }
}

#[derive(Clone, Copy)]
struct Round {
    cpu: Duration,
    wall: Duration,
}

impl Round {
    fn a_second(self) -> f64 {
        f64::from(CONNECTIONS * REQUESTS) / self.wall.as_secs_f64()
    }

    fn each_us(self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / f64::from(CONNECTIONS * REQUESTS)
    }
}

fn median(rounds: &[Round]) -> Round {
    let mut rounds = rounds.to_vec();
    rounds.sort_by_key(|round| round.wall);
    rounds[rounds.len() / 2]
}

async fn measure() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let app = bridge(folder.path()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let running = server::start_on(app, listener).await.expect("a bridge");
    let hello = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let (at, limit) = (running.address, hello.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(hello, Router::new().route("/", get(async || "hello"))).await });

    let as2 = "accept: application/activity+json\r\n";
    let found = ask(at, "/.well-known/webfinger?resource=acct:maren@example.org", "").await;
    let links = found.1["links"].as_array().expect("links").clone();
    let of = |kind: &str| links.iter().find(|link| link["type"] == kind).and_then(|link| link["href"].as_str());
    let actor = path_of(of("application/activity+json").expect("an actor"));
    let outbox = ask(at, &format!("{actor}/outbox"), as2).await.1;
    let page = ask(at, &with_query(outbox["first"].as_str().expect("a page")), as2).await.1;
    let object = &page["orderedItems"][0]["object"];
    let article = path_of(object["id"].as_str().or(object.as_str()).expect("an article"));
    let uuid = article.rsplit('/').next().expect("a name");
    let tag = ask(at, &article, as2).await.0;
    let known = format!("{as2}if-none-match: {tag}\r\n");
    let mut cases = [
        Case::new("hello", limit, "/", ""),
        Case::new("article as JSON", at, &article, as2),
        Case::new("article as JSON, br", at, &article, &format!("{as2}accept-encoding: gzip, br\r\n")),
        Case::new("article as page", at, &format!("/@maren/{uuid}"), "accept: text/html\r\n"),
        Case::new("actor", at, &actor, as2),
        Case::new("webfinger", at, "/.well-known/webfinger?resource=acct:maren@example.org", ""),
        Case::new("304", at, &article, &known),
    ];
    let mut herd = Herd::start();
    for round in 0..=ROUNDS {
        for case in &mut cases {
            let (begun, at) = (Instant::now(), cpu());
            herd.run(case);
            // The first is for preparing.
            if round > 0 {
                case.rounds.push(Round { cpu: cpu().saturating_sub(at), wall: begun.elapsed() });
            }
        }
    }
    herd.end();
    print(&cases);
    running.stop().await;
}

fn print(cases: &[Case]) {
    let limit = median(&cases[0].rounds);
    println!("{} GETs on {CONNECTIONS} connections, median of {ROUNDS} rounds\n", CONNECTIONS * REQUESTS);
    println!("{:<22} {:>12} {:>12} {:>12}", "", "a second", "CPU each", "beside hello");
    for case in cases {
        let round = median(&case.rounds);
        let (rate, ratio) = (round.a_second(), round.a_second() / limit.a_second());
        println!("{:<22} {rate:>12.0} {:>9.1} µs {ratio:>12.2}", case.name, round.each_us());
    }
    println!();
    for case in cases {
        let round = median(&case.rounds);
        let line = json!({
            "bench": "serving", "case": case.name, "per_second": round.a_second(), "cpu_us": round.each_us(),
            "ratio": round.a_second() / limit.a_second(),
        });
        println!("{line}");
    }
}

/// The herd, in another process.
struct Herd {
    child: Child,
    orders: ChildStdin,
    words: BufReader<ChildStdout>,
}

impl Herd {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .env(HERD, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the herd");
        let orders = child.stdin.take().expect("its ear");
        let words = BufReader::new(child.stdout.take().expect("its words"));
        Self { child, orders, words }
    }

    fn run(&mut self, case: &Case) {
        let order = json!({ "at": case.at, "request": case.request() });
        writeln!(self.orders, "{order}").expect("it listens");
        let mut line = String::new();
        self.words.read_line(&mut line).expect("it answers");
        assert_eq!(line, "done\n", "{}", case.name);
    }

    fn end(mut self) {
        drop(self.orders);
        self.child.wait().expect("it ended");
    }
}

/// Asks as it is told to, until its parent ends.
fn herd(runtime: &tokio::runtime::Runtime) {
    for line in std::io::stdin().lines() {
        let order: Value = serde_json::from_str(&line.expect("text")).expect("an order");
        let at: SocketAddr = order["at"].as_str().expect("an address").parse().expect("an address");
        let request = order["request"].as_str().expect("a request").to_owned();
        runtime.block_on(async {
            let ask = |_| {
                let request = request.clone();
                tokio::spawn(async move {
                    let mut conn = Conn::open(at).await;
                    for _ in 0..REQUESTS {
                        conn.ask(&request).await;
                    }
                })
            };
            for asked in futures::future::join_all((0..CONNECTIONS).map(ask)).await {
                asked.expect("all was answered");
            }
        });
        println!("done");
    }
}

/// A connection that is kept.
struct Conn {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Conn {
    async fn open(at: SocketAddr) -> Self {
        let stream = TcpStream::connect(at).await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        Self { stream, read: Vec::with_capacity(64 * 1024) }
    }

    /// The head and the body of the answer, which must be one.
    async fn ask(&mut self, request: &str) -> (String, Vec<u8>) {
        self.stream.write_all(request.as_bytes()).await.expect("it is sent");
        self.read.clear();
        let head = loop {
            if let Some(at) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            assert!(self.stream.read_buf(&mut self.read).await.expect("an answer") > 0, "the connection ended");
        };
        let text = String::from_utf8_lossy(&self.read[..head]).to_ascii_lowercase();
        assert!(text.starts_with("http/1.1 200") || text.starts_with("http/1.1 304"), "{text}");
        let length = header(&text, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        while self.read.len() < head + length {
            assert!(self.stream.read_buf(&mut self.read).await.expect("a body") > 0, "the connection ended");
        }
        (text, self.read[head..].to_vec())
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// The `ETag` and the JSON of an answer.
async fn ask(at: SocketAddr, path: &str, headers: &str) -> (String, Value) {
    let case = Case::new("", at, path, headers);
    let (head, body) = Conn::open(at).await.ask(&case.request()).await;
    (header(&head, "etag").unwrap_or_default().to_owned(), serde_json::from_slice(&body).expect("JSON"))
}

fn path_of(id: &str) -> String {
    url::Url::parse(id).expect("an address").path().to_owned()
}

fn with_query(id: &str) -> String {
    let url = url::Url::parse(id).expect("an address");
    format!("{}?{}", url.path(), url.query().unwrap_or_default())
}

/// What Linux counts for this process, in hundredths of a second.
fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks = after_name.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum::<u64>();
    Duration::from_millis(ticks * 10)
}

async fn bridge(folder: &Path) -> App {
    let site = folder.join("site");
    fs::create_dir_all(site.join("content/authors/maren")).expect("a folder");
    fs::create_dir_all(site.join("content/post/ferry")).expect("a folder");
    fs::write(site.join("hugo.toml"), "baseURL = \"http://example.org/\"\n[taxonomies]\nauthor = \"authors\"\n")
        .expect("a file");
    fs::write(site.join("content/authors/maren/_index.md"), "---\ntitle: Maren Oldham\n---\n").expect("a file");
    let body = "It sails at ten, and comes back with the tide. ".repeat(40);
    let text = format!("---\ntitle: The ferry\ndate: 2020-01-01\nauthors: [maren]\n---\n\n{body}\n");
    fs::write(site.join("content/post/ferry/index.md"), text).expect("a file");
    let database = std::env::var(DATABASE).unwrap_or_else(|_| "sqlite://serving.db".to_owned());
    let text = format!(
        "[server]\norigin = \"http://social.example.org\"\nhandle_domain = \"example.org\"\n[database]\nurl = \"{database}\"\n\
         [secrets]\nmaster_key_file = \"master.key\"\n[network]\nallow_http = true\n\
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
