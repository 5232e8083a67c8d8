//! `veerpont status`: what stands at each joint.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use super::print::{Output, shown, table};
use crate::activitypub::actor::ActorKind;
use crate::app::App;
use crate::app::worker;
use crate::app::worker::store::Failures;
use crate::config::CommentExport;
use crate::federation::{delivery, outbox};
use crate::inbox::foreign_host;
use crate::model::author::bootstrap;
use crate::model::{author, follower, interaction, post};
use crate::site::comment_export::store::Passed;
use crate::site::{comment_export, source};
use crate::{inbox, moderation};

#[derive(Debug, Serialize)]
struct Status {
    origin: String,
    handle_domain: String,
    database: String,
    sources: Vec<SourceStatus>,
    comment_exports: Vec<ExportStatus>,
    posts: BTreeMap<String, i64>,
    articles: i64,
    /// What is wrong with the master key, if anything is.
    master_key: Option<String>,
    /// Of which kind our actors are.
    actors: BTreeMap<&'static str, usize>,
    follows: i64,
    outbox: OutboxStatus,
    deliveries: BTreeMap<String, i64>,
    hosts: HostStatus,
    inbound: BTreeMap<String, i64>,
    replies: BTreeMap<String, i64>,
    reports: i64,
    /// Room on the disk of an SQLite database, in MiB, where it is so little that nothing of other servers is taken in.
    disk_full: Option<u64>,
    foreign_hosts: Vec<ForeignHost>,
    failures: Vec<Failures>,
    refused: Vec<Refused>,
    /// No number of what others cause goes further: it means that many or more, of what is settled the latest.
    counted_to: i64,
}

