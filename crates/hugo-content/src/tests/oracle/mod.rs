//! Real Hugo as the judge: each `hugo` on this machine lists trees of every shape, and we must say the same
//! (docs/hugo.md#addresses).

mod differences;
mod generated;
mod hidden;
mod more_shapes;
mod program;
mod shapes;

use std::collections::BTreeMap;
use std::path::Path;

use self::differences::{Case, Difference, known};
use self::program::{Hugo, Row};
use super::*;
use crate::entry::Visibility;

/// A site for both to read.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    pub(super) name: String,
    /// Path and text; `hugo.yaml` is among them.
    pub(super) files: Vec<(String, String)>,
    /// The first minor version of Hugo 0.x that knows what the tree needs.
    pub(super) since: u32,
    /// From this minor version of Hugo 0.x on, it may stop at this tree, which we read all the same.
    pub(super) refused_since: Option<u32>,
}

impl Tree {
    /// A tree with this configuration beside what each tree needs.
    pub(super) fn new(name: &str, config: &str) -> Self {
        let needed = "baseURL: https://site.example/\nsecurity: {allowContent: ['.*']}\n";
        let config = ("hugo.yaml".to_owned(), format!("{needed}{config}\n"));
        Self { name: name.to_owned(), files: vec![config], ..Self::default() }
    }

    /// With another file.
    pub(super) fn file(mut self, path: &str, text: &str) -> Self {
        self.files.push((path.to_owned(), text.to_owned()));
        self
    }

    /// With posts named `<n>.md` of these front matters, in YAML.
    pub(super) fn heads(mut self, folder: &str, heads: &[&str]) -> Self {
        for (n, head) in heads.iter().enumerate() {
            self = self.file(&format!("content/{folder}/p{n:02}.md"), &format!("---\n{head}\n---\nText.\n"));
        }
        self
    }

    /// With a post of each name.
    pub(super) fn names(mut self, folder: &str, names: &[&str]) -> Self {
        for name in names {
            self =
                self.file(&format!("content/{folder}/{name}"), "---\ntitle: A Title\ndate: 2024-03-05\n---\nText.\n");
        }
        self
    }

    fn write(&self, root: &Path) {
        for (name, text) in &self.files {
            let file = root.join(name);
            std::fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
            std::fs::write(&file, text).expect("a file");
            let day = std::time::UNIX_EPOCH + std::time::Duration::from_hours(24 * 19_000);
            std::fs::File::options().write(true).open(&file).expect("the file").set_modified(day).expect("a time");
        }
    }
}

/// What counts of a post.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    url: String,
    date: Option<Timestamp>,
    visibility: Visibility,
}

fn ours(root: &Path) -> (BTreeMap<String, Said>, Scan) {
    let public_url = Url::parse("https://site.example/").expect("an address");
    let sections = ["post", "news", "blog", "docs"].map(str::to_owned).to_vec();
    let scan = scan(&Settings::new(root.to_owned(), public_url, sections), Memory::new(), now(), &mut |_, _| {})
        .expect("a scan");
    // Hugo lists whole seconds.
    let seconds = |at: Timestamp| Timestamp::from_millis(at.seconds() * 1000);
    let said = |entry: &Entry| Said {
        url: if entry.visibility == Visibility::Withheld { String::new() } else { entry.url.clone() },
        date: entry.published.map(seconds),
        visibility: entry.visibility,
    };
    (by_file(scan.entries.iter().map(|entry| (entry.file.clone(), said(entry)))), scan)
}

/// By file, and by address where a file is a page in several languages.
fn by_file(posts: impl Iterator<Item = (String, Said)>) -> BTreeMap<String, Said> {
    let mut posts: Vec<_> = posts.collect();
    posts.sort_by(|a, b| (&a.0, &a.1.url).cmp(&(&b.0, &b.1.url)));
    let mut all = BTreeMap::new();
    for (mut file, said) in posts {
        while all.contains_key(&file) {
            file.push('*');
        }
        all.insert(file, said);
    }
    all
}

fn hugos(row: &Row) -> Said {
    let time = |text: &str| Timestamp::parse_rfc3339(text).filter(|_| !text.starts_with("000"));
    let visibility = match (row.draft, time(&row.publish), time(&row.expiry)) {
        // A page that the site does not make has no address.
        _ if row.permalink.is_empty() => Visibility::Withheld,
        (true, ..) => Visibility::Draft,
        (_, _, Some(expiry)) if expiry <= now() => Visibility::Expired,
        (_, Some(at), _) if at > now() => Visibility::Scheduled { at },
        (_, _, until) => Visibility::Public { until },
    };
    Said { url: row.permalink.clone(), date: time(&row.date), visibility }
}

/// What we say otherwise than this Hugo does, without what `differences` explains.
fn compare(tree: &Tree, hugo: &Hugo, used: &mut Vec<&'static str>) -> Vec<String> {
    let site = tempfile::tempdir().expect("a folder");
    tree.write(site.path());
    let rows = match hugo.list(site.path()) {
        Err(_) if tree.refused_since.is_some_and(|since| hugo.minor >= since) => return Vec::new(),
        Err(error) => return vec![format!("{}: Hugo 0.{} fails: {error}", tree.name, hugo.minor)],
        Ok(rows) => rows,
    };
    let (ours, scan) = ours(site.path());
    let hugos = by_file(rows.iter().map(|row| (row.path.clone(), hugos(row))));
    let mut files: Vec<&String> = ours.keys().chain(hugos.keys()).collect();
    files.sort();
    files.dedup();
    let known = known();
    let mut faults = Vec::new();
    for file in files {
        let (we, they) = (ours.get(file), hugos.get(file));
        if we == they || scan.warnings.iter().any(|warning| warning.file == *file && we.is_none()) {
            continue;
        }
        let case = Case { tree: &tree.name, config: &tree.files[0].1, file, we, they };
        match known.iter().find(|known| known.explains(hugo.minor, &case)) {
            Some(Difference { why, .. }) => used.push(why),
            None => faults.push(format!(
                "{}, 0.{}: {file}\n  we:   {}\n  Hugo: {}",
                tree.name,
                hugo.minor,
                shown(we),
                shown(they)
            )),
        }
    }
    faults
}

fn shown(said: Option<&Said>) -> String {
    said.map_or("nothing".to_owned(), |said| {
        format!("{} {} {:?}", said.url, said.date.map_or("-".to_owned(), Timestamp::rfc3339), said.visibility)
    })
}

fn judge(trees: &[Tree]) -> Vec<&'static str> {
    let (mut faults, mut used) = (Vec::new(), Vec::new());
    for hugo in program::all() {
        for tree in trees.iter().filter(|tree| tree.since <= hugo.minor) {
            faults.extend(compare(tree, &hugo, &mut used));
        }
    }
    assert!(faults.is_empty(), "{} differences:\n{}", faults.len(), faults.join("\n"));
    used
}

#[test]
fn every_shape_is_listed_as_hugo_lists_it() {
    let used = judge(&shapes::all());
    let minors: Vec<u32> = program::all().iter().map(|hugo| hugo.minor).collect();
    for known in known() {
        let asked = minors.iter().any(|minor| known.of.contains(minor));
        assert!(!asked || used.contains(&known.why), "nothing shows this difference any more: {}", known.why);
    }
}

#[test]
fn generated_trees_are_listed_as_hugo_lists_them() {
    judge(&generated::all());
}
