//! Blocks as an operator makes them: one by hand, or a whole list, which can later be removed as a whole and exactly.

use std::collections::BTreeMap;

use clock::Timestamp;
use serde::Serialize;

use super::block_request::is_ours;
use super::enforcement::{self, Enforced};
use super::lists::{Entry, Parsed, Skipped};
use super::preview::{self, Lost};
use super::rules::Rules;
use super::store::{self, NewBlock};
use super::{Block, BlockKind, ModerationNote, Severity};
use crate::app::App;
use crate::base::ids::{ActorId, BlockId, Domain, Ids};
use crate::db::Conn;
use crate::model::author;

pub use super::block_request::BlockRequest;
pub(crate) use super::block_request::Impossible;

/// Makes or changes a block by hand, and applies it to what was there before.
///
/// # Errors
/// When its value is not valid, or the database fails.
pub async fn add(
    app: &App,
    wish: BlockRequest<'_>,
    severity: Severity,
    note: ModerationNote,
) -> Result<(String, Enforced), Impossible> {
    let value = wish.normal(app).await?;
    let id = BlockId(app.ids.row());
    let (kind, actor, now, ids) = (wish.kind, wish.actor, app.clock.now(), app.ids.clone());
    let stored = value.clone();
    app.db
        .decide(move |conn| {
            Box::pin(async move {
                let block =
                    NewBlock { id, kind, value: &stored, severity, actor, list: None, reason: note.why.as_deref() };
                store::put_block(conn, &block, now).await?;
                let what = if severity == Severity::Block { "blocked it" } else { "silenced it" };
                note_block_decision(conn, &ids, (kind, &stored, actor), what, &note, now).await?;
                store::note_change(conn).await
            })
        })
        .await?;
    Ok((value, enforcement::enforce(app).await?))
}

/// Removes a block by hand; what it alone hid is shown again.
///
/// # Errors
/// When there is none, or the database fails.
pub async fn remove(app: &App, wish: BlockRequest<'_>, note: ModerationNote) -> Result<(String, Enforced), Impossible> {
    let value = wish.normal(app).await?;
    let (kind, actor, removed) = (wish.kind, wish.actor, value.clone());
    let (now, ids) = (app.clock.now(), app.ids.clone());
    app.db
        .decide(move |conn| {
            Box::pin(async move {
                if !store::remove_block(conn, kind, &removed, actor).await? {
                    let lists = store::lists_with(conn, kind, &removed).await?;
                    return Err(if lists.is_empty() {
                        Impossible::Unknown
                    } else {
                        Impossible::OfList(lists.join(", "))
                    });
                }
                note_block_decision(conn, &ids, (kind, &removed, actor), "took the block away", &note, now).await?;
                Ok(store::note_change(conn).await?)
            })
        })
        .await?;
    Ok((value, enforcement::enforce(app).await?))
}

/// Notes a decision about a block, under the subject that `explain` looks for.
async fn note_block_decision(
    conn: &mut Conn,
    ids: &Ids,
    (kind, value, actor): (BlockKind, &str, Option<ActorId>),
    what: &str,
    note: &ModerationNote,
    now: Timestamp,
) -> sqlx::Result<()> {
    let subject = subject(kind, value);
    let ours = match actor {
        Some(actor) => author::store::actor(conn, actor).await?,
        None => None,
    };
    let what = ours.map_or_else(|| what.to_owned(), |ours| format!("{what} for @{} alone", ours.handle));
    store::note_decision(conn, ids, &subject, &what, note, now).await
}

/// The subject under which decisions about a block are noted; an actor's is their id.
pub(crate) fn subject(kind: BlockKind, value: &str) -> String {
    match kind {
        BlockKind::Actor => value.to_owned(),
        kind => format!("{} {value}", kind.as_str()),
    }
}

/// A list to be imported.
#[derive(Clone, Debug)]
pub struct List<'a> {
    /// Its name.
    pub name: &'a str,
    /// The file that it was read from.
    pub file: &'a str,
    /// The content of the file.
    pub text: &'a str,
}

/// What an import did, or would do.
#[derive(Clone, Debug, Serialize)]
pub struct Imported {
    pub(crate) list: String,
    /// Whether nothing was written.
    pub(crate) dry_run: bool,
    /// Domains that are new in the list, or have another severity or reason.
    pub added: Vec<String>,
    /// Domains that are no longer in the list.
    pub removed: Vec<String>,
    /// How many stay as they are.
    pub unchanged: usize,
    /// Lines that are not valid.
    pub skipped: Vec<Skipped>,
    /// Followers that would be or were lost.
    pub followers_lost: Vec<Lost>,
    /// What was changed, or would be.
    pub enforced: Enforced,
}

/// Returns what an import of a list would do.
///
/// # Errors
/// When it is no CSV, or the database fails.
pub async fn would_import(app: &App, list: List<'_>) -> Result<Imported, Impossible> {
    let (parsed, mut imported) = compared(app, &list).await?;
    let rules = as_rules(app, &parsed);
    imported.dry_run = true;
    imported.followers_lost = preview::followers(app, &rules).await?;
    imported.enforced = preview::would(app, &rules).await?;
    imported.enforced.follows_ended = imported.followers_lost.len() as u64;
    Ok(imported)
}

