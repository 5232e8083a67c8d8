//! Which files of the content folder are pages, sections' own pages, and resources (sources 1.1).

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::config::{SiteConfig, relative};
use crate::source::scan::Warning;

const RENDERED: &[&str] = &["md", "markdown", "mdown", "html", "htm"];
const NOT_YET: &[&str] = &["org", "adoc", "asciidoc", "ad", "rst", "pandoc", "pdc"];

/// Deeper folders than people make; a walk of symbolic links ends here at the latest.
const MAX_DEPTH: usize = 64;

/// A content file that is a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PageFile {
    /// Path below the content folder, without extension, language and `/index`.
    pub(super) key: String,
    pub(super) path: PathBuf,
    /// The bundle's folder, if the page is a leaf bundle.
    pub(super) bundle: Option<PathBuf>,
}

impl PageFile {
    /// Whether the file is HTML rather than Markdown.
    pub(super) fn is_html(&self) -> bool {
        matches!(extension(&self.path).as_str(), "html" | "htm")
    }

    /// Whether we can read this kind of file.
    pub(super) fn is_readable_kind(&self) -> bool {
        RENDERED.contains(&extension(&self.path).as_str())
    }
}

/// What a content folder holds.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// In the order of their keys.
    pub(super) pages: Vec<PageFile>,
    /// `_index` files by folder below the content folder; the folder itself is the empty string.
    pub(super) branches: BTreeMap<String, PathBuf>,
    /// Files left aside because they belong to a language that is not read.
    pub(super) other_languages: usize,
    /// Whether all could be seen.
    pub(super) complete: bool,
}

/// Walks the content folder. Symbolic links are followed only within the site's folder.
pub(super) fn walk(root: &Path, config: &SiteConfig, warnings: &mut Vec<Warning>) -> Tree {
    let mut tree = Tree { complete: true, ..Tree::default() };
    let real_root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let keep = |entry: &DirEntry| entry.depth() == 0 || wanted(entry, config, &real_root);
    let walker = WalkDir::new(&config.content_dir)
        .follow_links(true)
        .max_depth(MAX_DEPTH)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(keep);
    let mut files = Vec::new();
    for item in walker {
        match item {
            Ok(entry) if entry.file_type().is_file() && is_content(entry.path()) => files.push(entry.into_path()),
            Ok(_) => {}
            Err(error) => {
                // A link to nowhere or into itself hides nothing.
                let harmless = error.loop_ancestor().is_some()
                    || error.path().is_some_and(|path| path.symlink_metadata().is_ok_and(|meta| meta.is_symlink()));
                tree.complete &= harmless;
                warnings.push(Warning {
                    file: error.path().map(|path| relative(root, path)).unwrap_or_default(),
                    line: None,
                    message: if harmless {
                        "this link leads nowhere or into itself and was passed over".to_owned()
                    } else {
                        format!("it could not be read ({}), so nothing counts as removed in this scan; mend its permissions", reason(&error))
                    },
                });
            }
        }
    }
    sort_out(files, config, &mut tree);
    tree
}

fn reason(error: &walkdir::Error) -> String {
    error.io_error().map_or_else(|| error.to_string(), ToString::to_string)
}

fn wanted(entry: &DirEntry, config: &SiteConfig, real_root: &Path) -> bool {
    let name = entry.file_name().to_string_lossy();
    if name.starts_with(['.', '#']) || name.ends_with('~') {
        return false;
    }
    let path = entry.path().to_string_lossy().replace('\\', "/");
    if config.ignore_files.iter().any(|pattern| pattern.is_match(&path)) {
        return false;
    }
    !entry.path_is_symlink() || is_within(entry.path(), real_root)
}

/// Whether a path leads into a folder, whatever links are on the way.
pub(super) fn is_within(path: &Path, folder: &Path) -> bool {
    let real = folder.canonicalize();
    path.canonicalize().is_ok_and(|target| target.starts_with(real.as_deref().unwrap_or(folder)))
}

fn is_content(path: &Path) -> bool {
    let extension = extension(path);
    RENDERED.contains(&extension.as_str()) || NOT_YET.contains(&extension.as_str())
}

fn extension(path: &Path) -> String {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// A content file's folder below the content folder, its name without extension and language, and whether it is of
/// the default language.
struct Named {
    path: PathBuf,
    folder: String,
    name: String,
    ours: bool,
}

fn named(path: PathBuf, config: &SiteConfig) -> Named {
    let folder = path.parent().map(|parent| relative(&config.content_dir, parent)).unwrap_or_default();
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let (name, ours) = match stem.rsplit_once('.') {
        Some((name, language)) if language.to_lowercase() == config.language_key => (name.to_owned(), true),
        Some((name, language)) if config.other_languages.contains(&language.to_lowercase()) => (name.to_owned(), false),
        _ => (stem, true),
    };
    Named { path, folder, name, ours }
}

fn sort_out(files: Vec<PathBuf>, config: &SiteConfig, tree: &mut Tree) {
    let files: Vec<Named> = files.into_iter().map(|path| named(path, config)).collect();
    let bundles: HashSet<String> =
        files.iter().filter(|file| file.name == "index").map(|file| file.folder.clone()).collect();
    let mut keys = BTreeSet::new();
    for file in files {
        let is_bundle = file.name == "index";
        if inside(&bundles, &file.folder, is_bundle) {
            continue;
        }
        if !file.ours {
            tree.other_languages += 1;
            continue;
        }
        if file.name == "_index" {
            tree.branches.entry(file.folder).or_insert(file.path);
            continue;
        }
        let key = match (is_bundle, file.folder.as_str()) {
            (true, folder) => folder.to_owned(),
            (false, "") => file.name.clone(),
            (false, folder) => format!("{folder}/{}", file.name),
        };
        // Two files of one key, like a.md and a.html, are one page.
        if keys.insert(key.clone()) {
            let bundle = is_bundle.then(|| file.path.parent().map(Path::to_owned)).flatten();
            tree.pages.push(PageFile { key, path: file.path, bundle });
        }
    }
    tree.pages.sort_by(|a, b| a.key.cmp(&b.key));
}

/// Whether a file in this folder is a resource of a leaf bundle there or above.
fn inside(bundles: &HashSet<String>, folder: &str, is_index: bool) -> bool {
    let mut above = folder;
    if bundles.contains(above) && !is_index {
        return true;
    }
    while let Some((parent, _)) = above.rsplit_once('/') {
        if bundles.contains(parent) {
            return true;
        }
        above = parent;
    }
    !folder.is_empty() && bundles.contains("")
}
