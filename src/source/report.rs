//! What a sync did, as the CLI prints it.

use serde::Serialize;

use super::plan::{Act, Step};
use super::scan::{Scan, Warning};
use crate::author::opt_in::OptIn;

/// What a sync did, or would do.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Articles made.
    pub created: usize,
    /// Articles edited, the moved ones not counted again.
    pub updated: usize,
    /// Posts with a new key, their articles kept.
    pub moved: usize,
    /// Articles deleted.
    pub removed: usize,
    /// Posts that wait for `sync --confirm`.
    pub held: usize,
    /// Articles that stood unsent and are sent after all.
    pub delivered: usize,
    /// Posts of which nothing new is to be said.
    pub unchanged: usize,
    /// Authors that became actors, by handle.
    pub opted_in: Vec<String>,
    /// Each post of which something is to be said.
    pub changes: Vec<Change>,
    /// What is odd.
    pub warnings: Vec<Warning>,
    /// Whether nothing was left out of the scan.
    pub complete: bool,
    /// Whether this only says what would be done.
    pub dry_run: bool,
}

/// One line of a report.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    /// The source.
    pub source: String,
    /// The post's key.
    pub key: String,
    /// `create`, `update`, `move`, `remove`, `missing`, `hold`.
    pub change: &'static str,
    /// For a move, the key it had.
    pub from: Option<String>,
    /// For a move, how the post was recognised; for a removal, what calls for it.
    pub why: Option<String>,
    /// Whether followers are sent it.
    pub delivered: Option<bool>,
    /// The public page.
    pub url: String,
}

impl Report {
    pub(super) fn of(source: &str, steps: &[Step], scan: &Scan, opt_in: &OptIn, dry_run: bool) -> Self {
        let mut report = Self {
            warnings: scan.warnings.clone(),
            complete: scan.complete,
            dry_run,
            opted_in: opt_in.found.iter().map(|(_, handle)| handle.to_string()).collect(),
            ..Self::default()
        };
        for step in steps {
            let moved = step.moved_from.is_some();
            let (counter, change) = match step.act {
                Act::Create { .. } => (&mut report.created, "create"),
                Act::Remove => (&mut report.removed, "remove"),
                Act::Hold => (&mut report.held, "hold"),
                _ if step.deliver => (&mut report.delivered, "deliver"),
                _ if moved => (&mut report.moved, "move"),
                Act::Update => (&mut report.updated, "update"),
                Act::Miss => (&mut report.unchanged, "missing"),
                Act::Note | Act::Nothing => {
                    report.unchanged += 1;
                    continue;
                }
            };
            *counter += 1;
            report.changes.push(Change {
                source: source.to_owned(),
                key: step.key().to_owned(),
                change,
                from: step.moved_from.as_ref().map(|(key, _)| key.clone()),
                why: step.why(),
                delivered: match step.act {
                    Act::Create { push } => Some(push),
                    _ => step.deliver.then_some(true),
                },
                url: step.url().to_owned(),
            });
        }
        report
    }

    /// Adds another source's.
    pub fn add(&mut self, other: Self) {
        self.created += other.created;
        self.updated += other.updated;
        self.moved += other.moved;
        self.removed += other.removed;
        self.held += other.held;
        self.delivered += other.delivered;
        self.unchanged += other.unchanged;
        self.opted_in.extend(other.opted_in);
        self.changes.extend(other.changes);
        self.warnings.extend(other.warnings);
        self.complete &= other.complete;
        self.dry_run = other.dry_run;
    }
}
