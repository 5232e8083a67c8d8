//! `veerpont block`: who is kept out, by hand or by lists.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use super::confirm::{By, Confirmation};
use super::names;
use super::paging;
use super::print::{Output, count, shown, table};
use crate::app::App;
use crate::app::worker;
use crate::base::ids::ActorId;
use crate::base::stored::Word;
use crate::db::Page;
use crate::federation::outbox;
use crate::model::author;
use crate::moderation::enforcement::Enforced;
use crate::moderation::listing::{self, BlockRequest, Imported};
use crate::moderation::preview::{self, Forecast};
use crate::moderation::{self, BlockKind, Severity, store};

#[derive(Debug, Subcommand)]
pub(super) enum Block {
    /// Keep somebody, a server or a word out: what was shown of them is hidden, and their follows end.
    Add {
        #[command(flatten)]
        what: What,
        /// How much: block, or silence, by which what they write waits for a moderator.
        #[arg(long, default_value = "block", value_parser = severities())]
        severity: Severity,
        /// Why, for those who look at it later.
        #[arg(long)]
        reason: Option<String>,
        /// Only print what would be hidden, and who would be lost.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        sure: Confirmation,
        #[command(flatten)]
        by: By,
    },
    /// Let somebody in again, or remove a list with exactly its own entries.
    Remove {
        /// Of which kind it is.
        #[arg(value_parser = kinds(), required_unless_present = "list", requires = "value")]
        kind: Option<BlockKind>,
        /// An actor's id or @user@host, a domain, or a word.
        value: Option<String>,
        /// From this author or community of ours alone, by handle.
        #[arg(long)]
        author: Option<String>,
        /// The name of a list.
        #[arg(long, conflicts_with_all = ["kind", "value", "author"])]
        list: Option<String>,
        #[command(flatten)]
        by: By,
    },
    /// Blocks in the order in which they were made, of which list each is, and the lists.
    List {
        #[command(flatten)]
        part: paging::Wanted,
    },
    /// Take in a list of domains: Mastodon's CSV, or a domain on each line. A list of the same name is replaced.
    Import {
        /// The file.
        file: PathBuf,
        /// The list's name; the file's when left out.
        #[arg(long)]
        list: Option<String>,
        /// Only print what would be added, removed and skipped, and which followers would be lost.
        #[arg(long)]
        dry_run: bool,
        /// Take it in also where nothing of the list would be left.
        #[arg(long)]
        allow_empty: bool,
        #[command(flatten)]
        sure: Confirmation,
        #[command(flatten)]
        by: By,
    },
}

#[derive(Debug, Args)]
pub(super) struct What {
    /// Of which kind it is.
    #[arg(value_parser = kinds())]
    kind: BlockKind,
    /// An actor's id or @user@host, a domain, or a word.
    value: String,
    /// From this author or community of ours alone, by handle; from everyone when left out.
    #[arg(long)]
    author: Option<String>,
}

fn kinds() -> impl TypedValueParser<Value = BlockKind> {
    PossibleValuesParser::new(["actor", "domain", "keyword"])
        .try_map(|name| BlockKind::parse(&name).ok_or("there is no such kind"))
}

fn severities() -> impl TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(["block", "silence"])
        .try_map(|name| Severity::parse(&name).ok_or("there is no such severity"))
}

#[derive(Debug, Serialize)]
struct Line {
    #[serde(flatten)]
    block: moderation::Block,
    author: Option<String>,
}

impl Block {
    /// Whether it changes nothing.
    pub(super) fn only_looks(&self) -> bool {
        matches!(self, Self::List { .. } | Self::Import { dry_run: true, .. } | Self::Add { dry_run: true, .. })
    }

