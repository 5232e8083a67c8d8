//! Which of the posts that we know is which entry of a scan, whatever became of its file and its address: pure.
//!
//! ADR 9 tells the order of the evidence and what happens where it fits two.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use hugo_content::{Entry, Redirects, Scan, Warning, canonical};

use crate::model::post::{Post, PostState};

mod similar;

/// Why an entry was taken for a post that had another key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Both say the same `id`.
    Id,
    /// One of the entry's `aliases` is the post's address.
    Alias,
    /// A redirect rule leads from the post's address to the entry's: the rule's file and line.
    Redirect(String),
    /// The bodies are the same, and no other post has that body.
    Body,
    /// Title and date are the same.
    TitleAndDate,
    /// Of the pages with this title in their folder, one is gone and one has come, and there are no others.
    FolderAndTitle,
    /// It is the only page of its bundle, as the post was.
    OnlyPage,
    /// So many of a hundred words are the same, in the same order.
    Similar(u8),
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id => f.write_str("same id"),
            Self::Alias => f.write_str("alias names the old address"),
            Self::Redirect(rule) => write!(f, "redirect in {rule}"),
            Self::Body => f.write_str("same text"),
            Self::TitleAndDate => f.write_str("same title and date"),
            Self::FolderAndTitle => f.write_str("same folder and title"),
            Self::OnlyPage => f.write_str("the only page of its folder"),
            Self::Similar(percent) => write!(f, "{percent} % of the text is the same"),
        }
    }
}

/// A post that an entry was taken for.
#[derive(Clone, Debug)]
pub(crate) struct Match<'a> {
    /// The post.
    pub(crate) post: &'a Post,
    /// Why, where the post had another key.
    pub(crate) why: Option<Evidence>,
}

/// What [`recognise`] found.
#[derive(Debug, Default)]
pub(crate) struct Recognised<'a> {
    /// Known posts by the key of their entry; an entry without one is new.
    pub(crate) matches: BTreeMap<&'a str, Match<'a>>,
    /// Keys of entries that look like a post which may still be where it was: they wait for a scan that sees all.
    pub(crate) unsure: BTreeSet<&'a str>,
    /// What the operator should know.
    pub(crate) warnings: Vec<Warning>,
}

/// Finds the known post of each entry: one-to-one, the strongest evidence first, and none where it fits two.
pub(crate) fn recognise<'a>(scan: &'a Scan, known: &'a [Post]) -> Recognised<'a> {
    let mut search = Search::new(scan, known);
    search.by_id();
    search.by_unchanged_key();
    search.by_address(&scan.redirects);
    search.by_body();
    search.by_title_and_date();
    search.by_key();
    search.by_similarity();
    search.by_folder(scan, known);
    search.finish(scan)
}

/// Entries and posts that have not found each other yet.
struct Search<'a> {
    entries: BTreeMap<&'a str, &'a Entry>,
    /// Those that may be elsewhere now; posts whose files are there but cannot be read are not among them.
    posts: BTreeMap<&'a str, &'a Post>,
    /// Keys that the scan saw.
    seen: BTreeSet<&'a str>,
    /// Their addresses.
    pages: BTreeSet<String>,
    /// How often each body stands in the scan and in what we remember of posts that are not in it.
    bodies: BTreeMap<&'a str, usize>,
    found: Recognised<'a>,
}

impl<'a> Search<'a> {
    fn new(scan: &'a Scan, known: &'a [Post]) -> Self {
        let entries: BTreeMap<_, _> = scan.entries.iter().map(|entry| (entry.key.as_str(), entry)).collect();
        let posts: BTreeMap<_, _> = known
            .iter()
            .filter(|post| !scan.unreadable.contains(&post.key))
            .map(|post| (post.key.as_str(), post))
            .collect();
        let seen = entries.keys().copied().chain(scan.unreadable.iter().map(String::as_str)).collect();
        let mut bodies = BTreeMap::new();
        for entry in entries.values() {
            *bodies.entry(entry.body_hash.as_str()).or_default() += 1;
        }
        let pages = entries.values().map(|entry| canonical(&entry.url)).collect();
        Self { entries, posts, seen, pages, bodies, found: Recognised::default() }
    }

