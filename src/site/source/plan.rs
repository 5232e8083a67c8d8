//! What a scan calls for, compared with the known posts: pure (docs/architecture.md#publishing).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clock::Timestamp;
use hugo_content::{Entry, Scan, Visibility, Warning, canonical};
use serde::Serialize;

use super::moves::{self, Evidence, Recognised};
use crate::model::post::{Post, PostState};

/// What the plan depends on beside the scan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    /// The time of the scan.
    pub(crate) now: Timestamp,
    /// Whether the first import is over.
    pub(crate) imported: bool,
    /// How old a post may be and still be sent to followers.
    pub(crate) push_within: Duration,
    /// How long a vanished file is waited for.
    pub(crate) removal_grace: Duration,
    /// Whether an article stays when a redirect rule leads from its post elsewhere.
    pub(crate) keep_moved_away: bool,
    /// The operator confirms that what vanished is gone.
    pub(crate) confirm: bool,
    /// The post that the operator wants sent to followers whatever its age.
    pub(crate) deliver: Option<&'a str>,
}

/// What is to be done with a post's article.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// Make one.
    Create {
        /// Whether followers are sent it.
        push: bool,
    },
    /// Publish an Update.
    Update,
    /// Delete it.
    Remove,
    /// Wait: the file vanished.
    Miss,
    /// Wait for the operator: too many files vanished.
    Hold,
    /// Keep the post's new state; its article, if it has one, stays as it is.
    Note,
    /// Nothing changed.
    Nothing,
}

/// One post's part of the plan.
#[derive(Clone, Debug)]
pub struct Step {
    /// The post, where it is known.
    pub known: Option<Post>,
    /// The post in the scan, where it was seen.
    pub entry: Option<Entry>,
    /// Its state afterwards.
    pub state: PostState,
    /// What to do.
    pub act: Act,
    /// The key it had before it moved, and how it was recognised.
    pub moved_from: Option<(String, Evidence)>,
    /// The key it gets because another post has its own now.
    pub new_key: Option<String>,
    /// Where a redirect rule leads from its page now that its file is gone, and the rule's file and line.
    pub moved_away: Option<(String, String)>,
    /// Its article is only listed in the outbox, and the operator wants it sent.
    pub deliver: bool,
    /// Whether the scan's version is not trusted, so that the post stays as it is.
    pub is_unread: bool,
}

impl Step {
    fn new(known: Option<&Post>, entry: Option<Entry>, state: PostState, act: Act) -> Self {
        Self {
            known: known.cloned(),
            entry,
            state,
            act,
            moved_from: None,
            new_key: None,
            moved_away: None,
            deliver: false,
            is_unread: false,
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.act == Act::Nothing && !self.deliver && !self.changes_key()
    }

    /// Whether the post gets another key.
    pub(crate) fn changes_key(&self) -> bool {
        self.known.as_ref().is_some_and(|post| post.key != self.key())
    }

    /// The post's key afterwards.
    pub(crate) fn key(&self) -> &str {
        match (&self.new_key, &self.entry, &self.known) {
            (Some(key), _, _) => key,
            (None, Some(entry), _) => &entry.key,
            (None, None, Some(post)) => &post.key,
            (None, None, None) => "",
        }
    }

    /// Its public page.
    pub(crate) fn url(&self) -> &str {
        match (&self.entry, &self.known) {
            (Some(entry), _) => &entry.url,
            (None, Some(post)) => &post.entry.url,
            (None, None) => "",
        }
    }

    /// Why it is done, where that is not obvious.
    pub(crate) fn why(&self) -> Option<String> {
        let away = || {
            let (to, rule) = self.moved_away.as_ref()?;
            Some(format!("{rule} leads to {to}"))
        };
        let gone = match (self.act, self.state) {
            (Act::Remove, PostState::Draft) => "it is a draft now",
            (Act::Remove, PostState::Scheduled) => "its publication date is ahead now",
            (Act::Remove, PostState::Expired) => "its expiry date has passed",
            (Act::Remove, PostState::Withheld) => "it is not for the fediverse any more",
            (Act::Remove, _) => "its file is gone",
            (Act::Miss, _) => "its file is gone; it is removed unless it comes back",
            (Act::Hold, _) => "its file is gone, with too many others",
            _ => return self.moved_from.as_ref().map(|(_, evidence)| evidence.to_string()).or_else(away),
        };
        Some(away().map_or_else(|| gone.to_owned(), |away| format!("{gone}; {away}")))
    }
}

/// What a scan calls for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// Every post that is known or was seen, in the order of their keys.
    pub(crate) steps: Vec<Step>,
    /// What the operator should know, beside the scan's own warnings.
    pub(crate) warnings: Vec<Warning>,
}

