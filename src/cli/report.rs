//! `veerpont report`: what others report to us.

use clap::Subcommand;
use serde_json::json;

use super::paging;
use super::print::{Output, shown, table};
use crate::app::App;
use crate::base::ids::ReportId;
use crate::moderation::store;

#[derive(Debug, Subcommand)]
pub(super) enum Report {
    /// Open reports, the newest first; with --all the resolved ones too.
    List {
        /// Those that are resolved too.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        part: paging::Wanted,
    },
    /// Note that a report was dealt with.
    Resolve {
        /// Its number, as the list has it.
        id: i64,
        /// What was done about it.
        #[arg(long)]
        note: String,
    },
}

impl Report {
    /// Whether it changes nothing.
    pub(super) fn only_looks(&self) -> bool {
        matches!(self, Self::List { .. })
    }

    pub(super) async fn run(self, app: &App, output: Output) -> anyhow::Result<()> {
        match self {
            Self::List { all, part } => {
                let mut conn = app.db.read().await?;
                let reports = store::reports(&mut conn, all, part.after()?, part.limit()).await?;
                paging::print(output, &reports, |reports| {
                    let rows = reports.iter().map(|report| {
                        let state = if report.resolved.is_some() { "resolved" } else { "open" };
                        [
                            report.id.to_string(),
                            report.received.rfc3339(),
                            state.to_owned(),
                            shown(&report.reporter),
                            shown(&about(report)),
                            shown(report.resolution.as_ref().unwrap_or(&report.comment)),
                        ]
                    });
                    table(["ID", "RECEIVED", "STATE", "REPORTER", "ABOUT", "COMMENT OR NOTE"], rows)
                })
            }
            Self::Resolve { id, note } => {
                anyhow::ensure!(!note.trim().is_empty(), "say with --note what was done about the report");
                let (kept, now) = (note.clone(), app.clock.now());
                let resolved = app.db.decide(move |conn| {
                    Box::pin(async move { store::resolve_report(conn, ReportId(id), &kept, now).await })
                });
                let resolved: bool = resolved.await.map_err(|error: sqlx::Error| error)?;
                anyhow::ensure!(resolved, "there is no open report {id}; `veerpont report list` shows those there are");
                output.print(&json!({ "id": ReportId(id), "resolved": true, "note": note }), || {
                    format!("report {id} is resolved")
                })
            }
        }
    }
}

/// What a report is about: the addresses that were kept, and how many more there were.
fn about(report: &store::Report) -> String {
    let kept = report.objects.join(" ");
    if report.more > 0 { format!("{kept} and {} more", report.more) } else { kept }
}
