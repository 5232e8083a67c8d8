//! `veerpont block`: who is kept out, by hand or by lists.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use super::part;
use super::print::{Output, count, shown, table};
use crate::app::App;
use crate::db::Part;
use crate::ids::ActorId;
use crate::moderation::enforcement::Enforced;
use crate::moderation::listing::{self, Imported, Wish};
use crate::moderation::{self, BlockKind, Severity, store};
use crate::{author, outbox, worker};

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
    },
    /// Blocks in the order in which they were made, of which list each is, and the lists.
    List {
        #[command(flatten)]
        part: part::Wanted,
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
    pub(super) async fn run(self, app: &App, output: Output) -> anyhow::Result<()> {
        match self {
            Self::Add { what, severity, reason } => {
                let actor = what.actor(app).await?;
                let (value, enforced) = listing::add(app, what.wish(actor), severity, reason.as_deref()).await?;
                tell(app).await?;
                let result = json!({ "kind": what.kind, "value": value, "severity": severity, "author": what.author,
                    "enforced": enforced });
                let done = if severity == Severity::Block { "blocked" } else { "silenced" };
                output.print(&result, || {
                    format!("the {} {} is {done}{}", what.kind.as_str(), shown(&value), also(enforced))
                })
            }
            Self::Remove { kind: Some(kind), value: Some(value), author, .. } => {
                let what = What { kind, value, author };
                let actor = what.actor(app).await?;
                let (value, enforced) = listing::remove(app, what.wish(actor)).await?;
                let result = json!({ "kind": what.kind, "value": value, "author": what.author, "enforced": enforced });
                output.print(&result, || {
                    format!(
                        "the {} {} is no longer kept out by hand{}",
                        what.kind.as_str(),
                        shown(&value),
                        also(enforced)
                    )
                })
            }
            Self::Remove { list: Some(list), .. } => {
                let (removed, enforced) = listing::remove_list(app, &list).await?;
                let result = json!({ "list": list, "removed": removed, "enforced": enforced });
                output.print(&result, || {
                    format!("the list {} is gone with its {removed} entries{}", shown(&list), also(enforced))
                })
            }
            Self::Remove { .. } => anyhow::bail!("say what to remove: a kind and a value, or --list NAME"),
            Self::List { part } => list(app, &part, output).await,
            Self::Import { file, list, dry_run } => {
                let text = std::fs::read_to_string(&file)
                    .with_context(|| format!("the list {} cannot be read as text", file.display()))?;
                let stem = || file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
                let name = list.or_else(stem).filter(|name| !name.trim().is_empty());
                let name = name.context("give the list a name with --list NAME")?;
                let imported = listing::import(app, name.trim(), &file.display().to_string(), &text, dry_run).await?;
                tell(app).await?;
                output.print(&imported, || import_text(&imported))
            }
        }
    }
}

impl What {
    async fn actor(&self, app: &App) -> anyhow::Result<Option<ActorId>> {
        match &self.author {
            Some(handle) => Ok(Some(super::actor(app, handle).await?.id)),
            None => Ok(None),
        }
    }

    fn wish(&self, actor: Option<ActorId>) -> Wish<'_> {
        Wish { kind: self.kind, value: &self.value, actor }
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
    part: Part<Line>,
    lists: Vec<store::List>,
}

async fn list(app: &App, part: &part::Wanted, output: Output) -> anyhow::Result<()> {
    let mut conn = app.db.read().await?;
    let mut lines = Vec::new();
    let blocks = store::blocks(&mut conn, part.after()?, part.limit()).await?;
    for block in blocks.items {
        let actor = match block.actor {
            Some(id) => author::store::actor(&mut conn, id).await?,
            None => None,
        };
        lines.push(Line { block, author: actor.map(|actor| format!("@{}", actor.handle)) });
    }
    let lists = store::lists(&mut conn).await?;
    let listed = Listed { part: Part { items: lines, next: blocks.next }, lists };
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
            writeln!(text, "lose    {} who follows @{} ({})", shown(&lost.follower), lost.author, shown(&lost.because));
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
