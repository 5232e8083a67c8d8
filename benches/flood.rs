//! What honest requests wait, and what memory the bridge takes, while strangers flood it, beside the quiet bridge. Prints a
//! table; asserts nothing about time.
//!
//! `cargo bench --bench flood`. The bridge is a process of its own; everything stays on this machine's loopback addresses
//! and ends after a fixed number of requests.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a bench may stop where it finds the world broken")]
#![allow(clippy::print_stdout, reason = "it is what a bench is for")]
#![allow(clippy::disallowed_methods, reason = "a bench measures real time")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clock::Clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use veerpont::app::user_agent;
use veerpont::config::Config;
use veerpont::net::client::Client;
use veerpont::server;

/// Names the folder of the bridge in the process that is the bridge.
const BRIDGE: &str = "VEERPONT_BENCH_BRIDGE";

/// Honest requests that are measured each time, and before that to warm up.
const HONEST: usize = 2000;
const WARM: usize = 200;

/// Requests of the flood at the most.
const FLOOD: usize = 20_000;

/// Each of this machine's loopback addresses is somebody else.
const FRIEND: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

fn main() {
    // `cargo test --benches` runs benches too, and wants no minutes of it.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if let Some(folder) = std::env::var_os(BRIDGE) {
        return runtime.block_on(bridge(Path::new(&folder)));
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .env(BRIDGE, folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a bridge");
    let mut lines = BufReader::new(child.stdout.take().expect("its words")).lines();
    let at: SocketAddr = lines.next().expect("a line").expect("text").parse().expect("an address");
    runtime.block_on(measure(at, child.id()));
    child.kill().expect("it ends");
    child.wait().expect("it ended");
}

/// The bridge, until its parent ends.
async fn bridge(folder: &Path) {
    let text = "[server]\norigin = \"https://social.example.org\"\ntrusted_proxies = []\n\
                [database]\nurl = \"sqlite://flood.db\"\n[secrets]\nmaster_key_file = \"master.key\"\n\
                [[community]]\nname = \"Example\"\nhandle = \"community\"\nteam_handle = \"editors\"\n";
    let config = Config::parse(text, folder, "the bench's configuration", &|_| None).expect("a configuration");
    let net = Client::network(&config.network, user_agent(&config.server.origin)).expect("a client");
    let app = server::open_with(config, Clock::system(), net).await.expect("a bridge");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let running = server::start_on(app, listener).await.expect("a bridge");
    println!("{}", running.address);
    let _ = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await;
}

async fn measure(at: SocketAddr, pid: u32) {
    honest(at, WARM).await;
    let quiet = Row::of("quiet", honest(at, HONEST).await, pid);
    let stop = Arc::new(AtomicBool::new(false));
    let sent = Arc::new(AtomicUsize::new(0));
    let mut flood = JoinSet::new();
    for number in 0..60 {
        flood.spawn(hold(at, number, Arc::clone(&stop)));
    }
    let date = Clock::system().now().http_date();
    let bodies = [vec![b'['; 10_000], vec![0xff; 1024 * 1024], br#"{"@context":"x"}"#.to_vec()];
    for (number, body) in (4u8..).zip(bodies) {
        for _ in 0..4 {
            let (date, body) = (date.clone(), body.clone());
            let (stop, sent) = (Arc::clone(&stop), Arc::clone(&sent));
            flood.spawn(async move {
                while !stop.load(Ordering::Relaxed) && sent.fetch_add(1, Ordering::Relaxed) < FLOOD {
                    ask(Ipv4Addr::new(127, 0, 0, number), at, &forged(&date, &body), &body).await;
                }
            });
        }
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let flooded = Row::of("flooded", honest(at, HONEST).await, pid);
    stop.store(true, Ordering::Relaxed);
    flood.shutdown().await;
    let after = Row::of("quiet again", honest(at, HONEST).await, pid);
    println!("{} requests of the flood beside {HONEST} honest ones\n", sent.load(Ordering::Relaxed).min(FLOOD));
    println!("{:<12} {:>9} {:>9} {:>9} {:>11} {:>10}", "", "p50", "p99", "p99 ratio", "unanswered", "memory");
    for row in [&quiet, &flooded, &after] {
        row.print(&quiet);
    }
}

struct Row {
    name: &'static str,
    times: Vec<Duration>,
    unanswered: usize,
    /// MiB of the bridge's process.
    memory: u64,
}

impl Row {
    fn of(name: &'static str, answers: Vec<Option<Duration>>, pid: u32) -> Self {
        let unanswered = answers.iter().filter(|answer| answer.is_none()).count();
        let mut times: Vec<Duration> = answers.into_iter().flatten().collect();
        times.sort();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        let memory = line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024;
        Self { name, times, unanswered, memory }
    }

    fn quantile(&self, percent: usize) -> f64 {
        self.times.get(self.times.len() * percent / 100).map_or(f64::NAN, Duration::as_secs_f64) * 1000.0
    }

    fn print(&self, quiet: &Self) {
        println!(
            "{:<12} {:>6.2} ms {:>6.2} ms {:>9.1} {:>11} {:>6} MiB",
            self.name,
            self.quantile(50),
            self.quantile(99),
            self.quantile(99) / quiet.quantile(99),
            self.unanswered,
            self.memory
        );
    }
}

/// Asks by webfinger and for the instance actor, two at a time; `None` where the answer is not 200.
async fn honest(at: SocketAddr, times: usize) -> Vec<Option<Duration>> {
    let mut askers = JoinSet::new();
    for _ in 0..2 {
        askers.spawn(async move {
            let mut answers = Vec::new();
            for number in 0..times / 2 {
                let path = if number.is_multiple_of(2) {
                    "/.well-known/webfinger?resource=acct:community@social.example.org"
                } else {
                    "/ap/instance"
                };
                let head =
                    format!("GET {path} HTTP/1.1\r\nhost: social.example.org\r\naccept: application/activity+json\r\n");
                let start = Instant::now();
                let status = ask(FRIEND, at, &head, b"").await;
                answers.push((status == Some(200)).then(|| start.elapsed()));
            }
            answers
        });
    }
    askers.join_all().await.into_iter().flatten().collect()
}

/// A POST that is well-formed in all that can be seen without the key, which nobody has.
fn forged(date: &str, body: &[u8]) -> String {
    let hash = STANDARD.encode(digest(&SHA256, body));
    format!(
        "POST /ap/inbox HTTP/1.1\r\nhost: social.example.org\r\ndate: {date}\r\ncontent-type: application/activity+json\r\n\
         digest: SHA-256={hash}\r\nsignature: keyId=\"https://127.0.0.1/x#main-key\",algorithm=\"rsa-sha256\",\
         headers=\"(request-target) host date digest\",signature=\"AAAA\"\r\n"
    )
}

/// A connection that says nothing, or whose body never ends.
async fn hold(at: SocketAddr, number: usize, stop: Arc<AtomicBool>) {
    let Some(mut stream) = connect(Ipv4Addr::new(127, 0, 0, 3), at).await else { return };
    if number.is_multiple_of(2) {
        let head = "POST /ap/inbox HTTP/1.1\r\nhost: social.example.org\r\ncontent-type: application/activity+json\r\n\
                    content-length: 100000\r\n\r\n";
        let _ = stream.write_all(head.as_bytes()).await;
    }
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if number.is_multiple_of(2) && stream.write_all(b"[").await.is_err() {
            return;
        }
    }
}

async fn connect(from: Ipv4Addr, to: SocketAddr) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().ok()?;
    socket.bind((from, 0).into()).ok()?;
    socket.connect(to).await.ok()
}

/// Sends a request and reads the status of its answer; `None` when the connection ends without one.
async fn ask(from: Ipv4Addr, to: SocketAddr, head: &str, body: &[u8]) -> Option<u16> {
    let mut stream = connect(from, to).await?;
    let head = format!("{head}connection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.ok()?;
    // The server may answer before it has all, and close.
    let _ = stream.write_all(body).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()
}
