//! How long a site of ten thousand posts takes: read for the first time, unchanged, and with one post changed; beside
//! `hugo list all` on the same tree. Prints a table; asserts nothing about time.
//!
//! `cargo bench --bench rescan`; `VEERPONT_BENCH_POSTS` sets another number of posts.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a bench may stop where it finds the world broken")]
#![allow(clippy::print_stdout, reason = "it is what a bench is for")]
#![allow(clippy::disallowed_methods, reason = "a bench measures real time")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clock::Clock;
use url::Url;
use veerpont::app::{App, user_agent};
use veerpont::config::Config;
use veerpont::net::client::Client;
use veerpont::server;
use veerpont::site::source::report::Report;
use veerpont::site::source::sync::{self, SyncOptions};

/// How often each thing is measured; the median counts.
const RUNS: usize = 5;

/// Files must be older than this before a look at them is trusted.
const SETTLED: Duration = Duration::from_millis(2200);

/// A row of the table.
struct Row {
    what: String,
    time: Duration,
    /// MiB at the most while it ran; none for other programs.
    memory: Option<u64>,
}

fn main() {
    // `cargo test --benches` runs benches too, and wants no minutes of it.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let posts = std::env::var("VEERPONT_BENCH_POSTS").ok().and_then(|posts| posts.parse().ok()).unwrap_or(10_000);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let site = folder.path().join("site");
    let bytes = write_site(&site, posts);
    println!("{posts} posts, {} MiB of text", bytes / 1024 / 1024);
    std::thread::sleep(SETTLED);

    let mut rows: Vec<Row> = hugos().iter().filter_map(|(name, program)| hugo_lists(name, program, &site)).collect();
    rows.push(scan(&site));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    rows.extend(runtime.block_on(syncs(folder.path(), &site, posts)));
    print(&rows);
}

/// A site as people have it: bundles and single files in two sections, some with a picture, a shortcode or a reference.
fn write_site(site: &Path, posts: usize) -> usize {
    let words = ["ferry", "harbour", "tide", "rope", "lantern", "captain", "island", "storm", "anchor", "gull"];
    let mut chance: u64 = 20_260_807;
    let mut draw = |below: usize| {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(chance >> 33).unwrap_or_default() % below
    };
    let mut bytes = 0;
    let mut write = |path: String, text: &str| {
        let file = site.join(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, text).expect("a file");
        bytes += text.len();
    };
    write(
        "hugo.toml".to_owned(),
        "baseURL = 'https://example.org/'\ntitle = 'Example'\ntimeZone = 'Europe/Amsterdam'\n",
    );
    write("layouts/_default/single.html".to_owned(), "{{ .Content }}");
    for author in 0..20 {
        write(format!("content/authors/a{author}/_index.md"), &format!("---\ntitle: Author {author}\n---\nWrites.\n"));
    }
    for number in 0..posts {
        let mut text = format!(
            "---\ntitle: \"Post {number} on the {}\"\ndate: 20{:02}-{:02}-{:02}T10:00:00Z\nauthors: [a{}]\ntags: [{}, {}]\n---\n\n",
            words[draw(10)],
            10 + draw(15),
            1 + draw(12),
            1 + draw(28),
            draw(20),
            words[draw(10)],
            words[draw(10)],
        );
        for paragraph in 0..6 + draw(8) {
            if paragraph % 4 == 3 {
                let _ = writeln!(
                    text,
                    "## Of the {}\n\n- one **{}**\n- two _{}_\n",
                    words[draw(10)],
                    words[draw(10)],
                    words[draw(10)]
                );
            }
            for _ in 0..30 + draw(60) {
                text.push_str(words[draw(10)]);
                text.push(' ');
            }
            let _ = writeln!(text, "[a link](https://example.org/{}/).\n", words[draw(10)]);
        }
        match draw(20) {
            0 => text.push_str("{{< figure src=\"picture.png\" alt=\"A ferry\" >}}\n"),
            1 if number > 0 => {
                let _ = writeln!(text, "See [the last one]({{{{< ref \"/blog/p{}.md\" >}}}}).", (number - 1) | 1);
            }
            _ => {}
        }
        if number % 2 == 0 {
            write(format!("content/post/p{number}/index.md"), &text);
            if text.contains("picture.png") {
                write(format!("content/post/p{number}/picture.png"), "GIF89a\u{1}\0\u{1}\0");
            }
        } else {
            write(format!("content/blog/p{number}.md"), &text);
        }
    }
    bytes
}

