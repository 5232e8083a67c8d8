//! The Hugo connector: reads a Hugo site's own source files as Hugo does, without running Hugo.

mod authors;
mod cascade;
mod config;
mod content;
mod dates;
mod frontmatter;
mod golang;
mod identity;
mod images;
mod language;
mod markdown;
mod marker;
mod markup;
mod matcher;
mod page;
mod passthrough;
mod paths;
mod permalink;
mod profiles;
mod redirects;
mod shortcodes;
mod summary;
mod tokens;
mod typographer;
mod walk;
mod yaml;

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;
use url::Url;

use self::authors::Authors;
use self::cascade::Cascades;
use self::config::{Root, Site, SiteConfig, relative};
use self::frontmatter::Document;
#[doc(hidden)]
pub use self::frontmatter::lines;
use self::matcher::Kind;
use self::page::{Page, SiteFacts};
use self::profiles::Origin;
use self::walk::{PageFile, Tree};
use super::scan::{Scan, Warning};
use crate::clock::Timestamp;

/// Bytes; no page that people wrote is longer.
const MAX_FILE: u64 = 2 * 1024 * 1024;

/// Sections taken for posts where the operator names none (sources 1.1).
const USUAL_SECTIONS: &[&str] = &["post", "posts", "blog", "news", "article", "articles"];

/// Which site, and what of it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The site's folder, where its configuration is.
    pub root: PathBuf,
    /// The address under which the site is public; its own `baseURL` is often set only at the build.
    pub public_url: Url,
    /// First folders below the content folder whose pages are posts, as `post` or `blog/tech`; when empty, the
    /// usual ones.
    pub sections: Vec<String>,
    /// Keys of the languages whose posts are taken; when empty, all.
    pub languages: Vec<String>,
    /// Whose configuration counts, as `hugo --environment` has it.
    pub environment: String,
    /// Whether authors' links, roles and organisations become profile fields.
    pub profile_fields: bool,
    /// Whether a post's language is detected where the site does not say it.
    pub detect_language: bool,
}

impl Settings {
    /// A site with all its languages as `hugo` builds it by default.
    #[must_use]
    pub fn new(root: PathBuf, public_url: Url, sections: Vec<String>) -> Self {
        Self {
            root,
            public_url,
            sections,
            languages: Vec::new(),
            environment: "production".to_owned(),
            profile_fields: false,
            detect_language: true,
        }
    }
}

/// Why a site cannot be scanned at all.
#[derive(Debug, Error)]
pub enum ScanError {
    /// The folder is not there.
    #[error("the site folder {} is not there; set `path` of the source to the folder that holds the site's configuration", root.display())]
    NoFolder {
        /// The folder.
        root: PathBuf,
    },
    /// The folder is no Hugo site.
    #[error("{} holds no Hugo configuration (hugo.toml, hugo.yaml, config.toml, config/_default …); set `path` of the source to the site's own folder", root.display())]
    NoConfiguration {
        /// The folder.
        root: PathBuf,
    },
    /// The configuration cannot be read.
    #[error("the site's configuration cannot be read: {file}{}: {why}; mend it so that `hugo` builds the site, then sync again", at_line(*line))]
    Configuration {
        /// Relative to the site's folder.
        file: String,
        /// Counted from 1.
        line: Option<u64>,
        /// What is wrong.
        why: String,
    },
    /// The content folder is not there.
    #[error("the content folder {} is not there; check `contentDir` in the site's configuration", folder.display())]
    NoContent {
        /// The folder.
        folder: PathBuf,
    },
}

fn at_line(line: Option<u64>) -> String {
    line.map(|line| format!(", line {line}")).unwrap_or_default()
}

