//! A Hugo site in a temporary folder, written and changed by the tests as an author would.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

const SETTINGS: &str = r#"baseURL = "https://example.org/"
title = "Example"
defaultContentLanguage = "en"
timeZone = "UTC"

[taxonomies]
author = "authors"
tag = "tags"
"#;

/// The site's folder; gone with the value.
pub(crate) struct Site(TempDir);

impl Site {
    pub(crate) fn new() -> Self {
        let site = Self(tempfile::tempdir().expect("a temporary folder"));
        site.write("hugo.toml", SETTINGS);
        site
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes any file, by its path within the site.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let file = self.0.path().join(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, text).expect("a file");
    }

    pub(crate) fn author(&self, slug: &str, name: &str) {
        self.write(&format!("content/authors/{slug}/_index.md"), &format!("---\ntitle: {name}\n---\nWrites.\n"));
    }

    pub(crate) fn post(&self, slug: &str, title: &str, body: &str, authors: &[&str], date: &str) {
        self.page(slug, &format!("title: {title}\ndate: {date}\nauthors: [{}]", authors.join(", ")), body);
    }

    /// A post with any front matter.
    pub(crate) fn page(&self, slug: &str, front_matter: &str, body: &str) {
        self.write(&format!("content/post/{slug}/index.md"), &format!("---\n{front_matter}\n---\n\n{body}\n"));
    }

    pub(crate) fn folder_of(&self, slug: &str) -> PathBuf {
        self.0.path().join("content/post").join(slug)
    }

    pub(crate) fn remove(&self, slug: &str) {
        fs::remove_dir_all(self.folder_of(slug)).expect("the post's folder");
    }

    pub(crate) fn rename(&self, slug: &str, to: &str) {
        fs::rename(self.folder_of(slug), self.folder_of(to)).expect("the post's folder");
    }

    /// Changes a part of a post's file, which must be there.
    pub(crate) fn replace(&self, slug: &str, before: &str, after: &str) {
        let file = self.folder_of(slug).join("index.md");
        let text = fs::read_to_string(&file).expect("the post's file");
        assert!(text.contains(before), "{slug} holds no `{before}`");
        fs::write(file, text.replace(before, after)).expect("a file");
    }
}

/// Copies a folder with everything in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.expect("a readable folder");
        let target = to.join(entry.path().strip_prefix(from).expect("a path below"));
        if entry.file_type().is_dir() {
            fs::create_dir_all(target).expect("a folder");
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
