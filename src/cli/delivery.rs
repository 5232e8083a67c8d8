//! `veerpont delivery`: what was sent to whom, and what waits.

use clap::Subcommand;

use super::names;
use super::paging;
use super::print::{Output, table};
use crate::app::App;
use crate::federation::delivery;

#[derive(Debug, Subcommand)]
pub(super) enum Delivery {
    /// What waits, server by server; with --all what is settled too, the newest first.
    List {
        /// What is settled too.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        part: paging::Wanted,
    },
}

impl Delivery {
    pub(super) async fn run(self, app: &App, output: Output) -> anyhow::Result<()> {
        let Self::List { all, part } = self;
        let mut conn = app.db.read().await?;
        let lines = if all {
            delivery::store::ledger(&mut conn, part.after()?, part.limit()).await?
        } else {
            delivery::store::waiting(&mut conn, part.after()?, part.limit()).await?
        };
        let lines = lines.map(|mut line| {
            line.actor = names::ours(app, &line.actor);
            line
        });
        paging::print(output, &lines, |lines| {
            let rows = lines.iter().map(|line| {
                [
                    line.activity.to_string(),
                    line.kind.clone(),
                    line.actor.clone(),
                    line.inbox.clone(),
                    line.state.clone(),
                    line.attempts.to_string(),
                    line.last().unwrap_or_else(|| "-".to_owned()),
                    line.next_attempt.clone().unwrap_or_else(|| "-".to_owned()),
                ]
            });
            table(["NO", "ACTIVITY", "FROM", "INBOX", "STATE", "TRIED", "LAST ANSWER", "NEXT"], rows)
        })
    }
}