pub(crate) fn plan(known: &[Post], scan: &Scan, rules: &Rules<'_>) -> Plan {
    let found = moves::recognise(scan, known);
    let mut steps = Vec::with_capacity(scan.entries.len());
    let mut warnings = Vec::new();
    for entry in scan.entries.iter().filter(|entry| !found.unsure.contains(entry.key.as_str())) {
        let matched = found.matches.get(entry.key.as_str());
        if let Some(post) = matched.map(|found| found.post).filter(|post| is_emptied(post, entry) && !rules.confirm) {
            warnings.push(emptied(entry));
            steps.push(Step { is_unread: true, ..Step::new(Some(post), None, post.state, Act::Nothing) });
            continue;
        }
        let mut step = step_for_entry(entry, matched.map(|found| found.post), rules);
        step.moved_from = matched.and_then(|found| Some((found.post.key.clone(), found.why.clone()?)));
        warnings.extend(fixed_visibility(&step));
        if step.is_idle() {
            // Most posts, most of the time; their texts need not be in memory twice.
            step.known = None;
        }
        steps.push(step);
    }
    steps.extend(steps_for_absent(known, scan, &found, rules));
    steps.sort_by(|a, b| a.key().cmp(b.key()));
    warnings.extend(found.warnings);
    Plan { steps, warnings }
}

/// Whether a post that others were sent has lost all its text, as when its file was cut off.
fn is_emptied(post: &Post, entry: &Entry) -> bool {
    let is_empty = |entry: &Entry| entry.content.trim().is_empty();
    let is_public = matches!(entry.visibility, Visibility::Public { .. });
    post.article_stands && is_public && is_empty(entry) && !is_empty(&post.entry)
}

fn emptied(entry: &Entry) -> Warning {
    let message = "its text is gone, as when a file is cut off, so the article stays as it was; put the text back, or run \
                   `veerpont sync --confirm` if the post is meant to be empty";
    Warning { file: entry.file.clone(), line: None, message: message.to_owned() }
}

/// The visibility of an article cannot be changed any more (interop B8).
fn fixed_visibility(step: &Step) -> Option<Warning> {
    let (post, entry) = (step.known.as_ref()?, step.entry.as_ref()?);
    if step.state != PostState::Published || !post.article_stands || post.article_unlisted == entry.unlisted {
        return None;
    }
    let message = if entry.unlisted {
        "`fediverse: unlisted` came too late: the article is public and other servers cannot change that; with `fediverse: false` it is deleted, \
         and a sync after that with `fediverse: unlisted` makes a new one"
    } else {
        "the article was made unlisted and other servers cannot change that; with `fediverse: false` it is deleted, and a sync \
         after that without the word makes a new one"
    };
    Some(Warning { file: entry.file.clone(), line: None, message: message.to_owned() })
}

