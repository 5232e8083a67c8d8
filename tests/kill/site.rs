//! The Hugo site whose posts are published while the server dies.

use std::fs;
use std::path::{Path, PathBuf};

use clock::Clock;

/// Who writes: the posts are theirs in turn.
pub(crate) const AUTHORS: [&str; 2] = ["ann", "ben"];

const SETTINGS: &str = r#"baseURL = "https://site.test/"
title = "Site"
languageCode = "en"

[permalinks]
post = "/post/:slug/"

[taxonomies]
author = "authors"
"#;

#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) folder: PathBuf,
}

impl Site {
    /// A site with a profile and one old post for each author, which the first import lists and does not push.
    pub(crate) fn new(folder: &Path) -> Self {
        let site = Self { folder: folder.to_owned() };
        site.write("hugo.toml", SETTINGS);
        for author in AUTHORS {
            site.write(&format!("content/authors/{author}/_index.md"), &format!("---\ntitle: {author}\n---\n"));
            let post = format!("---\ntitle: Before {author}\ndate: 2024-01-01\nauthors: [{author}]\n---\nOld.\n");
            site.write(&format!("content/post/before-{author}.md"), &post);
        }
        site
    }

    /// Publishes post `number`, dated now.
    pub(crate) fn publish(&self, number: usize) {
        let (title, author) = (title(number), author_of(number));
        let now = Clock::system().now().rfc3339();
        let text = "A paragraph about the crossing, which is long enough to be worth sending.\n\n".repeat(5);
        let post = format!("---\ntitle: {title}\ndate: {now}\nauthors: [{author}]\nslug: post-{number}\n---\n{text}");
        self.write(&format!("content/post/post-{number:02}.md"), &post);
    }

    /// Written aside and renamed, so that no scan ever sees half a file.
    fn write(&self, path: &str, text: &str) {
        let file = self.folder.join(path);
        let folder = file.parent().expect("a folder");
        fs::create_dir_all(folder).expect("a folder can be made");
        let aside = folder.join(format!(".{}", file.file_name().expect("a name").to_string_lossy()));
        fs::write(&aside, text).expect("a file can be written");
        fs::rename(&aside, &file).expect("a file can be renamed");
    }
}

/// The title of post `number`, by which it is known again.
pub(crate) fn title(number: usize) -> String {
    format!("Post {number:02}")
}

pub(crate) fn author_of(number: usize) -> &'static str {
    AUTHORS[number % AUTHORS.len()]
}