#[derive(Debug, Serialize)]
struct SourceStatus {
    name: String,
    imported: Option<String>,
    scanned: Option<String>,
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct ExportStatus {
    source: String,
    node: String,
    folder: String,
    passed: String,
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct OutboxStatus {
    unsaid: i64,
    unsent: i64,
}

#[derive(Debug, Serialize)]
struct HostStatus {
    known: i64,
    failing: i64,
    gone: i64,
}

#[derive(Debug, Serialize)]
struct ForeignHost {
    host: String,
    times: i64,
    last: String,
}

#[derive(Debug, Serialize)]
struct Refused {
    day: String,
    host: String,
    reason: String,
    times: i64,
}

/// Days of refusals and of failures shown, and the most lines of refusals.
const REFUSED_DAYS: u64 = 7;
const REFUSED_LINES: i64 = 50;

/// How far is counted what others cause, so that a look costs the same whatever they did.
const MOST: i64 = 10_000;

pub(super) async fn run(app: &App, output: Output) -> anyhow::Result<()> {
    let status = read(app).await?;
    output.print(&status, || text(&status))
}

async fn read(app: &App) -> anyhow::Result<Status> {
    let mut conn = app.db.read().await?;
    let week = app.clock.now() - Duration::from_secs(REFUSED_DAYS * 24 * 3600);
    let since = week.date_time().format("%Y-%m-%d").to_string();
    let sources = source::store::known(&mut conn).await?;
    let comment_exports = comment_export::store::all(&mut conn).await?;
    let [known, failing, gone] = delivery::store::count_hosts(&mut conn, MOST).await?;
    let mut actors = BTreeMap::new();
    for actor in author::store::actors(&mut conn).await?.iter().filter(|actor| actor.deleted_at.is_none()) {
        *actors.entry(kind_of(actor.kind)).or_default() += 1;
    }
    let foreign_hosts = inbox::store::foreign_hosts(&mut conn, week).await?;
    let master_key = bootstrap::master_key(&app.db, &app.config.secrets, false).await.err();
    Ok(Status {
        origin: app.urls.origin().to_owned(),
        handle_domain: app.urls.handle_domain().to_string(),
        database: app.config.database.redacted(),
        sources: sources
            .into_iter()
            .map(|source| SourceStatus {
                name: source.name,
                imported: source.imported_at.map(clock::Timestamp::rfc3339),
                scanned: source.scanned_at.map(clock::Timestamp::rfc3339),
                error: source.error,
            })
            .collect(),
        comment_exports: comment_exports
            .into_iter()
            .filter(|passed| is_configured(app, passed))
            .map(|passed| ExportStatus {
                source: passed.source,
                node: passed.node,
                folder: passed.folder,
                passed: passed.at.rfc3339(),
                error: passed.error,
            })
            .collect(),
        posts: post::store::count_states(&mut conn).await?.into_iter().collect(),
        articles: post::store::count_standing(&mut conn).await?,
        master_key: master_key.map(|why| why.to_string()),
        actors,
        follows: follower::store::count_all(&mut conn, MOST).await?,
        outbox: OutboxStatus {
            unsaid: post::store::count_unsaid(&mut conn).await?
                + interaction::store::count_unsaid_notes(&mut conn).await?,
            unsent: outbox::store::count_unsent(&mut conn).await?,
        },
        deliveries: with(
            delivery::store::count_outcomes(&mut conn, MOST).await?,
            ("waiting", delivery::store::count_waiting(&mut conn, MOST).await?),
        ),
        hosts: HostStatus { known, failing, gone },
        inbound: with(
            inbox::store::count_verdicts(&mut conn, MOST).await?,
            ("waiting", inbox::store::count_waiting(&mut conn, MOST).await?),
        ),
        replies: with(
            interaction::store::count_states(&mut conn, MOST).await?,
            ("held", interaction::store::count_held(&mut conn, MOST).await?),
        ),
        reports: moderation::store::count_open_reports(&mut conn, MOST).await?,
        failures: worker::store::failures(&mut conn, week).await?,
        counted_to: MOST,
        disk_full: app.db.free_bytes().filter(|_| app.is_full()).map(|free| free / (1024 * 1024)),
        foreign_hosts: foreign_hosts
            .into_iter()
            .map(|(host, times, last)| ForeignHost { host, times, last: last.rfc3339() })
            .collect(),
        refused: inbox::store::rejections(&mut conn, &since, REFUSED_LINES)
            .await?
            .into_iter()
            .map(|(day, host, reason, times)| Refused { day, host, reason, times })
            .collect(),
    })
}

/// What an actor of ours is, for people.
fn kind_of(kind: ActorKind) -> &'static str {
    match kind {
        ActorKind::Person => "authors",
        ActorKind::Group => "communities",
        ActorKind::Service => "team accounts",
        ActorKind::Application => "instance",
    }
}

/// What is settled, by how it ended, and what is not.
fn with(settled: Vec<(String, i64)>, (name, open): (&str, i64)) -> BTreeMap<String, i64> {
    settled.into_iter().chain((open > 0).then(|| (name.to_owned(), open))).collect()
}

/// Rows of comment exports that were taken out of the configuration say nothing any more.
fn is_configured(app: &App, passed: &Passed) -> bool {
    let same = |comment_export: &CommentExport| {
        comment_export.source == passed.source && comment_export.path.to_string_lossy() == passed.folder.as_str()
    };
    app.config.comment_exports.iter().any(same)
}

/// A number that was counted up to [`MOST`].
fn up_to(number: i64) -> String {
    if number < MOST { number.to_string() } else { format!("{MOST} or more") }
}

fn text(status: &Status) -> String {
    let mut text = format!("{} (@…@{}), database {}\n", status.origin, status.handle_domain, status.database);
    let counts = |counts: &BTreeMap<String, i64>| {
        let shown: Vec<String> = counts.iter().map(|(what, number)| format!("{} {what}", up_to(*number))).collect();
        let is_cut = counts.values().sum::<i64>() >= MOST;
        match (shown.is_empty(), is_cut) {
            (true, _) => "none".to_owned(),
            (false, false) => shown.join(", "),
            (false, true) => format!("{} (of what is settled, among the latest {MOST})", shown.join(", ")),
        }
    };
    if let Some(why) = &status.master_key {
        let _ = writeln!(text, "master key  FAILED: {why}");
    }
    if let Some(free) = status.disk_full {
        let _ = writeln!(
            text,
            "disk        FAILED: {free} MiB are free, less than [limits] keep_free_mib: other servers are told to come back later"
        );
    }
    for source in &status.sources {
        let scanned = source.scanned.as_deref().unwrap_or("never");
        let _ = writeln!(text, "source      {}: scanned {scanned}", source.name);
        if let Some(error) = &source.error {
            let _ = writeln!(text, "            FAILED: {error}");
        }
    }
    for comment_export in &status.comment_exports {
        let (source, folder) = (&comment_export.source, &comment_export.folder);
        let _ =
            writeln!(text, "comments    {source} to {folder}: by {} at {}", comment_export.node, comment_export.passed);
        if let Some(error) = &comment_export.error {
            let _ = writeln!(text, "            FAILED: {error}");
        }
    }
    let posts: Vec<String> = status.posts.iter().map(|(what, number)| format!("{number} {what}")).collect();
    let _ = writeln!(text, "posts       {}", if posts.is_empty() { "none".to_owned() } else { posts.join(", ") });
    let _ = writeln!(text, "articles    {} standing", status.articles);
    let actors: Vec<String> = status.actors.iter().map(|(kind, number)| format!("{number} {kind}")).collect();
    let _ = writeln!(text, "actors      {}; {} follows", actors.join(", "), up_to(status.follows));
    let _ =
        writeln!(text, "outbox      {} to be said, {} to be fanned out", status.outbox.unsaid, status.outbox.unsent);
    let _ = writeln!(text, "deliveries  {}", counts(&status.deliveries));
    let hosts = &status.hosts;
    let _ = writeln!(
        text,
        "hosts       {} known, {} failing, {} gone",
        up_to(hosts.known),
        up_to(hosts.failing),
        up_to(hosts.gone)
    );
    let _ = writeln!(text, "inbound     {}", counts(&status.inbound));
    let _ = writeln!(text, "replies     {}", counts(&status.replies));
    if status.replies.contains_key("held") {
        let _ = writeln!(text, "            `veerpont reply list --state held` shows what waits for a moderator");
    }
    if status.reports > 0 {
        let open = up_to(status.reports);
        let _ = writeln!(text, "reports     {open} open: `veerpont report list` shows them");
    }
    for failed in &status.failures {
        let times = if failed.times == 1 { "once".to_owned() } else { format!("{} times", failed.times) };
        let panics = if failed.panics > 0 {
            format!(" ({} by faults of ours: please report them)", failed.panics)
        } else {
            String::new()
        };
        let (worker, node, last, why) = (&failed.worker, &failed.node, failed.last.rfc3339(), &failed.why);
        let _ = writeln!(text, "worker      {worker} of {node} FAILED {times}{panics}, last at {last}: {why}");
    }
    for foreign in &status.foreign_hosts {
        let (host, times, last) = (shown(&foreign.host), foreign.times, &foreign.last);
        let _ = writeln!(
            text,
            "host        {times} signed requests came with the Host `{host}`, for which they were not signed, last at {last}"
        );
        let _ = writeln!(text, "            {}", foreign_host::remedy(&host));
    }
    if status.refused.is_empty() {
        let _ = writeln!(text, "refused     nothing in the last {REFUSED_DAYS} days");
    } else {
        let rows = status.refused.iter().map(|refused| {
            [refused.day.clone(), refused.host.clone(), refused.reason.clone(), refused.times.to_string()]
        });
        let _ = writeln!(text, "\n{}", table(["REFUSED ON", "HOST (unproved)", "REASON", "TIMES"], rows));
    }
    text
}