    pub(super) async fn run(self, app: &App, output: Output) -> anyhow::Result<()> {
        match self {
            Self::Add { what, severity, reason, dry_run, sure, by } => {
                let actor = what.actor(app).await?;
                let forecast = preview::of_block(app, what.wish(actor), severity).await?;
                if dry_run {
                    let result =
                        json!({ "kind": what.kind, "severity": severity, "dry_run": true, "forecast": forecast });
                    return output.print(&result, || forecast_text(&what, &forecast));
                }
                if let Some(warning) = warning(&what, &forecast) {
                    sure.of(output, &warning)?;
                }
                let (value, enforced) = listing::add(app, what.wish(actor), severity, by.note(reason)).await?;
                tell(app).await?;
                let result = json!({ "kind": what.kind, "value": value, "severity": severity,
                    "author": what.spelled(app)?, "enforced": enforced });
                let done = if severity == Severity::Block { "blocked" } else { "silenced" };
                output.print(&result, || {
                    format!("the {} {} is {done}{}", what.kind.as_str(), shown(&value), also(enforced))
                })
            }
            Self::Remove { kind: Some(kind), value: Some(value), author, by, .. } => {
                let what = What { kind, value, author };
                let actor = what.actor(app).await?;
                let (value, enforced) = listing::remove(app, what.wish(actor), by.note(None)).await?;
                let result =
                    json!({ "kind": what.kind, "value": value, "author": what.spelled(app)?, "enforced": enforced });
                output.print(&result, || {
                    format!(
                        "the {} {} is no longer kept out by hand{}",
                        what.kind.as_str(),
                        shown(&value),
                        also(enforced)
                    )
                })
            }
            Self::Remove { list: Some(list), by, .. } => {
                let (removed, enforced) = listing::remove_list(app, &list, by.note(None)).await?;
                let result = json!({ "list": list, "removed": removed, "enforced": enforced });
                output.print(&result, || {
                    format!("the list {} is gone with its {removed} entries{}", shown(&list), also(enforced))
                })
            }
            Self::Remove { .. } => anyhow::bail!("say what to remove: a kind and a value, or --list NAME"),
            Self::List { part } => list(app, &part, output).await,
            Self::Import { file, list, dry_run, allow_empty, sure, by } => {
                let text = std::fs::read_to_string(&file)
                    .with_context(|| format!("the list {} cannot be read as text", file.display()))?;
                let stem = || file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
                let name = list.or_else(stem).filter(|name| !name.trim().is_empty());
                let name = name.context("give the list a name with --list NAME")?;
                let shown = file.display().to_string();
                let list = listing::List { name: name.trim(), file: &shown, text: &text };
                if dry_run {
                    let imported = listing::would_import(app, list).await?;
                    return output.print(&imported, || import_text(&imported));
                }
                let ended = listing::would_lose(app, &list).await?;
                if ended > 0 {
                    sure.of(output, &format!("ends {} of ours (see who with --dry-run)", count(ended, "follow")))?;
                }
                let imported = listing::import(app, list, allow_empty, by.note(None)).await?;
                tell(app).await?;
                output.print(&imported, || import_text(&imported))
            }
        }
    }
}

/// What of a block cannot be undone, or is more than it looks like.
fn warning(what: &What, forecast: &Forecast) -> Option<String> {
    let lost = forecast.followers_lost.len();
    let value = shown(&forecast.value);
    let suffix = forecast
        .public_suffix
        .then(|| format!("keeps out everybody below {value}, under which anybody may register a name"));
    let ends =
        (lost > 0).then(|| format!("ends {} of ours, which do not come back by themselves", count(lost, "follow")));
    let parts: Vec<String> = suffix.into_iter().chain(ends).collect();
    (!parts.is_empty()).then(|| format!("block of the {} {value} {}", what.kind.as_str(), parts.join(" and ")))
}

/// Most lost followers that are named for people.
const NAMED: usize = 50;

fn forecast_text(what: &What, forecast: &Forecast) -> String {
    let mut text = String::new();
    for lost in forecast.followers_lost.iter().take(NAMED) {
        let _ = writeln!(text, "lose    {} who follows {}", shown(&lost.follower), lost.author);
    }
    if forecast.followers_lost.len() > NAMED {
        let _ = writeln!(text, "lose    and {} more", forecast.followers_lost.len() - NAMED);
    }
    if forecast.public_suffix {
        let _ = writeln!(
            text,
            "anybody may register a name below {}: all of them would be kept out",
            shown(&forecast.value)
        );
    }
    let Enforced { hidden, follows_ended, servers_cut_off, .. } = forecast.would;
    let _ = write!(
        text,
        "would be: the {} {} kept out, {hidden} hidden, {}, {}",
        what.kind.as_str(),
        shown(&forecast.value),
        count(usize::try_from(follows_ended).unwrap_or(usize::MAX), "follow") + " ended",
        count(usize::try_from(servers_cut_off).unwrap_or(usize::MAX), "server") + " cut off"
    );
    text
}

