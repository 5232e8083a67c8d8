//! How fast followers are queued, beside one bare INSERT … SELECT into an equal table in the same run. Prints a table, and the
//! figures as JSON; asserts nothing about time.
//!
//! `cargo bench --bench fanout`, with `VEERPONT_BENCH_DATABASE=postgres://…` on an empty PostgreSQL; arguments name other sizes,
//! as `followers/hosts`: `cargo bench --bench fanout -- 20000/2000`.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a bench may stop where it finds the world broken")]
#![allow(clippy::print_stdout, reason = "it is what a bench is for")]
#![allow(clippy::disallowed_methods, reason = "a bench measures real time")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use clock::Clock;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tower::ServiceExt;
use veerpont::app::{App, user_agent, worker};
use veerpont::config::Config;
use veerpont::federation::outbox;
use veerpont::net::client::Client;
use veerpont::server;
use veerpont::site::source::sync::{self, SyncOptions};
use veerpont::web;

/// The database, if it is to be another than a SQLite file.
const DATABASE: &str = "VEERPONT_BENCH_DATABASE";

/// Followers, and the hosts they are on.
const SIZES: [(i64, i64); 2] = [(100_000, 10_000), (1_000_000, 100_000)];

/// Posts, and runs of the bare statement, of which the median counts.
const ROUNDS: usize = 3;

/// Rows written with one statement when the followers are made.
const ROWS: i64 = 50_000;

/// How long the quiet server is asked.
const QUIET: Duration = Duration::from_secs(2);

fn main() {
    // `cargo test --benches` runs benches too, and wants no minutes of it.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let asked: Vec<(i64, i64)> = std::env::args().skip(1).filter_map(|argument| size(&argument)).collect();
    let sizes = if asked.is_empty() { SIZES.to_vec() } else { asked };
    tokio::runtime::Runtime::new().expect("a runtime").block_on(measure(&sizes));
}

fn size(argument: &str) -> Option<(i64, i64)> {
    let (followers, hosts) = argument.split_once('/')?;
    Some((followers.parse().ok()?, hosts.parse().ok()?))
}

async fn measure(sizes: &[(i64, i64)]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let app = bridge(folder.path()).await;
    let router = web::router(app.clone()).await.expect("a router");
    let (mut made, mut hosts_made, mut figures) = (0, 0, Vec::new());
    println!("Followers queued, median of {ROUNDS} rounds; answers to GETs of an article meanwhile\n");
    println!(
        "{:>10} {:>8} {:>10} {:>10} {:>6} {:>12} {:>12}",
        "followers", "hosts", "bare", "Veerpont", "ratio", "p99 quiet", "p99 meanwhile"
    );
    for (number, (followers, hosts)) in sizes.iter().enumerate() {
        follow(&app, (made, *followers), (hosts_made, *hosts)).await;
        (made, hosts_made) = (made.max(*followers), hosts_made.max(*hosts));
        let path = article(&app).await;
        let (mut ours, mut bare, mut quiet, mut busy) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            bare.push(insert_select(&app).await);
            quiet.extend(asked(&router, &path, tokio::time::sleep(QUIET)).await);
            post(folder.path(), &format!("ferry-{number}-{round}"), &Clock::system().now().rfc3339());
            sync::sync(&app, "site", SyncOptions::default(), |_, _| {}).await.expect("a sync");
            let begun = Instant::now();
            let queued = async {
                worker::drain(&outbox::worker::worker(), &app).await.expect("everything is queued");
            };
            busy.extend(asked(&router, &path, queued).await);
            ours.push(begun.elapsed());
        }
        let queued = count(&app, "SELECT COUNT(*) FROM deliveries").await;
        assert!(queued >= *followers, "all are queued");
        let (ours, bare) = (median(ours), median(bare));
        let ratio = ours.as_secs_f64() / bare.as_secs_f64();
        let (quiet, busy) = (p99(quiet), p99(busy));
        println!(
            "{followers:>10} {hosts:>8} {:>8.2} s {:>8.2} s {ratio:>6.2} {:>9.1} ms {:>9.1} ms",
            bare.as_secs_f64(),
            ours.as_secs_f64(),
            quiet.as_secs_f64() * 1000.0,
            busy.as_secs_f64() * 1000.0
        );
        figures.push(json!({
            "followers": followers, "hosts": hosts, "bare_s": bare.as_secs_f64(), "veerpont_s": ours.as_secs_f64(), "ratio": ratio,
            "get_p99_quiet_ms": quiet.as_secs_f64() * 1000.0, "get_p99_meanwhile_ms": busy.as_secs_f64() * 1000.0,
        }));
        write(&app, &["DELETE FROM article_delivered".to_owned(), "DELETE FROM deliveries".to_owned()]).await;
    }
    let engine = if std::env::var_os(DATABASE).is_some() { "postgresql" } else { "sqlite" };
    println!("\n{}", json!({ "bench": "fanout", "engine": engine, "sizes": Value::Array(figures) }));
}

