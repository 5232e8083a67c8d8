//! What a sync did, as the CLI prints it.

use hugo_content::{Scan, Warning};
use serde::Serialize;

use super::plan::{Act, Step};
use crate::model::author::opt_in::OptIn;
use crate::model::post::PostState;

/// What a sync did, or would do.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Articles made.
    pub created: usize,
    /// Articles edited, without the moved ones.
    pub updated: usize,
    /// Posts with a new key, their articles kept.
    pub moved: usize,
    /// Articles deleted.
    pub removed: usize,
    /// Posts that wait for `sync --confirm`.
    pub held: usize,
    /// Articles that were only listed and are sent after all.
    pub(crate) delivered: usize,
    /// Published posts without changes.
    pub unchanged: usize,
    /// Posts of the site that are not public: drafts, scheduled and expired ones, those not for the fediverse.
    pub not_public: usize,
    /// Published posts whose files are gone, and that are waited for.
    pub missing: usize,
    /// Posts that could not be read for certain: they stay as they are, and the warnings say why.
    pub unread: usize,
    /// The handles of authors that became actors.
    pub opted_in: Vec<String>,
    /// Each post with something to report.
    pub changes: Vec<Change>,
    /// What is odd.
    pub warnings: Vec<Warning>,
    /// Whether the scan was complete.
    pub complete: bool,
    /// Whether this only says what would be done.
    pub dry_run: bool,
}

/// One line of a report.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    pub(crate) source: String,
    pub(crate) key: String,
    /// `create`, `update`, `move`, `remove`, `missing`, `hold`.
    #[serde(rename = "change")]
    pub(crate) kind: &'static str,
    /// For a move, the key it had.
    pub(crate) from: Option<String>,
    /// For a move, how the post was recognised; for a removal, the reason.
    pub why: Option<String>,
    /// Whether followers are sent it.
    pub(crate) delivered: Option<bool>,
    pub(crate) url: String,
}

impl Report {
    pub(super) fn of(source: &str, steps: &[Step], scan: &Scan, opt_in: &OptIn, dry_run: bool) -> Self {
        let mut report = Self {
            warnings: scan.warnings.clone(),
            complete: scan.complete,
            unread: scan.unreadable.len(),
            dry_run,
            opted_in: opt_in.found.iter().map(|(_, handle)| handle.to_string()).collect(),
            ..Self::default()
        };
        for step in steps {
            let moved = step.moved_from.is_some();
            let (counter, kind) = match step.act {
                Act::Create { .. } => (&mut report.created, "create"),
                Act::Remove => (&mut report.removed, "remove"),
                Act::Hold => (&mut report.held, "hold"),
                _ if step.deliver => (&mut report.delivered, "deliver"),
                _ if moved => (&mut report.moved, "move"),
                // The site redirects from its page to elsewhere, and it stays.
                Act::Update if step.moved_away.is_some() => (&mut report.moved, "move"),
                Act::Update => (&mut report.updated, "update"),
                Act::Miss => (&mut report.missing, "missing"),
                Act::Note | Act::Nothing => {
                    report.count_quiet(step);
                    continue;
                }
            };
            *counter += 1;
            report.changes.push(Change {
                source: source.to_owned(),
                key: step.key().to_owned(),
                kind,
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

    /// Counts a post without a line of its own.
    fn count_quiet(&mut self, step: &Step) {
        match step.state {
            // Gone before, and no post of the site any more.
            PostState::Removed => {}
            PostState::Missing | PostState::Held => self.missing += 1,
            PostState::Published if step.is_unread => self.unread += 1,
            PostState::Published => self.unchanged += 1,
            PostState::Draft | PostState::Scheduled | PostState::Expired | PostState::Withheld => self.not_public += 1,
        }
    }

    /// Adds another source's report.
    pub(crate) fn add(&mut self, other: Self) {
        self.created += other.created;
        self.updated += other.updated;
        self.moved += other.moved;
        self.removed += other.removed;
        self.held += other.held;
        self.delivered += other.delivered;
        self.unchanged += other.unchanged;
        self.not_public += other.not_public;
        self.missing += other.missing;
        self.unread += other.unread;
        self.opted_in.extend(other.opted_in);
        self.changes.extend(other.changes);
        self.warnings.extend(other.warnings);
        self.complete &= other.complete;
        self.dry_run = other.dry_run;
    }
}