/// The `hugo` programs of this machine, each once.
fn hugos() -> Vec<(String, PathBuf)> {
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    let path = std::env::var_os("PATH").unwrap_or_default();
    for program in std::env::split_paths(&path).map(|folder| folder.join("hugo")).filter(|program| program.is_file()) {
        let Ok(said) = Command::new(&program).arg("version").stderr(Stdio::null()).output() else { continue };
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let version = said.split_whitespace().find(|word| word.starts_with('v') && word.contains('.'));
        let name = version.and_then(|version| version.split('-').next()).unwrap_or("hugo").to_owned();
        if !found.iter().any(|(known, _)| *known == name) {
            found.push((name, program));
        }
    }
    found
}

fn hugo_lists(name: &str, program: &Path, site: &Path) -> Option<Row> {
    let times: Option<Vec<Duration>> = (0..3)
        .map(|_| {
            let start = Instant::now();
            let mut command = Command::new(program);
            command.args(["list", "all", "--source"]).arg(site).stdout(Stdio::null()).stderr(Stdio::null());
            command.status().ok().filter(std::process::ExitStatus::success).map(|_| start.elapsed())
        })
        .collect();
    Some(Row { what: format!("hugo {name}, list all"), time: median(times?), memory: None })
}

fn scan(site: &Path) -> Row {
    let public_url = Url::parse("https://example.org/").expect("an address");
    let settings = hugo_content::Settings::new(site.to_owned(), public_url, vec!["post".to_owned(), "blog".to_owned()]);
    let now = Clock::system().now();
    forget_peak();
    let times = (0..RUNS).map(|_| {
        let start = Instant::now();
        let scan = hugo_content::scan(&settings, hugo_content::Memory::new(), now, &mut |_, _| {}).expect("a scan");
        let time = start.elapsed();
        assert!(scan.complete && scan.warnings.is_empty(), "{:?}", scan.warnings.first());
        time
    });
    Row { what: "a scan alone".to_owned(), time: median(times.collect()), memory: peak() }
}

async fn syncs(folder: &Path, site: &Path, posts: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut last = None;
    let mut times = Vec::new();
    forget_peak();
    for run in 0..3 {
        let app = open(folder, site, run).await;
        let (report, time) = look(&app).await;
        assert_eq!(report.created, posts);
        times.push(time);
        last = Some(app);
    }
    rows.push(Row { what: "the first sync".to_owned(), time: median(times), memory: peak() });
    let app = last.expect("a bridge");

    forget_peak();
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let (report, time) = look(&app).await;
        assert_eq!(report.unchanged, posts);
        times.push(time);
    }
    rows.push(Row { what: "unchanged".to_owned(), time: median(times), memory: peak() });

    forget_peak();
    let mut times = Vec::new();
    for run in 0..RUNS {
        let file = site.join(format!("content/post/p{}/index.md", run * 2));
        let text = fs::read_to_string(&file).expect("a post");
        fs::write(&file, format!("{text}\nAn addition.\n")).expect("a file");
        let (report, time) = look(&app).await;
        assert_eq!(report.updated, 1);
        times.push(time);
    }
    rows.push(Row { what: "one post changed".to_owned(), time: median(times), memory: peak() });
    rows
}

async fn open(folder: &Path, site: &Path, run: usize) -> App {
    let text = format!(
        "[server]\norigin = \"https://social.example.org\"\n[database]\nurl = \"sqlite://bench{run}.db\"\n\
         [secrets]\nmaster_key_file = \"master{run}.key\"\n\
         [[community]]\nname = \"Example\"\nhandle = \"community\"\nteam_handle = \"editors\"\n\
         [[source]]\nname = \"site\"\nkind = \"hugo\"\ncommunity = \"community\"\npath = \"{}\"\n\
         public_url = \"https://example.org/\"\nauthors = []\n",
        site.display()
    );
    let config = Config::parse(&text, folder, "the bench's configuration", &|_| None).expect("a configuration");
    let net = Client::network(&config.network, user_agent(&config.server.origin)).expect("a client");
    server::open_with(config, Clock::system(), net).await.expect("a bridge")
}

async fn look(app: &App) -> (Report, Duration) {
    let start = Instant::now();
    let report = sync::sync(app, "site", SyncOptions::default(), |_, _| {}).await.expect("a sync");
    (report, start.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Lets the kernel count this process's peak anew, where it can.
fn forget_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib / 1024)
}

fn print(rows: &[Row]) {
    let first = rows.iter().find(|row| row.what == "the first sync").map_or(0.0, |row| row.time.as_secs_f64());
    println!("\n{:<24} {:>10} {:>16} {:>10}", "", "median", "of first sync", "peak");
    for row in rows {
        let time = row.time.as_secs_f64();
        let memory = row.memory.map_or_else(String::new, |mib| format!("{mib} MiB"));
        println!("{:<24} {:>7.0} ms {:>15.1}% {memory:>10}", row.what, time * 1000.0, 100.0 * time / first);
    }
}
