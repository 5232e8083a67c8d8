//! Which files of the content folder are pages, sections' own pages, and resources (docs/hugo.md#which-files-are-posts).

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::config::{Root, Site, SiteConfig};
use super::file::relative;
use crate::rights;
use crate::scan::Warning;

const RENDERED: &[&str] = &["md", "markdown", "mdown", "html", "htm"];
const NOT_YET: &[&str] = &["org", "adoc", "asciidoc", "ad", "rst", "pandoc", "pdc"];

/// Deeper folders than people make; a walk of symbolic links ends here at the latest.
const MAX_DEPTH: usize = 64;

/// A content file that is a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PageFile {
    /// Path below the content folder, without extension, language and `/index`.
    pub(super) key: String,
    /// Its place among the site's languages.
    pub(super) language: usize,
    /// The folder of the section it is in: the nearest above it that has an `_index`, or the top one.
    pub(super) section: String,
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

/// A section's own page, or an author's profile: an `_index` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Branch {
    /// Below the content folder; the folder itself is the empty string.
    pub(super) folder: String,
    /// Its place among the site's languages.
    pub(super) language: usize,
    pub(super) path: PathBuf,
}

/// What the content folders hold.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// By key, then language.
    pub(super) pages: Vec<PageFile>,
    /// By folder, then language.
    pub(super) branches: Vec<Branch>,
    /// Programs that make pages (`_content.gotmpl`), and the folders below the content folder they are in.
    pub(super) adapters: Vec<(String, PathBuf)>,
    /// Whether all could be seen.
    pub(super) complete: bool,
}

/// Walks the content folders. Symbolic links are followed only within the site's folder.
pub(super) fn walk(folder: &Path, site: &Site, warnings: &mut Vec<Warning>) -> Tree {
    let mut tree = Tree { complete: true, ..Tree::default() };
    let real_folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let mut files = Vec::new();
    for root in &site.roots {
        let outward = RefCell::new(Vec::new());
        let keep = |entry: &DirEntry| {
            let wanted = entry.depth() == 0 || wanted(entry, root, site);
            let leads_out = wanted && entry.path_is_symlink() && !is_within(entry.path(), &real_folder);
            if leads_out && (entry.file_type().is_dir() || is_content(entry.path())) {
                outward.borrow_mut().push(entry.path().to_owned());
            }
            wanted && !leads_out
        };
        let walker = WalkDir::new(&root.folder)
            .follow_links(true)
            .max_depth(MAX_DEPTH)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(keep);
        for item in walker {
            match item {
                // What is no ordinary file is told of by whoever reads it.
                Ok(entry) if !entry.file_type().is_dir() && is_content(entry.path()) => {
                    files.extend(named(entry.into_path(), root, site));
                }
                Ok(entry) if is_adapter(&entry) => {
                    tree.adapters.push((folder_of(entry.path(), root), entry.into_path()));
                }
                Ok(entry) if entry.file_type().is_dir() && entry.depth() == MAX_DEPTH => {
                    tree.complete = false;
                    let message = format!(
                        "what lies {MAX_DEPTH} folders deep and deeper is not read, so nothing counts as removed in this scan"
                    );
                    warnings.push(Warning { file: relative(folder, entry.path()), line: None, message });
                }
                Ok(_) => {}
                Err(error) => fault(folder, &error, &mut tree, warnings),
            }
        }
        warnings.extend(outward.into_inner().into_iter().map(|path| Warning {
            file: relative(folder, &path),
            line: None,
            message: "this link leads out of the site's folder and was not followed".to_owned(),
        }));
    }
    sort_out(files, &mut tree);
    tree
}

fn fault(folder: &Path, error: &walkdir::Error, tree: &mut Tree, warnings: &mut Vec<Warning>) {
    // A link to nowhere or into itself hides nothing.
    let harmless = error.loop_ancestor().is_some()
        || error.path().is_some_and(|path| path.symlink_metadata().is_ok_and(|meta| meta.is_symlink()));
    tree.complete &= harmless;
    let message = if harmless {
        "this link leads nowhere or into itself and was passed over".to_owned()
    } else {
        let reason = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
        let is_denied = error.io_error().is_some_and(|error| error.kind() == ErrorKind::PermissionDenied);
        let advice = error.path().filter(|_| is_denied).map_or_else(|| "see to its disk".to_owned(), rights::advice);
        format!("it could not be read ({reason}), so nothing counts as removed in this scan; {advice}")
    };
    let file = error.path().map(|path| relative(folder, path)).unwrap_or_default();
    warnings.push(Warning { file, line: None, message });
}