/// How many followers would be lost by an import of a list.
///
/// # Errors
/// When it is no CSV, or the database fails.
pub(crate) async fn would_lose(app: &App, list: &List<'_>) -> Result<usize, Impossible> {
    let (parsed, _) = compared(app, list).await?;
    Ok(preview::followers(app, &as_rules(app, &parsed)).await?.len())
}

async fn compared(app: &App, list: &List<'_>) -> Result<(Parsed, Imported), Impossible> {
    let parsed = super::lists::parse(list.text, |domain| is_ours(app, domain))?;
    let mut conn = app.db.read().await?;
    let known = store::blocks_of_list(&mut conn, list.name).await?;
    let imported = compare(list.name, &parsed, &known);
    Ok((parsed, imported))
}

/// Imports a list under a name, in place of the list's earlier entries.
///
/// # Errors
/// When it is no CSV, it would leave the list empty and `may_empty` is false, or the database fails: then nothing has
/// changed.
pub async fn import(app: &App, list: List<'_>, may_empty: bool, note: ModerationNote) -> Result<Imported, Impossible> {
    let (parsed, mut imported) = compared(app, &list).await?;
    let entries = imported.removed.len();
    if parsed.entries.is_empty() && entries > 0 && !may_empty {
        return Err(Impossible::WouldEmpty { list: list.name.to_owned(), file: list.file.to_owned(), entries });
    }
    imported.followers_lost = preview::followers(app, &as_rules(app, &parsed)).await?;
    let (ids, now) = (app.ids.clone(), app.clock.now());
    let (name, file) = (list.name.to_owned(), list.file.to_owned());
    app.db
        .decide(move |conn| {
            Box::pin(async move {
                let list = store::put_list(conn, &ids, &name, &file, now).await?;
                for block in store::blocks_of_list(conn, &name).await? {
                    let stays = Domain::parse(&block.value).is_ok_and(|domain| parsed.entries.contains_key(&domain));
                    if !stays {
                        store::remove_row(conn, block.id).await?;
                    }
                }
                for (domain, entry) in &parsed.entries {
                    let block = NewBlock {
                        id: BlockId(ids.row()),
                        kind: BlockKind::Domain,
                        value: domain.as_str(),
                        severity: entry.severity,
                        actor: None,
                        list: Some(list),
                        reason: entry.reason.as_deref(),
                    };
                    store::put_block(conn, &block, now).await?;
                }
                let what = format!("imported {} domains from {file}", parsed.entries.len());
                store::note_decision(conn, &ids, &format!("list {name}"), &what, &note, now).await?;
                store::note_change(conn).await
            })
        })
        .await?;
    imported.enforced = enforcement::enforce(app).await?;
    Ok(imported)
}

fn compare(name: &str, parsed: &Parsed, known: &[Block]) -> Imported {
    let known: BTreeMap<&str, &Block> = known.iter().map(|block| (block.value.as_str(), block)).collect();
    let is_same = |domain: &Domain| {
        let (now, before) = (parsed.entries.get(domain), known.get(domain.as_str()));
        now.zip(before).is_some_and(|(now, before)| now.severity == before.severity && now.reason == before.reason)
    };
    let names: Vec<&str> = parsed.entries.keys().map(Domain::as_str).collect();
    let added: Vec<String> = parsed.entries.keys().filter(|domain| !is_same(domain)).map(Domain::to_string).collect();
    Imported {
        list: name.to_owned(),
        dry_run: false,
        unchanged: parsed.entries.len() - added.len(),
        added,
        removed: known
            .keys()
            .filter(|value| names.binary_search(value).is_err())
            .map(|value| (*value).to_owned())
            .collect(),
        skipped: parsed.skipped.clone(),
        followers_lost: Vec::new(),
        enforced: Enforced::default(),
    }
}

fn as_rules(app: &App, parsed: &Parsed) -> Rules {
    let created_at = app.clock.now();
    let blocks = parsed.entries.iter().filter(|(_, entry)| entry.severity == Severity::Block);
    let as_block = |(domain, entry): (&Domain, &Entry)| Block {
        id: BlockId(0),
        kind: BlockKind::Domain,
        value: domain.to_string(),
        severity: entry.severity,
        actor: None,
        list: None,
        reason: None,
        created_at,
    };
    Rules::of(blocks.map(as_block).collect())
}

/// Removes a list and exactly its own entries; returns how many.
///
/// # Errors
/// When there is none of that name, or the database fails.
pub async fn remove_list(app: &App, name: &str, note: ModerationNote) -> Result<(u64, Enforced), Impossible> {
    let (list, ids, now) = (name.to_owned(), app.ids.clone(), app.clock.now());
    let removed = app
        .db
        .decide(move |conn| {
            Box::pin(async move {
                let Some(removed) = store::remove_list(conn, &list).await? else {
                    return Err(Impossible::NoList(list));
                };
                let what = format!("removed the list with its {removed} entries");
                store::note_decision(conn, &ids, &format!("list {list}"), &what, &note, now).await?;
                store::note_change(conn).await?;
                Ok::<_, Impossible>(removed)
            })
        })
        .await?;
    Ok((removed, enforcement::enforce(app).await?))
}
