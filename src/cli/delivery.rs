//! `veerpont delivery`: what was sent to whom, and what waits.

use std::time::Duration;

use anyhow::Context;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use serde_json::json;

use super::confirm::Confirmation;
use super::names;
use super::paging;
use super::print::{Output, shown, table};
use super::{host, post};
use crate::app::App;
use crate::base::ids::ActivityId;
use crate::db::Page;
use crate::federation::delivery::store::{self, Line};

/// Most deliveries that one part of a list is chosen from.
const LOOKED_AT: i64 = 10_000;

/// How long a delivery that is tried once more may wait for its server.
const AGAIN_FOR: Duration = Duration::from_hours(3 * 24);

const WAITING: &str = "waiting";

#[derive(Debug, Subcommand)]
pub(super) enum Delivery {
    /// What waits, server by server; with --all or --state what is settled too, the newest first.
    List {
        /// What is settled too.
        #[arg(long)]
        all: bool,
        /// Only what goes to this server.
        #[arg(long, value_name = "NAME")]
        host: Option<String>,
        /// Only what is about this post: its key, its id on the fediverse, or its page's address.
        #[arg(long, value_name = "POST")]
        post: Option<String>,
        /// Only what is in this state.
        #[arg(long, value_parser = states())]
        state: Option<String>,
        /// Only what was queued longer ago than this, as `2h` or `3d`.
        #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
        older_than: Option<Duration>,
        #[command(flatten)]
        part: paging::Wanted,
    },
    /// One delivery.
    Show(Which),
    /// Try at once: what waits for a server, or one delivery, also one that was given up.
    Retry {
        #[command(flatten)]
        which: Target,
    },
    /// Give up what waits for a server, or one delivery.
    Drop {
        #[command(flatten)]
        which: Target,
        #[command(flatten)]
        sure: Confirmation,
    },
}

/// A delivery.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The number of the activity, as the list has it.
    number: i64,
    /// The inbox, as the list has it.
    inbox: String,
}

/// A delivery, or all that wait for a server.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Target {
    /// The number of the activity, as the list has it.
    #[arg(required_unless_present = "host", conflicts_with = "host", requires = "inbox")]
    number: Option<i64>,
    /// The inbox, as the list has it.
    inbox: Option<String>,
    /// All that wait for this server.
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
}

fn states() -> impl TypedValueParser<Value = String> {
    PossibleValuesParser::new([WAITING, "delivered", "refused", "gone", "expired", "withdrawn"])
}

impl Delivery {
    /// Whether it changes nothing.
    pub(super) fn only_looks(&self) -> bool {
        matches!(self, Self::List { .. } | Self::Show(_))
    }

    pub(super) async fn run(self, app: &App, output: Output) -> anyhow::Result<()> {
        match self {
            Self::List { all, host, post, state, older_than, part } => {
                let wanted = Wanted { all, host, post, state, older_than };
                print(output, &wanted.lines(app, &part).await?)
            }
            Self::Show(which) => show(app, &which, output).await,
            Self::Retry { which } => which.retry(app, output).await,
            Self::Drop { which, sure } => which.drop(app, output, sure).await,
        }
    }
}

struct Wanted {
    all: bool,
    host: Option<String>,
    post: Option<String>,
    state: Option<String>,
    older_than: Option<Duration>,
}

impl Wanted {
    async fn lines(&self, app: &App, part: &paging::Wanted) -> anyhow::Result<Page<Line>> {
        let article = match &self.post {
            Some(name) => {
                let found = post::find(app, name).await?;
                Some(found.article.with_context(|| format!("`{name}` was never published"))?)
            }
            None => None,
        };
        let mut conn = app.db.read().await?;
        let conn = &mut *conn;
        let host = match &self.host {
            Some(name) => Some(host::find(conn, name).await?.id),
            None => None,
        };
        let waits = !self.all && self.state.as_deref().is_none_or(|state| state == WAITING);
        let state = self.state.as_deref().or(waits.then_some(WAITING));
        let before = self.older_than.map(|age| app.clock.now() - age);
        // What an index does not choose is chosen from so many of what it does.
        let by_queue = waits && article.is_none();
        let chosen = before.is_none() && (by_queue || (host.is_none() && state.is_none()));
        let many = if chosen { part.limit() } else { LOOKED_AT.max(part.limit()) };
        let is_wanted = |line: &Line| {
            host.is_none_or(|host| line.host == host)
                && state.is_none_or(|state| line.state == state)
                && before.is_none_or(|before| line.created < before)
        };
        let lines = match (article, host) {
            (Some(article), _) => store::ledger_about(conn, article, part.after()?, many).await?,
            (None, Some(host)) if by_queue => store::waiting_for(conn, host, part.after()?, many).await?,
            (None, _) if by_queue => store::waiting(conn, part.after()?, many).await?,
            (None, _) => store::ledger(conn, part.after()?, many).await?,
        };
        let place: fn(&Line) -> String = if by_queue { Line::place_in_queue } else { Line::place_in_ledger };
        Ok(lines.filtered(part.limit(), is_wanted, place).map(|mut line| {
            line.actor = names::ours(app, &line.actor);
            line
        }))
    }
}