/// How long each GET took that was answered, one after the other, until something is done.
async fn asked(router: &Router, path: &str, until: impl Future<Output = ()>) -> Vec<Duration> {
    let done = Arc::new(AtomicBool::new(false));
    let asking = tokio::spawn({
        let (router, path, done) = (router.clone(), path.to_owned(), done.clone());
        async move {
            let mut times = Vec::new();
            while !done.load(Ordering::Relaxed) {
                let begun = Instant::now();
                let request = Request::get(&path).header("host", "social.example.org");
                let request = request.header("accept", "application/activity+json").body(Body::empty());
                let answer = router.clone().oneshot(request.expect("a request")).await.expect("infallible");
                assert_eq!(answer.status(), StatusCode::OK);
                answer.into_body().collect().await.expect("a body");
                times.push(begun.elapsed());
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            times
        }
    });
    until.await;
    done.store(true, Ordering::Relaxed);
    asking.await.expect("it asked")
}

/// The limit: the same rows into a table with the same keys, references and indexes, by one statement.
async fn insert_select(app: &App) -> Duration {
    let table = "CREATE TABLE bare_deliveries (activity_id BIGINT NOT NULL REFERENCES activities (id),
        inbox_id BIGINT NOT NULL, host_id BIGINT NOT NULL, holds_inbox_id BIGINT, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
        by_reference BIGINT NOT NULL DEFAULT 0, attempts BIGINT NOT NULL DEFAULT 0, attempted_at BIGINT, answer BIGINT, error TEXT,
        outcome TEXT, settled_at BIGINT, PRIMARY KEY (activity_id, inbox_id))";
    write(
        app,
        &[
            table.to_owned(),
            "CREATE INDEX bare_waiting ON bare_deliveries (host_id, inbox_id, activity_id) WHERE settled_at IS NULL".to_owned(),
            "CREATE INDEX bare_inbox ON bare_deliveries (inbox_id) WHERE settled_at IS NULL".to_owned(),
            "CREATE INDEX bare_holding ON bare_deliveries (holds_inbox_id) WHERE settled_at IS NULL AND holds_inbox_id IS NOT NULL"
                .to_owned(),
        ],
    )
    .await;
    let begun = Instant::now();
    let statement = "INSERT INTO bare_deliveries (activity_id, inbox_id, host_id, created_at, expires_at)
        SELECT (SELECT MIN(id) FROM activities), i.id, i.host_id, 1, 2 FROM followers f JOIN inboxes i ON i.id = f.inbox_id
        WHERE f.actor_id = (SELECT id FROM actors WHERE handle = 'maren') ORDER BY f.inbox_id";
    write(app, &[statement.to_owned()]).await;
    let took = begun.elapsed();
    write(app, &["DROP TABLE bare_deliveries".to_owned()]).await;
    took
}

async fn write(app: &App, statements: &[String]) {
    let statements = statements.to_vec();
    let done = app.db.write(move |conn| {
        Box::pin(async move {
            for statement in statements {
                sqlx::query(AssertSqlSafe(statement)).execute(&mut *conn).await?;
            }
            Ok::<_, sqlx::Error>(())
        })
    });
    done.await.expect("it is written");
}

