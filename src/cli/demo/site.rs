//! The sample site of the demo: a harbour town's notes, carried inside the program and written to disk when asked.

use std::path::Path;
use std::{fs, io};

/// Pairs each file's path within the site with its content.
macro_rules! files {
    ($($path:literal),+ $(,)?) => { &[$(($path, include_str!(concat!("sample_site/", $path)))),+] };
}

/// Every file of the site. All dates lie in the past; the post of today is the demo's own to write.
const FILES: &[(&str, &str)] = files![
    "content/_index.md",
    "content/authors/joris-dekker/_index.md",
    "content/authors/maren-oldham/_index.md",
    "content/authors/priya-nair/_index.md",
    "content/post/a-piano-crosses-the-sand.md",
    "content/post/counting-terns.md",
    "content/post/how-to-open-a-toaster.md",
    "content/post/lifejackets-draft.md",
    "content/post/minutes-of-the-spring-meeting.md",
    "content/post/new-timetable/index.md",
    "content/post/repair-cafe-first-year/bench.svg",
    "content/post/repair-cafe-first-year/index.md",
    "content/post/the-crossing-in-fog/index.md",
    "content/post/what-the-tide-table-does-not-say.md",
    "content/post/winter-lay-up/hull.svg",
    "content/post/winter-lay-up/index.md",
    "content/post/zaterdagochtend-in-de-zeilloft.md",
    "hugo.toml",
];

/// How many posts the site has, drafts among them.
pub(super) fn post_count() -> usize {
    let is_page = |path: &Path| path.extension().is_some_and(|kind| kind == "md");
    FILES.iter().filter(|(path, _)| path.starts_with("content/post/") && is_page(Path::new(path))).count()
}

/// Writes the site into the folder `into`, which is made if it is not there; files of the same name are replaced.
///
/// # Errors
/// When a folder or file cannot be written.
pub fn write_site(into: &Path) -> io::Result<()> {
    for (path, content) in FILES {
        let file = into.join(path);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(file, content)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use super::*;

    fn tree(root: &Path) -> BTreeMap<PathBuf, String> {
        walkdir::WalkDir::new(root)
            .into_iter()
            .map(|entry| entry.expect("an entry"))
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                let path = entry.path().strip_prefix(root).expect("a file of the tree").to_owned();
                (path, fs::read_to_string(entry.path()).expect("a text"))
            })
            .collect()
    }

    #[test]
    fn the_program_carries_the_whole_site() {
        let folder = tempfile::tempdir().expect("a folder");
        let into = folder.path().join("new");
        write_site(&into).expect("a site");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/demo/sample_site");
        assert_eq!(tree(&into), tree(&source));
    }

    #[test]
    fn every_post_has_authors_with_profiles() {
        let posts: Vec<_> = FILES.iter().filter(|(path, _)| path.starts_with("content/post/")).collect();
        let slugs: Vec<&str> = FILES
            .iter()
            .filter_map(|(path, _)| path.strip_prefix("content/authors/")?.strip_suffix("/_index.md"))
            .collect();
        assert_eq!(slugs.len(), 3);
        let pages: Vec<_> =
            posts.iter().filter(|(path, _)| Path::new(path).extension().is_some_and(|kind| kind == "md")).collect();
        assert!(pages.len() > 10);
        assert_eq!(pages.len(), post_count());
        for (path, content) in pages {
            assert!(slugs.iter().any(|slug| content.contains(slug)), "{path} has no author with a profile");
        }
    }
}