    fn take(&mut self, entry: &'a Entry, post: &'a Post, why: Option<Evidence>) {
        self.entries.remove(entry.key.as_str());
        self.posts.remove(post.key.as_str());
        let why = why.filter(|_| entry.key != post.key);
        self.found.matches.insert(&entry.key, Match { post, why });
    }

    /// The `id` in the front matter says which post it is, whatever its key; of two with one `id` the one that had
    /// it before keeps it.
    fn by_id(&mut self) {
        let entries = grouped(self.entries.values().copied(), |entry| entry.guid.as_deref());
        let posts = grouped(self.posts.values().copied(), |post| post.entry.guid.as_deref());
        for (id, entries) in entries {
            if let [first, rest @ ..] = entries.as_slice() {
                self.found.warnings.extend(rest.iter().map(|second| doubled_id(id, first, second)));
            }
            let Some(posts) = posts.get(id) else { continue };
            let standing: Vec<_> = posts.iter().copied().filter(|post| post.article_stands).collect();
            let posts = if standing.is_empty() { posts } else { &standing };
            let same_key = entries
                .iter()
                .find_map(|entry| posts.iter().find(|post| post.key == entry.key).map(|post| (*entry, *post)));
            match (same_key, entries.as_slice(), posts.as_slice()) {
                (Some((entry, post)), _, _) => self.take(entry, post, None),
                (None, [entry], [post]) => self.take(entry, post, Some(Evidence::Id)),
                _ => {}
            }
        }
    }

    /// Where it was, and still with its text or its title and date.
    fn by_unchanged_key(&mut self) {
        for (entry, post) in self.at_same_key() {
            if entry.body_hash == post.body_hash || has_same_title_and_date(entry, post) {
                self.take(entry, post, None);
            }
        }
    }

    /// Where it was, rewritten.
    fn by_key(&mut self) {
        for (entry, post) in self.at_same_key() {
            self.take(entry, post, None);
        }
    }

    fn at_same_key(&self) -> Vec<(&'a Entry, &'a Post)> {
        self.entries.iter().filter_map(|(key, entry)| Some((*entry, *self.posts.get(key)?))).collect()
    }

    /// Posts that lost their place, and whose article or history is worth keeping.
    fn movable(&self) -> impl Iterator<Item = &'a Post> + '_ {
        self.posts.values().copied().filter(|post| post.state != PostState::Removed)
    }