/// Reads the whole site as it is at `now`. `progress` hears of the files done and the files in all.
///
/// # Errors
/// Only when there is no site to read: see [`ScanError`]. What is wrong with single files is told in the scan's
/// warnings, and their posts stand in its `unreadable`.
pub fn scan(settings: &Settings, now: Timestamp, progress: &mut dyn FnMut(u64, u64)) -> Result<Scan, ScanError> {
    if !settings.root.is_dir() {
        return Err(ScanError::NoFolder { root: settings.root.clone() });
    }
    let mut scan = Scan::default();
    let site = config::load(&settings.root, &settings.environment, &mut scan.warnings)?;
    let tree = walk::walk(&settings.root, &site, &mut scan.warnings);
    scan.complete = tree.complete;
    scan.redirects = redirects::read(&settings.root, &settings.public_url, &mut scan.warnings);
    let mut reader = Reader { settings, site: &site, scan, closed: Vec::new() };
    reader.tell_of_gaps();
    reader.tell_of_adapters(&tree);
    let posts: Vec<&PageFile> = tree.pages.iter().filter(|file| reader.is_post(file)).collect();
    let all = count(posts.len() + tree.branches.len());

    let (authors, cascades) = reader.branches(&tree);
    let mut done = count(tree.branches.len());
    progress(done, all);
    let mut pages = Vec::with_capacity(posts.len());
    for file in posts {
        pages.extend(reader.page(file, &cascades));
        done += 1;
        progress(done, all);
    }
    Ok(reader.finish(&pages, authors, now))
}

/// A scan under way.
struct Reader<'a> {
    settings: &'a Settings,
    site: &'a Site,
    scan: Scan,
    /// Sections whose own page cannot be read: folder, language and that page.
    closed: Vec<(String, usize, String)>,
}

/// Per language, in the site's order.
type PerLanguage<T> = Vec<T>;

impl<'a> Reader<'a> {
    fn warn(&mut self, file: &str, line: Option<u64>, message: String) {
        self.scan.warnings.push(Warning { file: file.to_owned(), line, message });
    }

    /// The configuration of a language, and where that language is public.
    fn language(&self, place: usize) -> Option<(&'a SiteConfig, &'a Url)> {
        self.site.languages.get(place).map(|config| (config, config.public_url(&self.settings.public_url)))
    }

    fn is_post(&self, file: &PageFile) -> bool {
        let Some((config, _)) = self.language(file.language) else { return false };
        let wanted = &self.settings.languages;
        (wanted.is_empty() || wanted.iter().any(|key| key.eq_ignore_ascii_case(&config.language_key)))
            && file.key.rsplit_once('/').is_some_and(|(folder, _)| self.holds_posts(folder))
    }

