//! `veerpont inbox`: what others sent, and what became of it.

use clap::{Subcommand, ValueEnum};

use super::paging;
use super::print::{Output, shown, table};
use crate::app::App;
use crate::inbox;

#[derive(Debug, Subcommand)]
pub(super) enum Inbox {
    /// The latest activities, newest first, with their verdicts; `explain` tells more of one.
    List {
        /// Only those with this verdict.
        #[arg(long)]
        verdict: Option<Verdict>,
        #[command(flatten)]
        part: paging::Wanted,
    },
}

/// What may have become of an activity.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Verdict {
    /// It did what it says.
    Accepted,
    /// It changes nothing, and rightly so.
    Ignored,
    /// It may not do what it says.
    Declined,
    /// It names an author of ours in a conversation that is not ours.
    Mention,
    /// It waits for something that is being read, or for a later version.
    Deferred,
    /// It made us fail five times.
    Failed,
    /// It has no verdict yet.
    Waiting,
}

impl Inbox {
    pub(super) async fn run(self, app: &App, output: Output) -> anyhow::Result<()> {
        let Self::List { verdict, part } = self;
        let verdict = verdict.and_then(|verdict| verdict.to_possible_value());
        let mut conn = app.db.read().await?;
        let verdict = verdict.as_ref().map(clap::builder::PossibleValue::get_name);
        let latest = inbox::store::latest(&mut conn, verdict, part.after()?, part.limit()).await?;
        paging::print(output, &latest, |latest| {
            let rows = latest.iter().map(|kept| {
                [
                    kept.received.rfc3339(),
                    kept.verdict.clone(),
                    shown(&kept.kind),
                    shown(&kept.actor),
                    shown(kept.reason.as_deref().unwrap_or("-")),
                    shown(&kept.id),
                ]
            });
            table(["RECEIVED", "VERDICT", "KIND", "ACTOR", "REASON", "ID"], rows)
        })
    }
}