    /// The site itself says where the old address leads: an alias of the page there, or a redirect rule. An address
    /// that several pages claim says nothing.
    fn by_address(&mut self, redirects: &Redirects) {
        let mut claims: BTreeMap<String, Vec<(&'a Entry, Evidence)>> = BTreeMap::new();
        let is_new = |entry: &&Entry| !self.posts.contains_key(entry.key.as_str());
        let new: Vec<&'a Entry> = self.entries.values().copied().filter(is_new).collect();
        for entry in &new {
            let aliases: BTreeSet<String> = entry.aliases.iter().map(|alias| canonical(alias)).collect();
            for alias in aliases {
                claims.entry(alias).or_default().push((entry, Evidence::Alias));
            }
        }
        let by_address: BTreeMap<String, &'a Entry> = new.iter().map(|entry| (canonical(&entry.url), *entry)).collect();
        let gone: Vec<&'a Post> = self.movable().filter(|post| !self.seen.contains(post.key.as_str())).collect();
        let mut pairs: Vec<(&'a Entry, &'a Post, Evidence)> = Vec::new();
        for post in gone {
            let claimed = claims.get(&canonical(&post.entry.url)).map(Vec::as_slice);
            match claimed.unwrap_or_default() {
                [(entry, why)] => pairs.push((entry, post, why.clone())),
                [] => {
                    if let Some((to, rule)) = redirects.follow(&post.entry.url, |at| self.pages.contains(at))
                        && let Some(entry) = by_address.get(&canonical(&to))
                    {
                        pairs.push((entry, post, Evidence::Redirect(rule)));
                    }
                }
                _ => {}
            }
        }
        // Several old addresses may lead to one page, as where posts were merged: then the other evidence decides.
        for (entry, post, why) in &pairs {
            if pairs.iter().filter(|(other, ..)| other.key == entry.key).count() == 1 && !ids_differ(entry, post) {
                self.take(entry, post, Some(why.clone()));
            }
        }
    }

    fn by_body(&mut self) {
        type Narrowed = fn(&Entry) -> String;
        let narrowed: [Narrowed; 4] = [
            |entry| format!("{}\0{:?}", entry.title, entry.published),
            |entry| entry.title.clone(),
            |entry| format!("{:?}", entry.published),
            |entry| last_name(&entry.key).to_owned(),
        ];
        let says_something = |entry: &Entry| !entry.content.is_empty();
        for narrow in narrowed {
            self.pair(&Evidence::Body, |entry, hash| {
                says_something(entry).then(|| format!("{hash}\0{}", narrow(entry)))
            });
        }
        // By the text alone only where the site has that text once: "to be written" is no evidence.
        let mut bodies = std::mem::take(&mut self.bodies);
        for post in self.movable() {
            *bodies.entry(post.body_hash.as_str()).or_default() += 1;
        }
        let is_single = |hash: &str| bodies.get(hash).is_some_and(|count| *count == 2);
        self.pair(&Evidence::Body, |entry, hash| (says_something(entry) && is_single(hash)).then(|| hash.to_owned()));
    }

    fn by_title_and_date(&mut self) {
        let titled = |entry: &Entry| (!entry.title.is_empty()).then_some(()).and(entry.published);
        self.pair(&Evidence::TitleAndDate, |entry, _| {
            titled(entry)
                .map(|date| format!("{}\0{date:?}\0{}\0{}", entry.title, entry.language, last_name(&entry.key)))
        });
        self.pair(&Evidence::TitleAndDate, |entry, _| {
            titled(entry).map(|date| format!("{}\0{date:?}\0{}", entry.title, entry.language))
        });
        self.pair(&Evidence::TitleAndDate, |entry, _| titled(entry).map(|date| format!("{}\0{date:?}", entry.title)));
    }

    /// Pairs entries and posts that alone share a mark, made of an entry and the hash of its body.
    fn pair(&mut self, why: &Evidence, mark: impl Fn(&Entry, &str) -> Option<String>) {
        let mut marked: BTreeMap<String, (Vec<&'a Entry>, Vec<&'a Post>)> = BTreeMap::new();
        for entry in self.entries.values() {
            if let Some(mark) = mark(entry, &entry.body_hash) {
                marked.entry(mark).or_default().0.push(entry);
            }
        }
        for post in self.movable() {
            if let Some(mark) = mark(&post.entry, &post.body_hash)
                && let Some((_, posts)) = marked.get_mut(&mark)
            {
                posts.push(post);
            }
        }
        for (entries, posts) in marked.into_values() {
            if let ([entry], [post]) = (entries.as_slice(), posts.as_slice())
                && !ids_differ(entry, post)
            {
                self.take(entry, post, Some(why.clone()));
            }
        }
    }

    fn by_similarity(&mut self) {
        let entries: Vec<&'a Entry> = self.entries.values().copied().collect();
        let posts: Vec<&'a Post> = self.movable().collect();
        let (pairs, not_compared) = similar::pairs(&entries, &posts);
        for (entry, post, percent) in pairs.into_iter().filter(|(entry, post, _)| !ids_differ(entry, post)) {
            self.take(entry, post, Some(Evidence::Similar(percent)));
        }
        if not_compared > 0 {
            let message = format!(
                "{not_compared} pairs of a new and a vanished post were not compared word by word, since there are too many; \
                 a post that was moved, rewritten and given another title or date needs its old address in `aliases`, or an `id`"
            );
            self.found.warnings.push(Warning { file: String::new(), line: None, message });
        }
    }

    /// Renamed within its own folder, and edited: nothing else there can be meant.
    fn by_folder(&mut self, scan: &'a Scan, known: &'a [Post]) {
        let titled =
            |entry: &Entry| (!entry.title.is_empty()).then(|| format!("{}\0{}", folder_of(entry), entry.title));
        let only = |entry: &Entry| Some(folder_of(entry));
        let is_index = |entry: &Entry| last_name(&entry.file).split('.').next() == Some("index");
        let standing = || known.iter().filter(|post| post.state != PostState::Removed).map(|post| &post.entry);
        let alone = |mark: &dyn Fn(&Entry) -> Option<String>| {
            let (seen, before) = (counted(scan.entries.iter().filter_map(mark)), counted(standing().filter_map(mark)));
            let both = seen.into_iter().filter(|(mark, count)| *count == 1 && before.get(mark) == Some(&1));
            both.map(|(mark, _)| mark).collect::<BTreeSet<String>>()
        };
        let names = alone(&titled);
        self.pair(&Evidence::FolderAndTitle, |entry, _| titled(entry).filter(|mark| names.contains(mark)));
        let folders = alone(&only);
        let gone: BTreeMap<String, &'a Post> =
            self.movable().filter_map(|post| Some((only(&post.entry)?, post))).collect();
        let come: Vec<&'a Entry> = self.entries.values().copied().collect();
        for entry in come {
            let folder = folder_of(entry);
            let Some(post) = gone.get(&folder).filter(|_| folders.contains(&folder)) else { continue };
            if (is_index(entry) || is_index(&post.entry)) && !ids_differ(entry, post) {
                self.take(entry, post, Some(Evidence::OnlyPage));
            }
        }
    }

    fn finish(mut self, scan: &Scan) -> Recognised<'a> {
        if scan.complete {
            return self.found;
        }
        // What was not walked may still be there, so what looks like it is perhaps a copy.
        let entries: BTreeMap<&str, &Entry> = scan.entries.iter().map(|entry| (entry.key.as_str(), entry)).collect();
        let is_unsure = |found: &Match<'_>| {
            !matches!(found.why, None | Some(Evidence::Id)) && !self.seen.contains(found.post.key.as_str())
        };
        let unsure: Vec<(&'a str, Match<'a>)> = self
            .found
            .matches
            .iter()
            .filter(|(_, found)| is_unsure(found))
            .map(|(key, found)| (*key, found.clone()))
            .collect();
        for (key, found) in unsure {
            self.found.matches.remove(key);
            self.found.unsure.insert(key);
            let message = format!(
                "it looks like `{}` moved here ({}), but that may still be in what could not be read; it waits for a scan that reads everything",
                found.post.key,
                found.why.map(|why| why.to_string()).unwrap_or_default()
            );
            let file = entries.get(key).map(|entry| entry.file.clone()).unwrap_or_default();
            self.found.warnings.push(Warning { file, line: None, message });
        }
        self.found
    }
}

