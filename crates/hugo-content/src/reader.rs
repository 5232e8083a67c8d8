//! A scan under way: each page read, or known as it was, on all processors; then put together in the site's order.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use clock::Timestamp;
use url::Url;

use super::authors::Authors;
use super::cascade::Cascades;
use super::config::{Site, SiteConfig};
use super::dates::Moment;
use super::file::{self, Told, relative};
use super::frontmatter::Document;
use super::matcher::Kind;
use super::page::{Page, PageEntry, SiteFacts};
use super::trace::{self, Trace};
use super::visibility::PublishRule;
use super::walk::PageFile;
use super::{Settings, USUAL_SECTIONS, cores};
use crate::Memory;
use crate::history::Changed;
use crate::scan::{Scan, Warning};

/// Per language, in the site's order.
pub(super) type PerLanguage<T> = Vec<T>;

/// The addresses of a language's pages, by their keys in lower case.
type Addresses<'a> = HashMap<String, &'a str>;

/// A scan under way.
pub(super) struct Reader<'a> {
    pub(super) settings: &'a Settings,
    pub(super) site: &'a Site,
    /// When git last saw each file change.
    pub(super) changed: &'a Changed,
    pub(super) scan: Scan,
    /// Sections whose own page cannot be read: folder, language and that page.
    pub(super) closed: Vec<(String, usize, String)>,
}

impl<'a> Reader<'a> {
    pub(super) fn warn(&mut self, file: &str, line: Option<u64>, message: String) {
        self.scan.warnings.push(Warning { file: file.to_owned(), line, message });
    }

    fn hear(&mut self, told: Told) {
        self.scan.warnings.extend(told.warnings);
        self.scan.complete &= !told.is_partial;
    }

    /// The configuration of a language, and where that language is public.
    pub(super) fn language(&self, place: usize) -> Option<(&'a SiteConfig, &'a Url)> {
        language(self.settings, self.site, place)
    }

    pub(super) fn is_post(&self, file: &PageFile) -> bool {
        let Some((config, _)) = self.language(file.language) else { return false };
        let wanted = &self.settings.languages;
        (wanted.is_empty() || wanted.iter().any(|key| key.eq_ignore_ascii_case(&config.language_key)))
            && file.key.rsplit_once('/').is_some_and(|(folder, _)| self.holds_posts(folder))
    }

    /// Whether a folder below the content folder is of a section whose pages are posts.
    pub(super) fn holds_posts(&self, folder: &str) -> bool {
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

    /// A file taken apart, and its name for people.
    pub(super) fn document(&mut self, path: &Path) -> Option<(String, Document)> {
        let mut told = Told::default();
        let document = file::document(&self.settings.root, path, &mut told);
        self.hear(told);
        document
    }

    /// Reads the posts, but for those that `memory` holds as they still are.
    pub(super) fn posts(
        mut self,
        files: &[&PageFile],
        (mut authors, cascades): (Authors, PerLanguage<Cascades>),
        mut memory: Memory,
        now: Timestamp,
        progress: &mut dyn FnMut(),
    ) -> Scan {
        let own_shortcodes = own_shortcodes(&self.settings.root);
        let desk = Desk {
            settings: self.settings,
            site: self.site,
            changed: self.changed,
            ground: trace::ground(&(self.settings, self.site, &cascades, &own_shortcodes)),
            closed: std::mem::take(&mut self.closed),
            cascades,
            own_shortcodes,
            now,
        };
        let looks = cores::on_all(files, |file| desk.look(file, &memory), || {});
        let pages: Vec<(&PageFile, Look)> = files.iter().copied().zip(looks).collect();
        let addresses = desk.addresses(&pages, &memory);
        let made = cores::on_all(&pages, |(file, look)| desk.make(file, look, &addresses), progress);
        drop(addresses);
        for ((file, _), made) in pages.iter().zip(made) {
            let Some((config, _)) = self.language(file.language) else { continue };
            let key = config.post_key(&file.key);
            let taken = match made {
                Made::Kept(names, rule, warnings) => memory.remove(&key).map(|entry| (entry, names, rule, warnings)),
                Made::New(made) => Some((made.entry, made.names, made.rule, made.warnings)),
                Made::Unreadable(told) => {
                    self.hear(told);
                    None
                }
            };
            let Some((mut entry, names, rule, warnings)) = taken else {
                self.scan.unreadable.insert(key);
                continue;
            };
            self.scan.warnings.extend(warnings);
            entry.authors = authors.byline(&names, config, &entry.file, &mut self.scan.warnings);
            entry.visibility = rule.at(now);
            self.scan.entries.push(entry);
        }
        self.scan.entries.sort_by(|a, b| a.key.cmp(&b.key));
        self.scan.authors = authors.into_profiles();
        self.scan.warnings.sort();
        self.scan.warnings.dedup();
        self.scan
    }
}

/// What pages are read with; it stays the same for all of them.
struct Desk<'a> {
    settings: &'a Settings,
    site: &'a Site,
    /// As of [`Reader`].
    changed: &'a Changed,
    /// As of [`Reader`].
    closed: Vec<(String, usize, String)>,
    cascades: PerLanguage<Cascades>,
    /// Names of the site's own shortcodes, lower case.
    own_shortcodes: BTreeSet<String>,
    /// Over all that decides over every page alike.
    ground: String,
    now: Timestamp,
}

