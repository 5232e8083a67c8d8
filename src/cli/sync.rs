//! `veerpont sync`: read the sources now.

use std::fmt::Write as _;
use std::io::IsTerminal;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::names;
use super::print::{Output, count, shown, table};
use crate::app::App;
use crate::serve::Begun;
use crate::source::report::Report;
use crate::source::sync::{self, Wish};
use crate::{outbox, worker};

/// What to read, and how.
#[derive(Debug, Args)]
pub(super) struct Sync {
    /// One source by name; all of them when left out.
    source: Option<String>,
    /// Only print what would be done: nothing is made or kept, and no bridge needs to be there yet.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// What vanished is gone indeed: delete it without waiting.
    #[arg(long)]
    confirm: bool,
    /// Send this post to the followers whatever its age, by its key, or its page once it is published.
    #[arg(long, value_name = "KEY")]
    deliver: Option<String>,
}

/// A report, and what this first run made.
#[derive(Debug, Serialize)]
struct Done<'a> {
    #[serde(flatten)]
    report: &'a Report,
    begun: Option<Begun>,
}

impl Sync {
    pub(super) async fn run(self, app: &App, begun: Begun, output: Output) -> anyhow::Result<()> {
        output.note(begun.text());
        let names: Vec<String> = match &self.source {
            Some(name) => vec![name.clone()],
            None => app.config.sources.iter().map(|source| source.name.clone()).collect(),
        };
        anyhow::ensure!(!names.is_empty(), "no source is configured; add a [[source]] to the configuration");
        anyhow::ensure!(
            self.deliver.is_none() || names.len() == 1,
            "name the source of the post to deliver: veerpont sync SOURCE --deliver KEY"
        );
        let deliver = match &self.deliver {
            Some(page) if page.contains("://") => Some(super::post::find(app, page).await?.key),
            key => key.clone(),
        };
        let mut whole = Report { complete: true, dry_run: self.dry_run, ..Report::default() };
        for name in names {
            let bar = progress_bar(&name, output);
            let told = bar.clone();
            let wish = Wish { dry_run: self.dry_run, confirm: self.confirm, deliver: deliver.clone() };
            let report = sync::sync(app, &name, wish, move |done, all| {
                told.set_length(all);
                told.set_position(done);
            })
            .await;
            bar.finish_and_clear();
            whole.add(report?);
        }
        if !self.dry_run {
            // What was decided is said before we end; the running bridge delivers it.
            worker::drain(&outbox::worker::worker(), app).await?;
        }
        whole.opted_in = whole.opted_in.iter().map(|handle| names::ours(app, handle)).collect();
        let begun = (!begun.is_nothing()).then_some(begun);
        output.print(&Done { report: &whole, begun }, || text(&whole))
    }
}

fn progress_bar(name: &str, output: Output) -> ProgressBar {
    if !output.is_for_people() || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style =
        ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} files").unwrap_or(ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style).with_message(name.to_owned())
}

fn text(report: &Report) -> String {
    let mut text = String::new();
    let rows = report.changes.iter().map(|change| {
        let what = match (change.change, change.delivered) {
            ("create", Some(false)) => "create, not sent".to_owned(),
            (what, _) => what.to_owned(),
        };
        let key = change.from.as_ref().map_or_else(|| change.key.clone(), |from| format!("{from} -> {}", change.key));
        let why = change.why.as_deref().unwrap_or_default();
        [what, change.source.clone(), key, change.url.clone(), why.to_owned()]
    });
    if !report.changes.is_empty() {
        let _ = writeln!(text, "{}\n", table(["CHANGE", "SOURCE", "KEY", "PAGE", "WHY"], rows));
    }
    for warning in &report.warnings {
        let line = warning.line.map(|line| format!(":{line}")).unwrap_or_default();
        let _ = writeln!(text, "warning: {}{line}: {}", shown(&warning.file), shown(&warning.message));
    }
    for handle in &report.opted_in {
        let _ = writeln!(text, "new actor: {handle}");
    }
    let _ = write!(
        text,
        "{}{} created, {} updated, {} moved, {} removed, {} held, {} unchanged, {}",
        if report.dry_run { "would be: " } else { "" },
        report.created,
        report.updated,
        report.moved,
        report.removed,
        report.held,
        report.unchanged,
        count(report.warnings.len(), "warning"),
    );
    if report.delivered > 0 {
        let _ = write!(text, ", {} sent after all", report.delivered);
    }
    if report.held > 0 {
        text.push_str(
            "\nToo many posts vanished at once to believe it: if they are really gone, run `veerpont sync --confirm`.",
        );
    }
    if !report.complete {
        text.push_str("\nNot everything could be read, so nothing counts as removed; see the warnings.");
    }
    text
}
