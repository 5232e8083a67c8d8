//! `veerpont delivery`: what was sent to whom, and what waits.

use clap::Subcommand;

use super::print::{Output, table};
use crate::app::App;
use crate::delivery;

#[derive(Debug, Subcommand)]
pub(super) enum Delivery {
    /// What waits, newest first; with --all what is settled too.
    List {
        /// What is settled too.
        #[arg(long)]
        all: bool,
        /// Most lines.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
}

impl Delivery {
    pub(super) async fn run(self, app: &App, output: Output) -> anyhow::Result<()> {
        let Self::List { all, limit } = self;
        let mut conn = app.db.read().await?;
        let lines = delivery::store::ledger(&mut conn, all, i64::from(limit)).await?;
        output.print(&lines, || {
            let rows = lines.iter().map(|line| {
                [
                    line.activity.to_string(),
                    line.kind.clone(),
                    format!("@{}", line.actor),
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
