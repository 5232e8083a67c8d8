//! `veerpont sync`: read the sources now.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::IsTerminal;

use clap::Args;
use hugo_content::Warning;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::names;
use super::print::{Output, count, shown, table};
use crate::app::App;
use crate::app::worker;
use crate::federation::outbox;
use crate::server::Begun;
use crate::site::source::report::Report;
use crate::site::source::sync::{self, SyncOptions};

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
    /// Show every warning, also where many are of one kind.
    #[arg(long)]
    all: bool,
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
        output.note(&begun.text());
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
            let wish = SyncOptions { dry_run: self.dry_run, confirm: self.confirm, deliver: deliver.clone() };
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
        output.print(&Done { report: &whole, begun }, || text(&whole, self.all))
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

fn text(report: &Report, all: bool) -> String {
    let mut text = String::new();
    let rows = report.changes.iter().map(|change| {
        let what = match (change.kind, change.delivered) {
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
    for warning in warnings(&report.warnings, all) {
        let _ = writeln!(text, "warning: {warning}");
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
    for (number, what) in
        [(report.not_public, "not public"), (report.missing, "waited for"), (report.unread, "not read for certain")]
    {
        if number > 0 {
            let _ = write!(text, ", {number} {what}");
        }
    }
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

/// Warnings of one kind that are each shown; of more, one is.
const SHOWN: usize = 3;

/// One line for each warning, or, where many are of one kind, for the first of them with their number.
fn warnings(warnings: &[Warning], all: bool) -> Vec<String> {
    let line = |warning: &Warning| {
        let line = warning.line.map(|line| format!(":{line}")).unwrap_or_default();
        format!("{}{line}: {}", shown(&warning.file), shown(&warning.message))
    };
    if all {
        return warnings.iter().map(line).collect();
    }
    let mut kinds: Vec<(String, Vec<&Warning>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for warning in warnings {
        let kind = kind(&warning.message);
        let place = *places.entry(kind.clone()).or_insert(kinds.len());
        match kinds.get_mut(place) {
            Some((_, same)) => same.push(warning),
            None => kinds.push((kind, vec![warning])),
        }
    }
    let mut lines = Vec::new();
    for (_, same) in kinds {
        match same.as_slice() {
            [first, rest @ ..] if same.len() > SHOWN => {
                lines.push(format!("{} (and {} more of this kind; `--all` shows each)", line(first), rest.len()));
            }
            few => lines.extend(few.iter().map(|warning| line(warning))),
        }
    }
    lines
}

/// A message without what differs between two of its kind: names, in backticks, and numbers.
fn kind(message: &str) -> String {
    let words: Vec<&str> = message.split('`').step_by(2).collect();
    words.join("`").chars().filter(|c| !c.is_numeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_warnings_of_one_kind_are_one_line() {
        let warning =
            |number: u64, message: String| Warning { file: format!("{number}.md"), line: Some(number), message };
        let mut many: Vec<Warning> = (0..128)
            .map(|number| warning(number, format!("the shortcode `x{number}` is not known ({number})")))
            .collect();
        many.push(warning(200, "something else".to_owned()));
        assert_eq!(
            warnings(&many, false),
            [
                "0.md:0: the shortcode `x0` is not known (0) (and 127 more of this kind; `--all` shows each)",
                "200.md:200: something else"
            ]
        );
        assert_eq!(warnings(&many, true).len(), 129);
        assert_eq!(warnings(&many[..3], false).len(), 3, "a few are each shown");
    }
}