fn grouped<'a, T: ?Sized>(
    items: impl Iterator<Item = &'a T>,
    key: impl Fn(&'a T) -> Option<&'a str>,
) -> BTreeMap<&'a str, Vec<&'a T>> {
    let mut groups: BTreeMap<&str, Vec<&T>> = BTreeMap::new();
    for item in items {
        if let Some(key) = key(item) {
            groups.entry(key).or_default().push(item);
        }
    }
    groups
}

/// How often each stands among these.
fn counted(marks: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for mark in marks {
        *counts.entry(mark).or_default() += 1;
    }
    counts
}

/// The folder that an entry's file is in, and the language that its key begins with, if it does.
fn folder_of(entry: &Entry) -> String {
    let folder = entry.file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let language = entry.key.split_once(':').map_or("", |(language, _)| language);
    format!("{language}:{folder}")
}

/// Whether both say an `id`, and another one.
fn ids_differ(entry: &Entry, post: &Post) -> bool {
    matches!((&entry.guid, &post.entry.guid), (Some(a), Some(b)) if a != b)
}

fn has_same_title_and_date(entry: &Entry, post: &Post) -> bool {
    !entry.title.is_empty() && entry.title == post.entry.title && entry.published == post.entry.published
}

/// The last part of a key: the file's or bundle's own name, which a move to another folder keeps.
fn last_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

fn doubled_id(id: &str, first: &Entry, second: &Entry) -> Warning {
    Warning {
        file: second.file.clone(),
        line: None,
        message: format!(
            "the id `{id}` stands in {} too; the post that had it first keeps it, give this one another",
            first.file
        ),
    }
}

#[cfg(test)]
mod tests;
