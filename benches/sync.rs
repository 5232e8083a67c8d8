//! What the first sync of a site costs until everything stands in the outboxes, beside `hugo list all` on the same tree where hugo is
//! installed. Prints a table, and the figures as JSON; asserts nothing about time.
//!
//! `cargo bench --bench sync`, or other numbers of posts: `cargo bench --bench sync -- 500`. With
//! `VEERPONT_BENCH_DATABASE=postgres://…` on an empty PostgreSQL the first of them alone.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a bench may stop where it finds the world broken")]
#![allow(clippy::print_stdout, reason = "it is what a bench is for")]
#![allow(clippy::disallowed_methods, reason = "a bench measures real time")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clock::Clock;
use serde_json::{Value, json};
use veerpont::app::{App, user_agent, worker};
use veerpont::config::Config;
use veerpont::federation::outbox;
use veerpont::net::client::Client;
use veerpont::server;
use veerpont::site::source::sync::{self, SyncOptions};

/// The database, if it is to be another than a SQLite file.
const DATABASE: &str = "VEERPONT_BENCH_DATABASE";

/// Posts of the sites.
const SIZES: [u32; 3] = [100, 1_000, 3_000];

/// Files must be older than this before a look at them is trusted.
const SETTLED: Duration = Duration::from_millis(2200);

/// How often hugo lists; the median counts.
const RUNS: usize = 3;

/// Where the processor times of this process stand in `/proc/self/stat`, and those of the programs it ran.
const OWN: usize = 11;
const OF_CHILDREN: usize = 13;

fn main() {
    // `cargo test --benches` runs benches too, and wants no minutes of it.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let asked: Vec<u32> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let mut sizes = if asked.is_empty() { SIZES.to_vec() } else { asked };
    let database = std::env::var(DATABASE).ok();
    if database.is_some() {
        sizes.truncate(1);
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut figures = Vec::new();
    println!("The first sync, processor time (and time of day); hugo list all is the median of {RUNS}\n");
    println!("{:>8} {:>18} {:>22} {:>12} {:>8} {:>10}", "posts", "hugo list all", "Veerpont", "each", "ratio", "peak");
    for posts in sizes {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let site = folder.path().join("site");
        write_site(&site, posts);
        std::thread::sleep(SETTLED);
        let hugo = hugo_lists(&site);
        let _ = fs::write("/proc/self/clear_refs", "5");
        let ours = runtime.block_on(first_sync(folder.path(), database.as_deref(), posts));
        let peak = peak().unwrap_or_default();
        let (each, ratio) = (
            ours.cpu.as_secs_f64() / f64::from(posts),
            hugo.map(|hugo| ours.cpu.as_secs_f64() / hugo.cpu.as_secs_f64()),
        );
        println!(
            "{posts:>8} {:>18} {:>22} {:>9.2} ms {:>8} {peak:>6} MiB",
            hugo.map_or_else(|| "not here".to_owned(), Used::text),
            ours.text(),
            each * 1000.0,
            ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"))
        );
        figures.push(json!({
            "posts": posts, "hugo_cpu_s": hugo.map(|hugo| hugo.cpu.as_secs_f64()), "veerpont_cpu_s": ours.cpu.as_secs_f64(),
            "veerpont_s": ours.wall.as_secs_f64(), "each_ms": each * 1000.0, "ratio": ratio, "peak_mib": peak,
        }));
    }
    let engine = if database.is_some() { "postgresql" } else { "sqlite" };
    println!("\n{}", json!({ "bench": "sync", "engine": engine, "sizes": Value::Array(figures) }));
}

/// Processor time, and the time of day.
#[derive(Clone, Copy)]
struct Used {
    cpu: Duration,
    wall: Duration,
}

impl Used {
    fn text(self) -> String {
        format!("{:.2} s ({:.2} s)", self.cpu.as_secs_f64(), self.wall.as_secs_f64())
    }
}

/// What Linux counts, in hundredths of a second: two fields from one on.
fn cpu(from: usize) -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks = after_name.split(' ').skip(from).take(2).filter_map(|field| field.parse::<u64>().ok()).sum::<u64>();
    Duration::from_millis(ticks * 10)
}

fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib / 1024)
}

fn write_site(site: &Path, posts: u32) {
    let words = ["ferry", "harbour", "tide", "rope", "lantern", "captain", "island", "storm", "anchor", "gull"];
    let write = |path: String, text: &str| {
        let file = site.join(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, text).expect("a file");
    };
    write("hugo.toml".to_owned(), "baseURL = 'https://example.org/'\n[taxonomies]\nauthor = 'authors'\n");
    write("layouts/_default/single.html".to_owned(), "{{ .Content }}");
    write("content/authors/maren/_index.md".to_owned(), "---\ntitle: Maren Oldham\n---\nWrites.\n");
    for number in 0..usize::try_from(posts).expect("a number") {
        let mut text = format!(
            "---\ntitle: \"Post {number} on the {}\"\ndate: 20{:02}-{:02}-{:02}T10:00:00Z\nauthors: [maren]\ntags: [{}]\n---\n\n",
            words[number % 10],
            10 + number % 15,
            1 + number % 12,
            1 + number % 28,
            words[number / 10 % 10],
        );
        for paragraph in 0..8 {
            for word in 0..60 {
                let _ = write!(text, "{} ", words[(number * 7 + paragraph * 3 + word * word) % 10]);
            }
            let _ = writeln!(text, "**{}** [a link](https://example.org/{number}/).\n", words[paragraph % 10]);
        }
        write(format!("content/post/p{number}/index.md"), &text);
    }
}

fn hugo_lists(site: &Path) -> Option<Used> {
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        let (before, begun) = (cpu(OF_CHILDREN), Instant::now());
        let mut command = Command::new("hugo");
        command.args(["list", "all", "--source"]).arg(site).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().ok().filter(std::process::ExitStatus::success)?;
        runs.push(Used { cpu: cpu(OF_CHILDREN).saturating_sub(before), wall: begun.elapsed() });
    }
    runs.sort_by_key(|used| used.cpu);
    runs.get(RUNS / 2).copied()
}

async fn first_sync(folder: &Path, database: Option<&str>, posts: u32) -> Used {
    let app = open(folder, database.unwrap_or("sqlite://sync.db")).await;
    let (before, begun) = (cpu(OWN), Instant::now());
    let report = sync::sync(&app, "site", SyncOptions::default(), |_, _| {}).await.expect("a sync");
    assert_eq!(u32::try_from(report.created), Ok(posts), "{:?}", report.warnings);
    worker::drain(&outbox::worker::worker(), &app).await.expect("everything is said");
    let used = Used { cpu: cpu(OWN).saturating_sub(before), wall: begun.elapsed() };
    app.db.close().await;
    used
}

async fn open(folder: &Path, database: &str) -> App {
    let text = format!(
        "[server]\norigin = \"https://social.example.org\"\nhandle_domain = \"example.org\"\n[database]\nurl = \"{database}\"\n\
         [secrets]\nmaster_key_file = \"master.key\"\n\
         [[community]]\nname = \"Example\"\nhandle = \"community\"\nteam_handle = \"editors\"\n\
         [[source]]\nname = \"site\"\nkind = \"hugo\"\ncommunity = \"community\"\npath = \"site\"\n\
         public_url = \"https://example.org/\"\nsections = [\"post\"]\nauthors = \"published\"\n"
    );
    let config = Config::parse(&text, folder, "the bench's configuration", &|_| None).expect("a configuration");
    let net = Client::network(&config.network, user_agent(&config.server.origin)).expect("a client");
    server::open_with(config, Clock::system(), net).await.expect("a bridge")
}
