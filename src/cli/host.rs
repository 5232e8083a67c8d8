//! `veerpont host`: the servers that we send to, and how each fares.

use anyhow::Context;
use clap::Subcommand;
use serde::Serialize;

use super::paging;
use super::print::{Output, shown, table};
use crate::app::App;
use crate::db::Conn;
use crate::federation::delivery::store::{self, HostLine};

/// Most inboxes and deliveries of a host that are counted.
const MOST: i64 = 100_000;

#[derive(Debug, Subcommand)]
pub(super) enum Host {
    /// All servers, the first known first.
    List {
        /// Only those that fail just now, or are gone.
        #[arg(long)]
        failing: bool,
        #[command(flatten)]
        part: paging::Wanted,
    },
    /// One server, and how much waits for it.
    Show {
        /// Its name, as the list has it.
        name: String,
    },
}

#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    host: HostLine,
    inboxes: i64,
    waiting: i64,
}

impl Host {
    pub(super) async fn run(self, app: &App, output: Output) -> anyhow::Result<()> {
        let mut conn = app.db.read().await?;
        match self {
            Self::List { failing, part } => {
                let hosts = store::hosts(&mut conn, failing, part.after()?, part.limit()).await?;
                paging::print(output, &hosts, |hosts| {
                    let or = |text: &Option<String>| shown(text.as_deref().unwrap_or("-"));
                    let rows = hosts.iter().map(|host| {
                        let [since, next, error] = [&host.failing_since, &host.next_attempt, &host.error].map(or);
                        [shown(&host.name), host.state.to_owned(), since, next, error]
                    });
                    table(["HOST", "STATE", "FAILING SINCE", "NEXT", "LAST ERROR"], rows)
                })
            }
            Self::Show { name } => {
                let host = find(&mut conn, &name).await?;
                let [inboxes, waiting] = store::load(&mut conn, host.id, MOST).await?;
                let shown_host = Shown { host, inboxes, waiting };
                output.print(&shown_host, || {
                    let Shown { host, inboxes, waiting } = &shown_host;
                    let or = |text: &Option<String>| shown(text.as_deref().unwrap_or("-"));
                    format!(
                        "{}\n  state          {}\n  failing since  {}\n  next attempt   {}\n  last error     {}\n  inboxes        {inboxes}\n  waiting        {waiting}",
                        shown(&host.name),
                        host.state,
                        or(&host.failing_since),
                        or(&host.next_attempt),
                        or(&host.error)
                    )
                })
            }
        }
    }
}

/// A server by its name.
///
/// # Errors
/// When there is none of that name.
pub(super) async fn find(conn: &mut Conn, name: &str) -> anyhow::Result<HostLine> {
    let host = store::host(conn, name.trim().to_ascii_lowercase().as_str()).await?;
    host.with_context(|| format!("nothing was ever sent to `{name}`; `veerpont host list` shows the servers"))
}