    /// Whether a folder below the content folder is of a section whose pages are posts.
    fn holds_posts(&self, folder: &str) -> bool {
        let within = |section: &str| {
            let section = section.trim_matches('/');
            folder.get(..section.len()).is_some_and(|start| start.eq_ignore_ascii_case(section))
                && folder.get(section.len()..).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        match self.settings.sections.as_slice() {
            [] => USUAL_SECTIONS.iter().any(|section| within(section)),
            sections => sections.iter().any(|section| within(section)),
        }
    }

    /// Says what the operator asks for and the site has not.
    fn tell_of_gaps(&mut self) {
        let (settings, site) = (self.settings, self.site);
        let folder = site.roots.first().map(|root| relative(&settings.root, &root.folder)).unwrap_or_default();
        for section in &settings.sections {
            let section = section.trim_matches('/');
            let there = |root: &Root| match section.strip_prefix(root.below.as_str()) {
                Some(rest) => root.folder.join(rest.trim_matches('/')).is_dir(),
                None => Path::new(&root.below).starts_with(section),
            };
            if !site.roots.iter().any(there) {
                let message = format!("there is no section `{section}`; check `sections` of the source");
                self.warn(&folder, None, message);
            }
        }
        if site.git_info {
            let message = "`enableGitInfo` is on, but dates are not read from git yet: a post's last change is what its front \
                           matter says";
            self.warn("the site configuration", None, message.to_owned());
        }
        for key in settings.languages.iter().filter(|key| site.position(key).is_none()) {
            let known: Vec<&str> = site.languages.iter().map(|language| language.language_key.as_str()).collect();
            let message = format!(
                "the site has no language `{key}`, it has {}; check `languages` of the source",
                known.join(", ")
            );
            self.warn(&folder, None, message);
        }
    }

    fn tell_of_adapters(&mut self, tree: &Tree) {
        for (folder, path) in &tree.adapters {
            if self.holds_posts(folder) {
                let message =
                    "the pages that this program makes are not read, since only Hugo can run it; posts must be files";
                self.warn(&relative(&self.settings.root, path), None, message.to_owned());
            }
        }
    }

    /// Reads the sections' own pages: what they hand down, and the profiles among them.
    fn branches(&mut self, tree: &Tree) -> (Authors, PerLanguage<Cascades>) {
        let mut authors = Authors::default();
        let mut all: PerLanguage<Cascades> = Vec::new();
        for config in &self.site.languages {
            let mut cascades = Cascades::default();
            cascades.add("", config.cascade.as_ref());
            all.push(cascades);
        }
        let mut profiles = Vec::new();
        for branch in &tree.branches {
            let Some((file, document)) = self.document(&branch.path) else {
                let name = relative(&self.settings.root, &branch.path);
                self.closed.push((branch.folder.clone(), branch.language, name));
                continue;
            };
            if document.fields.contains_key("slug") && self.holds_posts(&branch.folder) {
                let message = "the `slug` of a section is not read, though newer versions of Hugo change the addresses \
                               below it by it; rename the folder instead, or check the addresses that `sync --dry-run` shows";
                self.warn(&file, None, message.to_owned());
            }
            if let Some(cascades) = all.get_mut(branch.language) {
                cascades.add(&branch.folder, document.fields.get("cascade"));
            }
            let below = branch.folder.split_once('/');
            if below.is_some_and(|(top, rest)| top == authors::FOLDER && !rest.contains('/')) {
                profiles.push((branch, file, document));
            }
        }
        for (branch, file, document) in profiles {
            let language = self.language(branch.language).zip(all.get(branch.language));
            let Some((language, cascades)) = language else { continue };
            self.profile(&mut authors, (&branch.folder, &branch.path, &file), document, cascades, language);
        }
        self.data_profiles(&mut authors);
        (authors, all)
    }

    fn profile(
        &self,
        authors: &mut Authors,
        (key, path, file): (&str, &Path, &str),
        mut document: Document,
        cascades: &Cascades,
        language: (&SiteConfig, &Url),
    ) {
        let (config, public_url) = language;
        cascades.fill(&mut document.fields, config.subject(key, Kind::Section));
        let address = permalink::folder_address(key, config, public_url);
        let name = key.rsplit('/').next().unwrap_or(key);
        let origin = Origin { name, address: &address, path, file, is_content: true };
        if let Some((profile, own_names)) = profiles::read(&document, origin, self.profile_site(language)) {
            authors.add(profile, own_names);
        }
    }

    fn profile_site<'s>(&self, (config, public_url): (&'s SiteConfig, &'s Url)) -> profiles::Site<'s> {
        profiles::Site { config, public_url, with_fields: self.settings.profile_fields }
    }

    /// The profiles in `data/authors`.
    fn data_profiles(&mut self, authors: &mut Authors) {
        let Some(language) = self.language(0) else { return };
        let folder = self.settings.root.join("data").join(authors::FOLDER);
        let Ok(items) = folder.read_dir() else { return };
        let mut paths: Vec<PathBuf> = items.filter_map(|item| Some(item.ok()?.path())).collect();
        paths.sort();
        for path in paths {
            let is_data = path.extension().and_then(|extension| extension.to_str()).is_some_and(config::is_data);
            let Some(name) = path.file_stem().and_then(|stem| stem.to_str()).filter(|_| is_data) else { continue };
            let file = relative(&self.settings.root, &path);
            let fields = match config::read(&self.settings.root, &path, &mut self.scan.warnings) {
                Ok(fields) => fields,
                Err(error) => {
                    self.warn(&file, None, format!("this profile cannot be read, so it is passed over: {error}"));
                    continue;
                }
            };
            let document = Document { fields, ..Document::default() };
            let origin = Origin { name, address: language.1, path: &path, file: &file, is_content: false };
            if let Some((profile, own_names)) = profiles::read(&document, origin, self.profile_site(language)) {
                authors.add(profile, own_names);
            }
        }
    }

    fn page(&mut self, file: &PageFile, cascades: &[Cascades]) -> Option<Page> {
        let language = self.language(file.language)?;
        let page = self.readable_page(file, language, cascades.get(file.language)?);
        if page.is_none() {
            self.scan.unreadable.insert(language.0.post_key(&file.key));
        }
        page
    }

    fn readable_page(
        &mut self,
        file: &PageFile,
        (config, public_url): (&SiteConfig, &Url),
        cascades: &Cascades,
    ) -> Option<Page> {
        if !file.is_readable_kind() {
            let name = relative(&self.settings.root, &file.path);
            self.warn(&name, None, "this kind of file is not read yet; only Markdown and HTML are".to_owned());
            return None;
        }
        if file.path.to_str().is_none() {
            let name = relative(&self.settings.root, &file.path);
            self.warn(&name, None, "its name or its folder's is not UTF-8, so it was not read; rename it".to_owned());
            return None;
        }
        if let Some(section) = self.closed.iter().find(|section| is_below(&file.key, file.language, section)) {
            let message = format!(
                "{} cannot be read, and may say that this page is not public, so what was known of it stays as it was",
                section.2
            );
            let name = relative(&self.settings.root, &file.path);
            self.warn(&name, None, message);
            return None;
        }
        let (name, mut document) = self.document(&file.path)?;
        cascades.fill(&mut document.fields, config.subject(&file.key, Kind::Page));
        let page = Page::new(file, name, document, (config, public_url), &self.settings.root);
        if let Some(key) = page.unreadable_date() {
            let message = format!(
                "`{key}` is no date, so it is not known whether the post is public and it stays as it was; write it like 2026-03-27"
            );
            self.warn(&page.file, None, message);
            return None;
        }
        Some(page)
    }

    /// A file taken apart, and its name for people; what is wrong with it goes to the warnings.
    fn document(&mut self, path: &Path) -> Option<(String, Document)> {
        let name = relative(&self.settings.root, path);
        let text = match read_text(path) {
            Ok(text) => text,
            Err(Unreadable::Io(error)) => {
                self.scan.complete = false;
                let remedy = match error.kind() {
                    ErrorKind::NotFound => "it went away while the site was read, and the next scan looks again",
                    ErrorKind::PermissionDenied => "mend its permissions",
                    _ => "see to its disk",
                };
                let message =
                    format!("it could not be read ({error}), so nothing counts as removed in this scan; {remedy}");
                self.warn(&name, None, message);
                return None;
            }
            Err(Unreadable::NoFile) => {
                let message = "it is a pipe, a socket or a device, and was not read; put an ordinary file there";
                self.warn(&name, None, message.to_owned());
                return None;
            }
            Err(Unreadable::TooLarge) => {
                self.warn(&name, None, "it is larger than 2 MiB and was not read; make it shorter".to_owned());
                return None;
            }
            Err(Unreadable::NotUtf8 { line }) => {
                self.warn(&name, Some(line), "it is not UTF-8 text and was not read; save it as UTF-8".to_owned());
                return None;
            }
        };
        match frontmatter::read(&text) {
            Ok(document) => {
                self.scan.warnings.extend(document.duplicates.iter().map(|found| duplicate_warning(&name, found)));
                Some((name, document))
            }
            Err(error) => {
                let message =
                    format!("its front matter cannot be read: {}; what was known of it stays as it was", error.message);
                self.warn(&name, error.line, message);
                None
            }
        }
    }

    fn finish(mut self, pages: &[Page], mut authors: Authors, now: Timestamp) -> Scan {
        let own_shortcodes = own_shortcodes(&self.settings.root);
        let mut addresses: PerLanguage<HashMap<String, &str>> = vec![HashMap::new(); self.site.languages.len()];
        for page in pages {
            if let Some(addresses) = addresses.get_mut(page.language) {
                addresses.insert(page.key.to_lowercase(), page.url.as_str());
            }
        }
        for page in pages {
            let language = self.language(page.language).zip(addresses.get(page.language));
            let Some(((config, public_url), addresses)) = language else {
                continue;
            };
            let resolve = |path: &str| resolve(path, &page.key, addresses);
            let site = SiteFacts { config, public_url, settings: self.settings, own_shortcodes: &own_shortcodes };
            let entry = page.entry(&site, now, &mut authors, &resolve, &mut self.scan.warnings);
            self.scan.entries.push(entry);
        }
        self.scan.entries.sort_by(|a, b| a.key.cmp(&b.key));
        self.scan.authors = authors.into_profiles();
        self.scan.warnings.sort();
        self.scan.warnings.dedup();
        self.scan
    }
}

/// Whether a page stands below a section.
fn is_below(key: &str, language: usize, (folder, of, _): &(String, usize, String)) -> bool {
    *of == language
        && (folder.is_empty() || key.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/')))
}

/// The names of the site's own shortcodes, lower case.
fn own_shortcodes(root: &Path) -> BTreeSet<String> {
    let folders = ["layouts/shortcodes", "layouts/_shortcodes"].map(|folder| root.join(folder));
    let files = folders.iter().filter_map(|folder| folder.read_dir().ok()).flatten();
    let stem = |path: PathBuf| Some(path.file_name()?.to_str()?.split('.').next()?.to_lowercase());
    files.filter_map(|file| stem(file.ok()?.path())).collect()
}

/// Finds a page as `ref` does: from the content folder, from the page's own folder, or by its last name.
fn resolve(path: &str, from: &str, addresses: &HashMap<String, &str>) -> Option<String> {
    let (path, fragment) = path.split_once('#').map_or((path, None), |(path, fragment)| (path, Some(fragment)));
    let lower = path.to_lowercase();
    let name = lower.trim_matches('/');
    let name = name.strip_suffix(".md").or_else(|| name.strip_suffix(".html")).unwrap_or(name);
    let name = name.strip_suffix("/index").unwrap_or(name);
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder).to_lowercase();
    let own = || from.to_lowercase();
    let wanted = if name.is_empty() { own() } else { name.to_owned() };
    let ending = format!("/{wanted}");
    let address = addresses.get(&wanted).or_else(|| addresses.get(&format!("{folder}/{wanted}"))).or_else(|| {
        let mut found = addresses.iter().filter(|(key, _)| key.ends_with(&ending)).map(|(_, address)| address);
        let only = found.next();
        only.filter(|_| found.next().is_none())
    })?;
    Some(fragment.map_or_else(|| (*address).to_owned(), |fragment| format!("{address}#{fragment}")))
}

enum Unreadable {
    Io(std::io::Error),
    NoFile,
    TooLarge,
    NotUtf8 { line: u64 },
}

fn read_text(path: &Path) -> Result<String, Unreadable> {
    // Opening a pipe or a device could wait for ever.
    if !std::fs::metadata(path).map_err(Unreadable::Io)?.is_file() {
        return Err(Unreadable::NoFile);
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(Unreadable::Io)?;
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(Unreadable::Io)?;
    if count(bytes.len()) > MAX_FILE {
        return Err(Unreadable::TooLarge);
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        Unreadable::NotUtf8 { line: count(good.split(|byte| *byte == b'\n').count()) }
    })
}

fn duplicate_warning(file: &str, found: &yaml::Duplicate) -> Warning {
    Warning {
        file: file.to_owned(),
        line: Some(found.line),
        message: format!(
            "the key `{}` stands here a second time; the last one counts, as in Hugo before 0.152, and later versions \
             refuse the file; remove one",
            found.key
        ),
    }
}

fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}