fn print(output: Output, lines: &Page<Line>) -> anyhow::Result<()> {
    paging::print(output, lines, |lines| {
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

async fn show(app: &App, which: &Which, output: Output) -> anyhow::Result<()> {
    let mut line = which.find(app).await?;
    line.actor = names::ours(app, &line.actor);
    output.print(&line, || {
        format!(
            "{} {} from {}\n  to       {}\n  queued   {}\n  state    {}\n  tried    {}\n  answer   {}\n  next     {}",
            line.activity,
            line.kind,
            line.actor,
            shown(&line.inbox),
            line.created.rfc3339(),
            line.state,
            line.attempts,
            shown(&line.last().unwrap_or_else(|| "-".to_owned())),
            line.next_attempt.as_deref().unwrap_or("-"),
        )
    })
}

impl Which {
    async fn find(&self, app: &App) -> anyhow::Result<Line> {
        let mut conn = app.db.read().await?;
        let line = store::line(&mut conn, ActivityId(self.number), &self.inbox).await?;
        line.with_context(|| {
            format!("{} was not sent to {}; `veerpont delivery list --all` shows what was", self.number, self.inbox)
        })
    }
}

impl Target {
    /// The delivery, if it is one.
    fn one(&self) -> Option<Which> {
        Some(Which { number: self.number?, inbox: self.inbox.clone()? })
    }

    async fn host(&self, app: &App) -> anyhow::Result<store::HostLine> {
        let name = self.host.as_deref().context("name a delivery, or a server with --host")?;
        host::find(&mut *app.db.read().await?, name).await
    }

    async fn retry(&self, app: &App, output: Output) -> anyhow::Result<()> {
        let now = app.clock.now();
        let (host, line) = match self.one() {
            Some(which) => {
                let line = which.find(app).await?;
                (line.host, Some(line))
            }
            None => (self.host(app).await?.id, None),
        };
        let reopened = line.as_ref().filter(|line| line.state != WAITING).map(|line| (line.row, line.activity));
        let write = app.db.decide(move |conn| {
            Box::pin(async move {
                let done = match reopened {
                    Some((inbox, activity)) => store::reopen(conn, inbox, activity, now + AGAIN_FOR).await?,
                    None => true,
                };
                if done {
                    store::retry_host(conn, host, now).await?;
                }
                Ok::<_, sqlx::Error>(done)
            })
        });
        anyhow::ensure!(
            write.await?,
            "it is not sent again: it was taken or withdrawn, is about no post, or the inbox has taken something later about the same"
        );
        let to = line.map_or_else(|| self.host.clone().unwrap_or_default(), |line| line.inbox);
        output.print(&json!({ "retried": to }), || {
            format!("what waits for {} is tried at once by the running bridge", shown(&to))
        })
    }

    async fn drop(&self, app: &App, output: Output, sure: Confirmation) -> anyhow::Result<()> {
        let now = app.clock.now();
        let dropped = if let Some(which) = self.one() {
            let line = which.find(app).await?;
            sure.of(output, &format!("gives up {} {} to {}", line.activity, line.kind, shown(&line.inbox)))?;
            let (inbox, activity) = (line.row, line.activity);
            let write = app.db.decide(move |conn| {
                Box::pin(async move { store::drop_one(conn, inbox, activity, now).await.map(u64::from) })
            });
            write.await?
        } else {
            let host = self.host(app).await?;
            let what = format!("gives up all that waits for {}, Deletes too", shown(&host.name));
            sure.of(output, &what)?;
            app.db.decide(move |conn| Box::pin(async move { store::drop_all(conn, host.id, now).await })).await?
        };
        anyhow::ensure!(dropped > 0, "nothing waits there");
        output.print(&json!({ "dropped": dropped }), || format!("{dropped} given up"))
    }
}