impl What {
    async fn actor(&self, app: &App) -> anyhow::Result<Option<ActorId>> {
        match &self.author {
            Some(handle) => Ok(Some(names::actor(app, handle).await?.id)),
            None => Ok(None),
        }
    }

    /// The author as every list spells them.
    fn spelled(&self, app: &App) -> anyhow::Result<Option<String>> {
        self.author.as_ref().map(|author| Ok(names::ours(app, names::handle(app, author)?.as_str()))).transpose()
    }

    fn wish(&self, actor: Option<ActorId>) -> BlockRequest<'_> {
        BlockRequest { kind: self.kind, value: &self.value, actor }
    }
}

/// Writes what is to be said before we end; the running bridge delivers it.
async fn tell(app: &App) -> anyhow::Result<()> {
    worker::drain(&outbox::worker::worker(), app).await.map(drop)
}

fn also(enforced: Enforced) -> String {
    let Enforced { hidden, shown_again, follows_ended, servers_cut_off } = enforced;
    let parts = [
        (hidden, "hidden"),
        (shown_again, "shown again"),
        (follows_ended, "follows ended"),
        (servers_cut_off, "servers cut off"),
    ];
    let parts: Vec<String> =
        parts.into_iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!("{number} {what}")).collect();
    if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) }
}

#[derive(Debug, Serialize)]
struct Listed {
    #[serde(flatten)]
    part: Page<Line>,
    lists: Vec<store::List>,
}

async fn list(app: &App, part: &paging::Wanted, output: Output) -> anyhow::Result<()> {
    let mut conn = app.db.read().await?;
    let mut lines = Vec::new();
    let blocks = store::blocks(&mut conn, part.after()?, part.limit()).await?;
    for block in blocks.items {
        let actor = match block.actor {
            Some(id) => author::store::actor(&mut conn, id).await?,
            None => None,
        };
        lines.push(Line { block, author: actor.map(|actor| names::ours(app, actor.handle.as_str())) });
    }
    let lists = store::lists(&mut conn).await?;
    let listed = Listed { part: Page { items: lines, next: blocks.next }, lists };
    output.print(&listed, || {
        let Listed { part, lists } = &listed;
        let rows = part.items.iter().map(|Line { block, author }| {
            [
                block.kind.as_str().to_owned(),
                shown(&block.value),
                block.severity.as_str().to_owned(),
                author.clone().unwrap_or_else(|| "everyone".to_owned()),
                block.list.as_deref().map_or_else(|| "by hand".to_owned(), shown),
                shown(block.reason.as_deref().unwrap_or_default()),
            ]
        });
        let mut text = table(["KIND", "VALUE", "SEVERITY", "FROM", "LIST", "REASON"], rows);
        if let Some(next) = &part.next {
            let _ = write!(text, "\n\nthere is more: add --after {next}");
        }
        if !lists.is_empty() {
            let rows = lists
                .iter()
                .map(|list| [shown(&list.name), list.entries.to_string(), list.imported.rfc3339(), shown(&list.file)]);
            let _ = write!(text, "\n\n{}", table(["LIST", "ENTRIES", "IMPORTED", "FILE"], rows));
        }
        text
    })
}

fn import_text(imported: &Imported) -> String {
    let mut text = String::new();
    for domain in &imported.added {
        let _ = writeln!(text, "add     {}", shown(domain));
    }
    for domain in &imported.removed {
        let _ = writeln!(text, "remove  {}", shown(domain));
    }
    for skipped in &imported.skipped {
        let _ = writeln!(text, "skip    line {}: {}: {}", skipped.line, shown(&skipped.text), skipped.why);
    }
    for lost in &imported.followers_lost {
        let _ =
            writeln!(text, "lose    {} who follows {} ({})", shown(&lost.follower), lost.author, shown(&lost.because));
    }
    let would = if imported.dry_run { "would be: " } else { "" };
    let _ = write!(
        text,
        "{would}{} added or changed, {} removed, {} unchanged, {} skipped, {} lost{}",
        imported.added.len(),
        imported.removed.len(),
        imported.unchanged,
        count(imported.skipped.len(), "line"),
        count(imported.followers_lost.len(), "follower"),
        also(imported.enforced)
    );
    text
}
