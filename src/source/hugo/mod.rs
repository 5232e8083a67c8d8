//! The Hugo connector: reads a Hugo site's own source files as Hugo does, without running Hugo.

mod authors;
mod cascade;
mod config;
mod content;
mod dates;
mod frontmatter;
mod identity;
mod images;
mod markdown;
mod page;
mod permalink;
mod redirects;
mod shortcodes;
mod summary;
mod walk;
mod yaml;

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use thiserror::Error;
use url::Url;

use self::authors::Authors;
use self::cascade::{Cascades, Kind};
use self::config::{Root, Site, SiteConfig, relative};
use self::frontmatter::Document;
use self::page::Page;
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
}

impl Settings {
    /// A site with all its languages as `hugo` builds it by default.
    #[must_use]
    pub fn new(root: PathBuf, public_url: Url, sections: Vec<String>) -> Self {
        Self { root, public_url, sections, languages: Vec::new(), environment: "production".to_owned() }
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
    let mut reader = Reader { settings, site: &site, scan };
    reader.tell_of_gaps();
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

/// Whether the dates of this site's pages come from git, so that its history is needed; no when its configuration
/// cannot be read, which the scan will tell.
#[must_use]
pub fn wants_history(root: &Path, environment: &str) -> bool {
    config::load(root, environment, &mut Vec::new()).is_ok_and(|site| site.git_info)
}

/// A scan under way.
struct Reader<'a> {
    settings: &'a Settings,
    site: &'a Site,
    scan: Scan,
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
        let within = |section: &str| {
            let section = section.trim_matches('/');
            file.key.get(..section.len()).is_some_and(|start| start.eq_ignore_ascii_case(section))
                && file.key.get(section.len()..).is_some_and(|rest| rest.starts_with('/'))
        };
        (wanted.is_empty() || wanted.iter().any(|key| key.eq_ignore_ascii_case(&config.language_key)))
            && match self.settings.sections.as_slice() {
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
        for key in settings.languages.iter().filter(|key| site.position(key).is_none()) {
            let known: Vec<&str> = site.languages.iter().map(|language| language.language_key.as_str()).collect();
            let message = format!(
                "the site has no language `{key}`, it has {}; check `languages` of the source",
                known.join(", ")
            );
            self.warn(&folder, None, message);
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
            let Some((file, document)) = self.document(&branch.path) else { continue };
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
            authors.add_profile(&branch.folder, &branch.path, file, document, cascades, language);
        }
        (authors, all)
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
        let (name, mut document) = self.document(&file.path)?;
        cascades.fill(&mut document.fields, &file.key, Kind::Page);
        let page = Page::new(file, name, document, config, public_url);
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
                let message = format!(
                    "it could not be read ({error}), so nothing counts as removed in this scan; mend its permissions"
                );
                self.warn(&name, None, message);
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
        let mut addresses: PerLanguage<HashMap<String, &str>> = vec![HashMap::new(); self.site.languages.len()];
        for page in pages {
            if let Some(addresses) = addresses.get_mut(page.language) {
                addresses.insert(page.key.to_lowercase(), page.url.as_str());
            }
        }
        for page in pages {
            let Some((site, addresses)) = self.language(page.language).zip(addresses.get(page.language)) else {
                continue;
            };
            let resolve = |path: &str| resolve(path, &page.key, addresses);
            let entry = page.entry(site, now, &mut authors, &resolve, &mut self.scan.warnings);
            self.scan.entries.push(entry);
        }
        self.scan.entries.sort_by(|a, b| a.key.cmp(&b.key));
        self.scan.authors = authors.into_profiles();
        self.scan.warnings.sort();
        self.scan.warnings.dedup();
        self.scan
    }
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
    TooLarge,
    NotUtf8 { line: u64 },
}

fn read_text(path: &Path) -> Result<String, Unreadable> {
    // Opening a pipe or a device could wait for ever.
    if !std::fs::metadata(path).map_err(Unreadable::Io)?.is_file() {
        return Err(Unreadable::Io(std::io::Error::other("it is no ordinary file")));
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