async fn count(app: &App, query: &'static str) -> i64 {
    let mut conn = app.db.read().await.expect("a connection");
    sqlx::query_scalar(query).fetch_one(&mut *conn).await.expect("a number")
}

/// The path of an article of the bridge.
async fn article(app: &App) -> String {
    let mut conn = app.db.read().await.expect("a connection");
    let uuid: String =
        sqlx::query_scalar("SELECT MIN(uuid) FROM articles").fetch_one(&mut *conn).await.expect("an article");
    format!("/ap/articles/{uuid}")
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() * 99 / 100]
}

/// Followers of the author and hosts, each from as many as there are; every follower has an inbox of their own.
async fn follow(app: &App, (from, to): (i64, i64), (hosts_from, hosts): (i64, i64)) {
    let numbers = |from: i64, to: i64| {
        format!(
            "WITH RECURSIVE n (i) AS (SELECT CAST({from} AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < {})",
            to - 1
        )
    };
    let mut chunks: Vec<Vec<String>> = Vec::new();
    let mut at = hosts_from;
    while at < hosts {
        let end = hosts.min(at + ROWS);
        // Ids of hosts are a million apart, as if they had become known one after the other.
        chunks.push(vec![format!(
            "INSERT INTO hosts (id, name) {} SELECT (i + 1) * 1000000, 'h' || i || '.example' FROM n",
            numbers(at, end)
        )]);
        at = end;
    }
    let mut at = from;
    while at < to {
        let end = to.min(at + ROWS);
        // Of each host in turn, as followers come; the ids of a host's inboxes are neighbours (ADR 15).
        let (host, url) =
            (format!("(i % {hosts} + 1) * 1000000"), format!("'http://h' || (i % {hosts}) || '.example/u/' || i"));
        chunks.push(vec![
            format!("INSERT INTO inboxes (id, host_id, url, shared) {} SELECT {host} + i / {hosts} + {from} + 1, {host}, {url} || '/inbox', 0 FROM n", numbers(at, end)),
            format!(
                "INSERT INTO remote_actors (id, url, kind, username, name, profile_url, inbox_id, fetched_at) {}
                 SELECT i + 1, {url}, 'Person', 'u', 'Someone', '', {host} + i / {hosts} + {from} + 1, 0 FROM n",
                numbers(at, end)
            ),
            format!(
                "INSERT INTO followers (actor_id, remote_actor_id, inbox_id, follow_id, since)
                 SELECT a.id, r.id, r.inbox_id, r.url || '/f', 0 FROM actors a JOIN remote_actors r ON r.id > {at} AND r.id <= {end}
                 WHERE a.handle = 'maren'"
            ),
        ]);
        at = end;
    }
    for chunk in chunks {
        write(app, &chunk).await;
    }
    if std::env::var_os(DATABASE).is_some() {
        write(app, &["ANALYZE followers, inboxes, hosts, remote_actors".to_owned()]).await;
    }
}

fn post(folder: &Path, slug: &str, date: &str) {
    let file = folder.join(format!("site/content/post/{slug}/index.md"));
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    let text = format!("---\ntitle: The ferry\ndate: {date}\nauthors: [maren]\n---\n\nIt sails at ten.\n");
    fs::write(file, text).expect("a file");
}

async fn bridge(folder: &Path) -> App {
    let site = folder.join("site");
    fs::create_dir_all(site.join("content/authors/maren")).expect("a folder");
    fs::write(site.join("hugo.toml"), "baseURL = \"http://example.org/\"\n[taxonomies]\nauthor = \"authors\"\n")
        .expect("a file");
    fs::write(site.join("content/authors/maren/_index.md"), "---\ntitle: Maren Oldham\n---\n").expect("a file");
    post(folder, "old", "2020-01-01T00:00:00Z");
    let database = std::env::var(DATABASE).unwrap_or_else(|_| "sqlite://fanout.db".to_owned());
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