/// Posts that match no entry, except those whose files are there and cannot be read.
fn steps_for_absent(known: &[Post], scan: &Scan, found: &Recognised<'_>, rules: &Rules<'_>) -> Vec<Step> {
    let present: BTreeSet<_> = found.matches.values().map(|found| found.post.id).collect();
    let absent: Vec<&Post> =
        known.iter().filter(|post| !present.contains(&post.id) && !scan.unreadable.contains(&post.key)).collect();
    let addresses: BTreeSet<String> = scan.entries.iter().map(|entry| canonical(&entry.url)).collect();
    let away: BTreeMap<_, (String, String)> = absent
        .iter()
        .filter(|post| scan.complete && post.article_stands)
        .filter_map(|post| Some((post.id, leads_away(post, scan, &addresses)?)))
        .collect();
    let (kept, missing): (Vec<&Post>, Vec<&Post>) =
        absent.into_iter().partition(|post| rules.keep_moved_away && away.contains_key(&post.id));
    let mut steps = steps_for_missing(&missing, known, scan.complete, rules);
    steps.extend(kept.into_iter().filter_map(|post| Some(step_for_moved_away(post, &away.get(&post.id)?.0))));
    let mut keys: BTreeSet<String> =
        known.iter().map(|post| post.key.clone()).chain(scan.entries.iter().map(|entry| entry.key.clone())).collect();
    let is_sure = |key: &&str| !found.unsure.contains(key);
    let occupied: BTreeSet<&str> = scan.entries.iter().map(|entry| entry.key.as_str()).filter(is_sure).collect();
    for step in &mut steps {
        let Some(post) = &step.known else { continue };
        step.moved_away = away.get(&post.id).cloned();
        if occupied.contains(post.key.as_str()) {
            let key = free_key(&post.key, &mut keys);
            if let Some(entry) = &mut step.entry {
                entry.key.clone_from(&key);
            }
            step.new_key = Some(key);
        }
    }
    steps
}

/// A key that no file can have, since no path holds an empty name.
fn free_key(key: &str, keys: &mut BTreeSet<String>) -> String {
    let base = key.split("//").next().unwrap_or(key);
    let mut number = 1_u64;
    loop {
        let free = format!("{base}//{number}");
        if keys.insert(free.clone()) {
            return free;
        }
        number += 1;
    }
}

/// Where the site's rules lead from a vanished post, if that is none of its posts, and the rule.
fn leads_away(post: &Post, scan: &Scan, addresses: &BTreeSet<String>) -> Option<(String, String)> {
    let mut known_as = std::iter::once(&post.entry.url).chain(&post.entry.aliases);
    let (to, rule) = known_as.find_map(|address| scan.redirects.follow(address, |at| addresses.contains(at)))?;
    (!addresses.contains(&canonical(&to))).then_some((to, rule))
}

/// The article stays, with its new address (docs/hugo.md#identity-moves-removals); the old one is kept as an alias, by
/// which the rule is found again.
fn step_for_moved_away(post: &Post, to: &str) -> Step {
    let mut entry = post.entry.clone();
    // The site no longer has this version.
    entry.trace = None;
    if canonical(&entry.url) == canonical(to) {
        let act = if post.state == PostState::Published { Act::Nothing } else { Act::Note };
        return Step::new(Some(post), Some(entry), PostState::Published, act);
    }
    entry.aliases.push(std::mem::replace(&mut entry.url, to.to_owned()));
    Step::new(Some(post), Some(entry), PostState::Published, Act::Update)
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
    Step { deliver, ..Step::new(post, Some(entry.clone()), state, act) }
}

/// Whether a fingerprint tells of an edit: a new version of the fingerprint alone does not.
pub(super) fn is_edit(before: &str, after: &str) -> bool {
    match (before.split_once(':'), after.split_once(':')) {
        (Some((old_version, old)), Some((new_version, new))) => old_version == new_version && old != new,
        _ => before != after,
    }
}

/// Only young posts are sent to followers: by their date, or, where we knew it as a draft, from when it went public.
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

/// Vanished posts: nothing is done after an incomplete scan; too many at once are held; the others are waited for.
fn steps_for_missing(missing: &[&Post], known: &[Post], complete: bool, rules: &Rules<'_>) -> Vec<Step> {
    let standing = known.iter().filter(|post| post.article_stands).count();
    let gone = missing.iter().filter(|post| post.article_stands).count();
    let too_many = gone > 10 || (gone >= 3 && gone * 5 > standing) || (gone > 0 && gone == standing);
    let step = |post: &Post, state, act| Step::new(Some(post), None, state, act);
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
pub(crate) fn next_turn(scan: &Scan, now: Timestamp) -> Option<Timestamp> {
    let turns = scan.entries.iter().filter_map(|entry| match entry.visibility {
        Visibility::Public { until } => until,
        Visibility::Scheduled { at } => Some(at),
        _ => None,
    });
    turns.filter(|turn| *turn > now).min()
}
