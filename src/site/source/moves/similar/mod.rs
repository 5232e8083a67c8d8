//! The last resort: texts that are nearly the same, found at a bounded cost.

use std::collections::BTreeSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use hugo_content::Entry;
use rapidfuzz::distance::indel;

use crate::model::post::Post;

/// What share of the words must be the same, in the same order (ADR 9).
const ENOUGH: f64 = 0.9;

/// Words; shorter texts are alike by chance.
const SHORTEST: usize = 20;

/// Steps of comparing, roughly a nanosecond each: a second or so in all, whatever a site holds.
const BUDGET: u64 = 1_000_000_000;

/// Pairs of which each is the other's best, and how many were not compared because the budget was spent.
pub(super) fn pairs<'a>(entries: &[&'a Entry], posts: &[&'a Post]) -> (Vec<(&'a Entry, &'a Post, u8)>, usize) {
    pairs_within(entries, posts, BUDGET)
}

fn pairs_within<'a>(
    entries: &[&'a Entry],
    posts: &[&'a Post],
    mut budget: u64,
) -> (Vec<(&'a Entry, &'a Post, u8)>, usize) {
    if entries.is_empty() || posts.is_empty() {
        return (Vec::new(), 0);
    }
    let entries: Vec<(&Entry, Words)> = entries.iter().map(|entry| (*entry, Words::of(entry))).collect();
    let posts: Vec<(&Post, Words)> = posts.iter().map(|post| (*post, Words::of(&post.entry))).collect();
    let mut not_compared = 0;
    let mut scored: Vec<(f64, usize, usize)> = Vec::new();
    for (at, (_, ours)) in entries.iter().enumerate() {
        for (other, (_, theirs)) in posts.iter().enumerate() {
            if !ours.may_be_like(theirs) {
                continue;
            }
            let Some(rest) = budget.checked_sub(ours.cost(theirs)) else {
                not_compared += 1;
                continue;
            };
            budget = rest;
            if let Some(score) = ours.likeness(theirs) {
                scored.push((score, at, other));
            }
        }
    }
    let found = best(scored)
        .into_iter()
        .filter_map(|(score, at, other)| Some((entries.get(at)?.0, posts.get(other)?.0, percent(score))));
    (found.collect(), not_compared)
}

/// The best pairs first; where the best of an entry or of a post is a tie, nothing is said of it.
fn best(mut scored: Vec<(f64, usize, usize)>) -> Vec<(f64, usize, usize)> {
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let (mut entries, mut posts) = (BTreeSet::new(), BTreeSet::new());
    let mut found = Vec::new();
    for same_score in scored.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let free: Vec<_> =
            same_score.iter().filter(|(_, entry, post)| !entries.contains(entry) && !posts.contains(post)).collect();
        for pair in &free {
            let rivals = free.iter().filter(|other| other.1 == pair.1 || other.2 == pair.2).count();
            if rivals == 1 {
                found.push(**pair);
            }
        }
        for pair in free {
            entries.insert(pair.1);
            posts.insert(pair.2);
        }
    }
    found
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a score lies between 0 and 1")]
fn percent(score: f64) -> u8 {
    (score * 100.0).floor() as u8
}

/// The words of a text, as hashes: in order, and sorted.
struct Words {
    ordered: Vec<u64>,
    sorted: Vec<u64>,
}

impl Words {
    fn of(entry: &Entry) -> Self {
        let ordered: Vec<u64> = html::text_of_clean(&entry.content).split_whitespace().map(hash).collect();
        let mut sorted = ordered.clone();
        sorted.sort_unstable();
        Self { ordered, sorted }
    }

    /// Whether their lengths allow it.
    fn may_be_like(&self, other: &Self) -> bool {
        let (short, long) = (self.ordered.len().min(other.ordered.len()), self.ordered.len().max(other.ordered.len()));
        short >= SHORTEST && dice(short, self, other) >= ENOUGH && long > 0
    }

    fn cost(&self, other: &Self) -> u64 {
        let (a, b) = (self.ordered.len(), other.ordered.len());
        u64::try_from(
            a.saturating_add(b).saturating_mul(8).saturating_add((a / 64 + 1).saturating_mul(b).saturating_mul(4)),
        )
        .unwrap_or(u64::MAX)
    }

    /// The share of words that are the same in the same order, where that is enough.
    fn likeness(&self, other: &Self) -> Option<f64> {
        // The words without their order are an upper bound, and cheap.
        if dice(self.common(other), self, other) < ENOUGH {
            return None;
        }
        let cutoff = indel::Args::default().score_cutoff(ENOUGH);
        indel::normalized_similarity_with_args(self.ordered.iter(), other.ordered.iter(), &cutoff)
    }

    fn common(&self, other: &Self) -> usize {
        let (mut ours, mut theirs) = (self.sorted.iter().peekable(), other.sorted.iter().peekable());
        let mut common = 0;
        while let (Some(a), Some(b)) = (ours.peek(), theirs.peek()) {
            match a.cmp(b) {
                std::cmp::Ordering::Less => drop(ours.next()),
                std::cmp::Ordering::Greater => drop(theirs.next()),
                std::cmp::Ordering::Equal => {
                    common += 1;
                    ours.next();
                    theirs.next();
                }
            }
        }
        common
    }
}

/// Twice what is common, in proportion to both.
#[expect(clippy::cast_precision_loss, reason = "no text has 2^52 words")]
fn dice(common: usize, a: &Words, b: &Words) -> f64 {
    (2 * common) as f64 / (a.ordered.len() + b.ordered.len()) as f64
}

fn hash(word: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    word.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
