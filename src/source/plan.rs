//! What a scan calls for, compared with what we remember: pure (design, section 5).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use super::moves;
use super::scan::Scan;
use crate::clock::Timestamp;
use crate::post::entry::{Entry, Visibility};
use crate::post::{Post, PostState};

/// What decides beside the scan itself.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The time of the scan.
    pub now: Timestamp,
    /// Whether the first import is over.
    pub imported: bool,
    /// How old a post may be and still be pushed.
    pub push_within: Duration,
    /// How long a vanished file is waited for.
    pub removal_grace: Duration,
    /// The operator confirms that what vanished is gone.
    pub confirm: bool,
    /// The post that the operator wants pushed whatever its age.
    pub deliver: Option<&'a str>,
}

/// What is to be done with a post's article.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// Make one, and push it or only list it.
    Create {
        /// Whether followers are sent it.
        push: bool,
    },
    /// Say what changed.
    Update,
    /// Delete it.
    Remove,
    /// Wait: the file vanished.
    Miss,
    /// Wait for the operator: too many files vanished.
    Hold,
    /// Remember the post's new state; its article, if it has one, stays as it is.
    Note,
    /// Nothing changed.
    Nothing,
}

/// One post's part of the plan.
#[derive(Clone, Debug)]
pub struct Step {
    /// The post, where it is known.
    pub known: Option<Post>,
    /// What the scan says of it, where it saw it.
    pub entry: Option<Entry>,
    /// Its state afterwards.
    pub state: PostState,
    /// What to do.
    pub act: Act,
    /// The key it had before it moved.
    pub moved_from: Option<String>,
    /// Its article stands unsent in the outbox, and the operator wants it sent.
    pub deliver: bool,
}

impl Step {
    /// The post's key afterwards.
    #[must_use]
    pub fn key(&self) -> &str {
        match (&self.entry, &self.known) {
            (Some(entry), _) => &entry.key,
            (None, Some(post)) => &post.key,
            (None, None) => "",
        }
    }

    /// Its public page.
    #[must_use]
    pub fn url(&self) -> &str {
        match (&self.entry, &self.known) {
            (Some(entry), _) => &entry.url,
            (None, Some(post)) => &post.entry.url,
            (None, None) => "",
        }
    }
}

/// Plans every post that is known or was seen, in the order of their keys.
#[must_use]
pub fn plan(known: &[Post], scan: &Scan, rules: &Rules<'_>) -> Vec<Step> {
    let by_key: BTreeMap<&str, &Post> = known.iter().map(|post| (post.key.as_str(), post)).collect();
    let seen: BTreeSet<&str> =
        scan.entries.iter().map(|entry| entry.key.as_str()).chain(scan.unreadable.iter().map(String::as_str)).collect();
    let vanished: Vec<&Post> = known.iter().filter(|post| !seen.contains(post.key.as_str())).collect();
    // A withheld post that moves must stay withheld. What was not walked may still be there, so it has not moved.
    let movable = |post: &&Post| scan.complete && (post.article_stands || post.withheld_at.is_some());
    let movable: Vec<&Post> = vanished.iter().copied().filter(movable).collect();
    let new: Vec<&Entry> = scan.entries.iter().filter(|entry| !by_key.contains_key(entry.key.as_str())).collect();
    let moved = moves::recognise(&new, &movable);
    let moved_away: BTreeSet<_> = moved.values().map(|post| post.id).collect();

    let mut steps: Vec<Step> = scan
        .entries
        .iter()
        .map(|entry| {
            let moved = moved.get(&entry.key).copied();
            let post = moved.or_else(|| by_key.get(entry.key.as_str()).copied());
            let mut step = step_for_entry(entry, post, rules);
            step.moved_from = moved.map(|post| post.key.clone());
            step
        })
        .collect();
    let missing: Vec<&Post> = vanished.into_iter().filter(|post| !moved_away.contains(&post.id)).collect();
    steps.extend(steps_for_missing(&missing, known, scan.complete, rules));
    steps.sort_by(|a, b| a.key().cmp(b.key()));
    steps
}

