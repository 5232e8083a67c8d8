//! What readers see and do, tried by a real browser on a real bridge: pages, dialogs and the component, beside servers
//! elsewhere that really send what is said. The tests themselves are `*.mjs` beside this file.
//!
//! `VEERPONT_SCREENSHOTS` names a folder for pictures to look at, `VEERPONT_BROWSER_ONLY` the one file of tests to run;
//! docs/component.md tells more.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may stop where it finds the world broken")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

#[path = "../support/hugo.rs"]
mod hugo;

mod conversation;
mod elsewhere;
mod hostile;
mod stage;

use elsewhere::{EVIL, HARBOUR, HOSTS, LIGHTHOUSE, SHORE};
use stage::{Post, Stage};

/// The site, and the domain of its authors' handles.
pub(crate) const SITE: &str = "ferrytown.example";
/// The handle of its community.
pub(crate) const COMMUNITY: &str = "sandhaven";

/// How long the browser may take for everything.
const PATIENCE: Duration = Duration::from_mins(15);

/// The tests; the first has a mock for a bridge.
const TESTS: [&str; 6] = ["component.mjs", "thread.mjs", "pages.mjs", "dialogs.mjs", "hostile.mjs", "built.mjs"];

/// What the tests run with, the browser apart.
const PROGRAMS: [&str; 2] = ["node", "npm"];

/// The names that a browser goes by; tests/browser/browser.mjs has the same.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

#[tokio::test(flavor = "multi_thread")]
async fn readers_find_everything_as_it_should_be() {
    if !is_ready() || !is_installed().await {
        return;
    }
    let mut people = conversation::people();
    people.insert(EVIL, hostile::people());
    let stage = Stage::open(people).await;
    let (bell, guests, hello) = (
        stage.post("the-bell-is-back").await,
        stage.post("the-guest-book").await,
        stage.post("say-hello-on-regatta-day").await,
    );
    let quiet = stage.post("a-piano-crosses-the-sand").await;
    conversation::conversation(&stage, &bell).await;
    let hostile = hostile::conversation(&stage, &guests).await;
    conversation::crowd(&stage, &hello).await;
    let built = stage.build().await;

    let post = |post: &Post| json!({ "url": post.url, "article": post.article, "page": post.page });
    let told = json!({
        "bridge": stage.origin,
        "script": stage.read("/assets/veerpont.json").await["script"],
        "elsewhere": stage.elsewhere,
        "names": HOSTS.iter().chain([&SITE]).collect::<Vec<_>>(),
        "posts": { "bell": post(&bell), "guests": post(&guests), "hello": post(&hello), "quiet": post(&quiet) },
        "servers": { "subscribe": LIGHTHOUSE, "intents": SHORE, "unsaid": HARBOUR, "evil": EVIL },
        "hostile": hostile,
        "crowded": conversation::CROWDED,
        "built": built.as_ref().map(TempDir::path),
    });
    let passed = run(&told.to_string()).await;
    stage.close().await;
    assert!(passed, "the browser found faults: its report stands above");
}

/// Lets the browser go through all of it; whether it found everything right.
async fn run(stage: &str) -> bool {
    let mut command = Command::new("node");
    // One after another: several browsers at once make a small machine's clocks run out.
    command.args(["--test", "--test-concurrency=1", "--test-reporter=spec"]);
    let only = std::env::var("VEERPONT_BROWSER_ONLY").ok();
    command.args(TESTS.into_iter().filter(|name| only.as_deref().is_none_or(|only| only == *name)));
    command.current_dir(folder()).env("VEERPONT_STAGE", stage).stdin(Stdio::null()).kill_on_drop(true);
    let ended = tokio::time::timeout(PATIENCE, command.status()).await;
    ended.unwrap_or_else(|_| panic!("the browser's tests take longer than {PATIENCE:?}")).expect("node runs").success()
}

/// Whether this machine has what it takes; said aloud where it has not, and a fault with `CI=true`.
fn is_ready() -> bool {
    let mut missing: Vec<&str> = PROGRAMS.into_iter().filter(|program| !is_in_path(program)).collect();
    if missing.is_empty() && !is_node_new_enough() {
        missing.push("node of version 20 or newer");
    }
    if std::env::var_os("VEERPONT_CHROMIUM").is_none() && !BROWSERS.into_iter().any(is_in_path) {
        missing.push("chromium");
    }
    if missing.is_empty() {
        return true;
    }
    let missing = missing.join(", ");
    let advice = format!("install it (Debian: apt-get install nodejs npm chromium); missing: {missing}");
    assert!(std::env::var("CI").as_deref() != Ok("true"), "CI=true asks for a browser, and it is not here: {advice}");
    say(&format!("SKIPPED: everything in a browser; to run it, {advice}"));
    false
}

/// Whether node is as new as the browser's driver wants it.
fn is_node_new_enough() -> bool {
    let asked = std::process::Command::new("node").args(["-p", "process.versions.node"]).output();
    let version = asked.ok().and_then(|said| String::from_utf8(said.stdout).ok()).unwrap_or_default();
    version.split('.').next().and_then(|major| major.trim().parse::<u32>().ok()).is_some_and(|major| major >= 20)
}

fn is_in_path(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

/// Whether what package-lock.json pins is there, or could be had now; said aloud where it could not, and a fault with
/// `CI=true`.
async fn is_installed() -> bool {
    let installed = folder().join("node_modules/.package-lock.json");
    let modified = |file: &Path| fs::metadata(file).and_then(|data| data.modified()).ok();
    if modified(&installed).is_some_and(|at| Some(at) >= modified(&folder().join("package-lock.json"))) {
        return true;
    }
    let npm =
        Command::new("npm").args(["ci", "--ignore-scripts"]).current_dir(folder()).stdin(Stdio::null()).output().await;
    let npm = npm.expect("npm runs");
    if npm.status.success() {
        return true;
    }
    let said = String::from_utf8_lossy(&npm.stderr);
    let advice = format!("`npm ci --ignore-scripts` in tests/browser failed; it needs the npm registry:\n{said}");
    assert!(std::env::var("CI").as_deref() != Ok("true"), "CI=true asks for a browser's driver: {advice}");
    say(&format!("SKIPPED: everything in a browser: {advice}"));
    false
}

/// Writes to standard error itself, which the test harness does not capture.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser")
}