/// What is known of a page before its content is looked at.
enum Look {
    /// Its files are as they were.
    Kept(Box<Trace>),
    /// It was read; what is to be told of its file.
    Read(Box<Page>, Told),
    /// It cannot be read, and why.
    Unreadable(Vec<Warning>, bool),
}

/// What becomes of a page: an entry, or the one that the memory holds.
enum Made {
    Kept(Vec<String>, PublishRule, Vec<Warning>),
    New(Box<PageEntry>),
    Unreadable(Told),
}

impl Desk<'_> {
    fn look(&self, file: &PageFile, memory: &Memory) -> Look {
        let kept = || {
            let (config, _) = language(self.settings, self.site, file.language)?;
            let trace = Trace::of(memory.get(&config.post_key(&file.key))?)?;
            let stamp = self.stamp(file, trace.cover.as_deref())?;
            (self.closed_by(file).is_none() && stamp == trace.sum).then_some(trace)
        };
        kept().map_or_else(|| self.read(file), |trace| Look::Kept(Box::new(trace)))
    }

    /// `None` where it cannot be relied on.
    fn stamp(&self, file: &PageFile, cover: Option<&str>) -> Option<String> {
        let ground = format!("{}\n{:?}", self.ground, self.committed(file));
        let stamp = trace::stamp(&ground, file, &self.settings.root, cover, self.now)?;
        (!stamp.is_fresh).then_some(stamp.sum)
    }

    /// The author date of the last commit that changed a page's file.
    fn committed(&self, file: &PageFile) -> Option<Moment> {
        self.changed.get(file.path.strip_prefix(&self.settings.root).ok()?).copied()
    }

    fn read(&self, file: &PageFile) -> Look {
        let mut told = Told::default();
        match self.page(file, &mut told) {
            Some(page) => Look::Read(Box::new(page), told),
            None => Look::Unreadable(told.warnings, told.is_partial),
        }
    }

    fn page(&self, file: &PageFile, told: &mut Told) -> Option<Page> {
        let (config, public_url) = language(self.settings, self.site, file.language)?;
        let cascades = self.cascades.get(file.language)?;
        let root = &self.settings.root;
        let name = || relative(root, &file.path);
        if !file.is_readable_kind() {
            told.warn(&name(), None, "this kind of file is not read yet; only Markdown and HTML are".to_owned());
            return None;
        }
        if file.path.to_str().is_none() {
            let message = "its name or its folder's is not UTF-8, so it was not read; rename it";
            told.warn(&name(), None, message.to_owned());
            return None;
        }
        if let Some(section) = self.closed_by(file) {
            let message = format!(
                "{section} cannot be read for certain, and may say that this page is not public, so what was known of it stays as it was"
            );
            told.warn(&name(), None, message);
            return None;
        }
        let (name, mut document) = file::document(root, &file.path, told)?;
        // What a page hands down counts for itself too.
        let mut own = Cascades::default();
        own.add("", document.fields.get("cascade"));
        own.fill(&mut document.fields, config.subject(&file.key, Kind::Page));
        cascades.fill(&mut document.fields, config.subject(&file.key, Kind::Page));
        let page = Page::new(file, name, document, (config, public_url), (root, self.committed(file)));
        if let Some(message) = page.undecided() {
            told.warn(&page.file, None, message);
            return None;
        }
        Some(page)
    }

    /// The unreadable page of a section that a page stands in.
    fn closed_by(&self, file: &PageFile) -> Option<&str> {
        let is_below =
            |folder: &str| folder.is_empty() || file.key.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        let mut closed = self.closed.iter();
        let found = closed.find(|(folder, language, _)| *language == file.language && is_below(folder));
        found.map(|(_, _, page)| page.as_str())
    }

    fn addresses<'p>(&self, pages: &'p [(&PageFile, Look)], memory: &'p Memory) -> PerLanguage<Addresses<'p>> {
        let mut all: PerLanguage<Addresses<'p>> = vec![HashMap::new(); self.site.languages.len()];
        for (file, look) in pages {
            let key = || Some(language(self.settings, self.site, file.language)?.0.post_key(&file.key));
            let address = match look {
                Look::Kept(_) => key().and_then(|key| memory.get(&key)).map(|entry| entry.url.as_str()),
                Look::Read(page, _) => Some(page.url.as_str()),
                Look::Unreadable(..) => None,
            };
            if let Some((address, addresses)) = address.zip(all.get_mut(file.language)) {
                addresses.insert(file.key.to_lowercase(), address);
            }
        }
        all
    }

    fn make(&self, file: &PageFile, look: &Look, addresses: &[Addresses<'_>]) -> Made {
        let Some(addresses) = addresses.get(file.language) else { return Made::Unreadable(Told::default()) };
        match look {
            Look::Kept(trace) => {
                let holds =
                    |(path, address): (&String, &Option<String>)| resolve(path, &file.key, addresses) == *address;
                if trace.references.iter().all(holds) {
                    let name = relative(&self.settings.root, &file.path);
                    let warning = |(line, message): &(Option<u64>, String)| Warning {
                        file: name.clone(),
                        line: *line,
                        message: message.clone(),
                    };
                    let warnings = trace.warnings.iter().map(warning).collect();
                    return Made::Kept(trace.names.clone(), trace.rule, warnings);
                }
                // A page that it refers to has another address now.
                let mut told = Told::default();
                match self.page(file, &mut told) {
                    Some(page) => self.draw(file, &page, &told, addresses),
                    None => Made::Unreadable(told),
                }
            }
            Look::Read(page, told) => self.draw(file, page, told, addresses),
            Look::Unreadable(warnings, is_partial) => {
                Made::Unreadable(Told { warnings: warnings.clone(), is_partial: *is_partial })
            }
        }
    }

    fn draw(&self, file: &PageFile, page: &Page, told: &Told, addresses: &Addresses<'_>) -> Made {
        let Some((config, public_url)) = language(self.settings, self.site, file.language) else {
            return Made::Unreadable(Told::default());
        };
        let references = RefCell::new(BTreeMap::new());
        let asked = |path: &str| {
            let address = resolve(path, &file.key, addresses);
            references.borrow_mut().insert(path.to_owned(), address.clone());
            address
        };
        let site = SiteFacts { config, public_url, settings: self.settings, own_shortcodes: &self.own_shortcodes };
        let mut made = page.to_entry(&site, &asked);
        if let Some(held) = made.held.take() {
            let warnings = told.warnings.iter().cloned().chain([held]).collect();
            return Made::Unreadable(Told { warnings, is_partial: told.is_partial });
        }
        made.warnings.extend(told.warnings.iter().cloned());
        made.entry.trace = self.stamp(file, page.cover()).and_then(|sum| {
            let trace = Trace {
                sum,
                cover: page.cover().map(str::to_owned),
                references: references.into_inner(),
                names: made.names.clone(),
                rule: made.rule,
                warnings: made.warnings.iter().map(|odd| (odd.line, odd.message.clone())).collect(),
            };
            trace.noted()
        });
        Made::New(Box::new(made))
    }
}

fn language<'a>(settings: &'a Settings, site: &'a Site, place: usize) -> Option<(&'a SiteConfig, &'a Url)> {
    site.languages.get(place).map(|config| (config, config.public_url(&settings.public_url)))
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