pub(super) fn step_for_entry(entry: &Entry, post: Option<&Post>, rules: &Rules<'_>) -> Step {
    let withheld = post.is_some_and(|post| post.withheld_at.is_some());
    let state = PostState::of(entry.visibility, withheld);
    let stands = post.is_some_and(|post| post.article_stands);
    let act = match (stands, state == PostState::Published) {
        (false, true) => Act::Create { push: is_pushed(entry, post, rules) },
        (true, false) => Act::Remove,
        (true, true) if post.is_some_and(|post| is_edit(&post.fingerprint, &entry.fingerprint)) => Act::Update,
        _ if post.is_some_and(|post| post.state == state && post.entry == *entry) => Act::Nothing,
        _ => Act::Note,
    };
    let unsent = post.is_some_and(|post| post.article_stands && !post.article_pushed);
    let deliver = unsent && state == PostState::Published && rules.deliver == Some(entry.key.as_str());
    Step { known: post.cloned(), entry: Some(entry.clone()), state, act, moved_from: None, deliver }
}

/// Whether a fingerprint tells of an edit: another version of counting is none.
pub(super) fn is_edit(before: &str, after: &str) -> bool {
    match (before.split_once(':'), after.split_once(':')) {
        (Some((old_version, old)), Some((new_version, new))) => old_version == new_version && old != new,
        _ => before != after,
    }
}

/// Only what is young is pushed: by its date, or, where we knew it as a draft, from when it went public.
fn is_pushed(entry: &Entry, post: Option<&Post>, rules: &Rules<'_>) -> bool {
    if rules.deliver == Some(entry.key.as_str()) {
        return true;
    }
    let was_hidden = post.is_some_and(|post| post.hidden_seen_at.is_some());
    let since = if was_hidden {
        rules.now
    } else {
        entry.published.or(post.map(|post| post.first_seen_at)).unwrap_or(rules.now)
    };
    rules.imported && rules.now.since(since) <= rules.push_within
}

/// Vanished posts: nothing follows from an incomplete scan; too many at once are held; the others are waited for.
fn steps_for_missing(missing: &[&Post], known: &[Post], complete: bool, rules: &Rules<'_>) -> Vec<Step> {
    let standing = known.iter().filter(|post| post.article_stands).count();
    let gone = missing.iter().filter(|post| post.article_stands).count();
    let too_many = gone > 10 || (gone >= 3 && gone * 5 > standing) || (gone > 0 && gone == standing);
    let step = |post: &Post, state, act| Step {
        known: Some(post.clone()),
        entry: None,
        state,
        act,
        moved_from: None,
        deliver: false,
    };
    missing
        .iter()
        .map(|post| {
            if !complete || (!post.article_stands && post.state == PostState::Removed) {
                return step(post, post.state, Act::Nothing);
            }
            if !post.article_stands {
                return step(post, PostState::Removed, Act::Note);
            }
            if rules.confirm {
                return step(post, PostState::Removed, Act::Remove);
            }
            if too_many {
                return step(post, PostState::Held, Act::Hold);
            }
            let waited = post.missing_since.is_some_and(|since| rules.now.since(since) >= rules.removal_grace);
            if waited && post.missing_scans >= 1 {
                step(post, PostState::Removed, Act::Remove)
            } else {
                step(post, PostState::Missing, Act::Miss)
            }
        })
        .collect()
}

/// When the next post becomes public or expires by itself.
#[must_use]
pub fn next_turn(scan: &Scan, now: Timestamp) -> Option<Timestamp> {
    let turns = scan.entries.iter().filter_map(|entry| match entry.visibility {
        Visibility::Public { until } => until,
        Visibility::Scheduled { at } => Some(at),
        _ => None,
    });
    turns.filter(|turn| *turn > now).min()
}