fn wanted(entry: &DirEntry, root: &Root, site: &Site) -> bool {
    let name = entry.file_name().to_string_lossy();
    if name.starts_with(['.', '#']) || name.ends_with('~') {
        return false;
    }
    let path = entry.path().to_string_lossy().replace('\\', "/");
    let ignored = |language: &SiteConfig| language.ignore_files.iter().any(|pattern| pattern.is_match(&path));
    if site.languages.get(root.language).is_some_and(ignored) {
        return false;
    }
    // A content folder within another is read for itself.
    !site.roots.iter().any(|other| other.folder == entry.path())
}

/// Whether a path leads into a folder, whatever links are on the way.
pub(super) fn is_within(path: &Path, folder: &Path) -> bool {
    let real = folder.canonicalize();
    path.canonicalize().is_ok_and(|target| target.starts_with(real.as_deref().unwrap_or(folder)))
}

fn is_adapter(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    entry.file_type().is_file() && name.starts_with("_content.") && name.ends_with(".gotmpl")
}

/// Below the content folder.
fn folder_of(path: &Path, root: &Root) -> String {
    let folder = path.parent().map(|parent| relative(&root.folder, parent)).unwrap_or_default();
    let parts = [root.below.as_str(), folder.as_str()].into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("/")
}

fn is_content(path: &Path) -> bool {
    let extension = extension(path);
    RENDERED.contains(&extension.as_str()) || NOT_YET.contains(&extension.as_str())
}

fn extension(path: &Path) -> String {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// A content file, its folder below the content folder, and its name without extension and language.
struct Named {
    path: PathBuf,
    folder: String,
    name: String,
    language: usize,
    /// Whether the language stands in its name.
    is_explicit: bool,
}

/// `None` for a file of a language that is not built.
fn named(path: PathBuf, root: &Root, site: &Site) -> Option<Named> {
    let folder = folder_of(&path, root);
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    // The language in a name goes before the folder's.
    let own = stem.rsplit_once('.');
    if own.is_some_and(|(_, key)| site.disabled.contains(&key.to_lowercase())) {
        return None;
    }
    let own = own.and_then(|(name, key)| Some((name.to_owned(), site.position(key)?)));
    let is_explicit = own.is_some();
    let (name, language) = own.unwrap_or((stem, root.language));
    Some(Named { path, folder, name, language, is_explicit })
}

fn sort_out(mut files: Vec<Named>, tree: &mut Tree) {
    // Of a.en.md, a.md and a.html, Hugo takes the first.
    let rank = |path: &Path| RENDERED.iter().chain(NOT_YET).position(|known| *known == extension(path));
    files.sort_by_cached_key(|file| (!file.is_explicit, rank(&file.path)));
    let bundles: HashSet<String> =
        files.iter().filter(|file| file.name == "index").map(|file| file.folder.clone()).collect();
    let (mut keys, mut folders) = (HashSet::new(), HashSet::new());
    for file in files {
        let Named { path, folder, name, language, .. } = file;
        let is_bundle = name == "index";
        if inside(&bundles, &folder, is_bundle) {
            continue;
        }
        if name == "_index" {
            if folders.insert((folder.clone(), language)) {
                tree.branches.push(Branch { folder, language, path });
            }
            continue;
        }
        let key = match (is_bundle, folder.as_str()) {
            (true, folder) => folder.to_owned(),
            (false, "") => name,
            (false, folder) => format!("{folder}/{name}"),
        };
        // Two files of one key, like a.md and a.html, are one page.
        if keys.insert((key.clone(), language)) {
            let bundle = is_bundle.then(|| path.parent().map(Path::to_owned)).flatten();
            tree.pages.push(PageFile { key, language, section: String::new(), path, bundle });
        }
    }
    for page in &mut tree.pages {
        page.section = section(&page.key, page.language, &folders);
    }
    tree.pages.sort_by(|a, b| (&a.key, a.language).cmp(&(&b.key, b.language)));
    tree.branches.sort_by(|a, b| (&a.folder, a.language).cmp(&(&b.folder, b.language)));
}

fn section(key: &str, language: usize, branches: &HashSet<(String, usize)>) -> String {
    let mut folder = key.rsplit_once('/').map_or("", |(folder, _)| folder);
    while let Some((parent, _)) = folder.rsplit_once('/') {
        if branches.contains(&(folder.to_owned(), language)) {
            break;
        }
        folder = parent;
    }
    folder.to_owned()
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
