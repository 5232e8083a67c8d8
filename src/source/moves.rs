//! A post that vanished under one key and appeared under another in the same scan is one post that moved: pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::post::Post;
use crate::post::entry::Entry;

/// Pairs new entries with vanished posts: by the same body first, then by the same title and date. Each vanished
/// post moves once. Answers the vanished post for a new entry's key.
#[must_use]
pub fn recognise<'a>(new: &[&Entry], vanished: &[&'a Post]) -> BTreeMap<String, &'a Post> {
    let mut moved = BTreeMap::new();
    let mut used = BTreeSet::new();
    let same_body = |entry: &Entry, post: &Post| !entry.content.is_empty() && entry.body_hash == post.body_hash;
    let same_title_and_date = |entry: &Entry, post: &Post| {
        !entry.title.is_empty() && entry.title == post.entry.title && entry.published == post.entry.published
    };
    for same in [&same_body as &dyn Fn(&Entry, &Post) -> bool, &same_title_and_date] {
        for entry in new {
            if moved.contains_key(&entry.key) {
                continue;
            }
            if let Some(post) = vanished.iter().find(|post| !used.contains(&post.id) && same(entry, post)) {
                used.insert(post.id);
                moved.insert(entry.key.clone(), *post);
            }
        }
    }
    moved
}
