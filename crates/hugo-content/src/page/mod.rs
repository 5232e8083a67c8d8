//! One page: what its front matter says of it, and the entry it becomes.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use clock::Timestamp;
use serde_json::{Map, Value};
use url::Url;

use super::Settings;
use super::authors;
use super::config::SiteConfig;
use super::dates::{Beside, Dates, Moment};
use super::frontmatter::{self, Document, field, flag, text, texts};
use super::hash::sha256;
use super::images::{self, Folders, Picture};
use super::permalink::{self, Place};
use super::visibility::{self, PublishRule};
use super::walk::PageFile;
use super::{content, identity, language, markdown, protection};
use crate::entry::{Entry, Visibility};
use crate::scan::Warning;

mod texts;

use self::texts::Texts;

/// More of a page's tags and authors, and characters of its title, are not sent to strangers.
const MAX_TAGS: usize = 100;
const MAX_AUTHORS: usize = 50;
const MAX_TITLE: usize = 1000;

/// Pictures of a page that are not there and are each told of.
const MAX_MISSING: usize = 50;

/// What a page's entry needs of the site.
pub(super) struct SiteFacts<'a> {
    pub(super) config: &'a SiteConfig,
    /// Where the page's language is public.
    pub(super) public_url: &'a Url,
    pub(super) settings: &'a Settings,
    /// Names of the site's own shortcodes, lower case.
    pub(super) own_shortcodes: &'a BTreeSet<String>,
}

/// What a page becomes by itself alone.
pub(super) struct PageEntry {
    /// Without authors, and withheld.
    pub(super) entry: Entry,
    /// Its authors' names as it writes them.
    pub(super) names: Vec<String>,
    pub(super) rule: PublishRule,
    /// What is odd about it.
    pub(super) warnings: Vec<Warning>,
    /// Why it must not be sent: what it holds may not be for everybody, or cannot be read for certain.
    pub(super) held: Option<Warning>,
}

/// A page read, with its address; its content waits until all addresses are known.
#[derive(Debug)]
pub(super) struct Page {
    /// The path below the content folder, the same in every language.
    pub(super) key: String,
    /// Relative to the source.
    pub(super) file: String,
    pub(super) url: Url,
    title: String,
    fields: Map<String, Value>,
    body: String,
    body_line: u64,
    dates: Dates,
    picture: Option<Picture>,
    /// Its folder, if it is a bundle.
    bundle: Option<PathBuf>,
    is_html: bool,
    /// Whether its file says nothing at all.
    is_blank: bool,
}

impl Page {
    /// Takes a page's document; `fields` are complete, with what sections hand down.
    pub(super) fn new(
        from: &PageFile,
        file: String,
        document: Document,
        (config, public_url): (&SiteConfig, &Url),
        (root, committed): (&Path, Option<Moment>),
    ) -> Self {
        let Document { fields, body, body_line, is_bare: has_no_front_matter, .. } = document;
        let base_name = from.key.rsplit('/').next().unwrap_or(&from.key);
        let written = text(fields.get("title")).map(|title| content::title_text(&title));
        let beside =
            Beside { base_name, changed: &|| changed(&from.path), committed: &|| committed, zone: config.time_zone };
        let dates = config.date_order.dates(&fields, &beside);
        let slug = frontmatter::words(fields.get("slug"))
            .or_else(|| dates.slug.clone().filter(|_| !fields.contains_key("slug")))
            .map(|slug| slug.trim_matches('-').to_owned())
            .filter(|slug| !slug.is_empty());
        let url = frontmatter::words(fields.get("url"));
        let place = Place {
            key: &from.key,
            section: &from.section,
            title: written.as_deref().unwrap_or_default(),
            slug: slug.as_deref(),
            url: url.as_deref().filter(|url| !url.is_empty()),
            date: dates.date,
        };
        let url = permalink::address(&place, config, public_url);
        let picture = images::cover(&fields, Folders { root, bundle: from.bundle.as_deref() });
        let title = written
            .or_else(|| if from.is_html() { None } else { markdown::first_heading(&body, &config.markup) })
            .unwrap_or_else(|| base_name.replace(['-', '_'], " "));
        let is_blank = has_no_front_matter && body.trim().is_empty();
        Self {
            is_blank,
            key: from.key.clone(),
            file,
            url,
            title,
            body,
            body_line,
            dates,
            picture,
            bundle: from.bundle.clone(),
            is_html: from.is_html(),
            fields,
        }
    }

    /// Why it cannot be told whether the page is public, or for whom: something that decides over it cannot be read, or
    /// means what only the site's theme knows.
    pub(super) fn undecided(&self) -> Option<String> {
        if flag(field(&self.fields, "fediverse")) == Some(false) {
            return None;
        }
        if self.is_blank {
            return Some(
                "it is empty, as a file that was cut off is, so it is held; what was known of it stays".to_owned(),
            );
        }
        let has_date = self.dates.publish.is_some();
        let deciding = |key: &&String| match key.as_str() {
            "lastmod" | "modified" => false,
            // Without another date it says when the page becomes public.
            "date" => !has_date,
            _ => true,
        };
        if let Some(key) = self.dates.unreadable.iter().find(deciding) {
            return Some(format!(
                "`{key}` is no date, so it is not known whether the post is public and it stays as it was; write it like 2026-03-27"
            ));
        }
        if let Some(what) = visibility::unclear(&self.fields) {
            return Some(format!(
                "{what}, so it is not known whether the post is public and it stays as it was; write it as Hugo's manual does"
            ));
        }
        if let Some(key) = protection::key_of(&self.fields) {
            return Some(format!(
                "its `{key}` says that not everybody may read it, so it is held and stays as it was; set `fediverse: false`, or take \
                 `{key}` out of it once it is for everybody"
            ));
        }
        let word = field(&self.fields, "fediverse")
            .filter(|word| flag(Some(word)).is_none() && !visibility::is_unlisted(&self.fields));
        // A handle or an address is a theme's, and no word on who may see the page.
        let word = text(word).filter(|word| !word.contains(['@', '/']))?;
        let word: String = word.chars().take(100).collect();
        Some(format!(
            "`fediverse: {word}` is none of `true`, `false` and `unlisted`, so it is not known who may see the post and it stays as it was"
        ))
    }

    /// The page as an entry, but for what other pages and the time decide over. `resolve` finds pages by path.
    pub(super) fn to_entry(&self, site: &SiteFacts<'_>, resolve: &dyn Fn(&str) -> Option<String>) -> PageEntry {
        let config = site.config;
        let mut odd = Vec::new();
        let warnings = &mut odd;
        for key in &self.dates.unreadable {
            warnings.push(
                self.warning(None, format!("`{key}` is no date, so it is passed over; write it like 2026-03-27")),
            );
        }
        let mut names = authors::named(&self.fields, &config.author_taxonomies);
        self.bound("authors", &mut names, MAX_AUTHORS, warnings);
        let tags = self.tags(warnings);
        let Texts { summary_source, summary, content, held } = self.texts(site, resolve, warnings);
        self.look_at_pictures(&content, warnings);
        let body = content::normalized(&self.body);
        let image_source = self.picture.as_ref().map(|picture| (&picture.source, &picture.alt));
        let said = serde_json::json!([self.title, body, summary_source, tags, names, image_source, self.url.as_str()]);
        let rule = PublishRule::of(&self.fields, &self.dates, config);
        let entry = Entry {
            key: config.post_key(&self.key),
            file: self.file.clone(),
            url: self.url.to_string(),
            title: self.bounded_title(warnings),
            language: self.language(site, &content),
            summary,
            content,
            tags,
            authors: Vec::new(),
            image: self.picture.as_ref().and_then(|picture| picture.publish(&self.base(), site.public_url)),
            published: self.dates.date.map(|at| Timestamp::from_millis(at.timestamp_millis())),
            modified: self.dates.modified,
            visibility: Visibility::Withheld,
            fingerprint: format!("1:{}", sha256(&said.to_string())),
            body_hash: sha256(&body),
            guid: identity::guid(&self.fields),
            aliases: identity::aliases(&self.fields, &self.url, config, site.public_url),
            unlisted: visibility::is_unlisted(&self.fields),
            trace: None,
        };
        let held = held.map(|(line, message)| self.warning(Some(line), message));
        PageEntry { entry, names, rule, warnings: odd, held }
    }

    /// The cover as the page names it.
    pub(super) fn cover(&self) -> Option<&str> {
        self.picture.as_ref().map(|picture| picture.source.as_str())
    }

    fn warning(&self, line: Option<u64>, message: String) -> Warning {
        Warning { file: self.file.clone(), line, message }
    }

    /// The folder that relative addresses start from: the page's own.
    fn base(&self) -> Url {
        let mut base = self.url.clone();
        let path = base.path().to_owned();
        if self.bundle.is_some() && !path.ends_with('/') {
            let folder = path.strip_suffix(".html").or_else(|| path.strip_suffix(".htm")).unwrap_or(&path);
            base.set_path(&format!("{folder}/"));
        }
        base
    }

    /// Warns of pictures that may lead nowhere; their links stay.
    fn look_at_pictures(&self, content: &str, warnings: &mut Vec<Warning>) {
        if let Some(oddity) = self.picture.as_ref().and_then(Picture::oddity) {
            warnings.push(self.warning(None, oddity));
        }
        let Some(bundle) = &self.bundle else { return };
        let missing = images::missing(content, &self.base(), bundle);
        for name in missing.iter().take(MAX_MISSING) {
            let before = self.body.split_once(name.as_str()).map(|(before, _)| before.matches('\n').count());
            let line = before.map(|lines| self.body_line + u64::try_from(lines).unwrap_or_default());
            let message = format!("the picture `{name}` is not beside the page, so its link may lead nowhere");
            warnings.push(self.warning(line, message));
        }
        if let Some(others) = missing.len().checked_sub(MAX_MISSING).filter(|others| *others > 0) {
            let message = format!("{others} more pictures are not beside the page, so their links may lead nowhere");
            warnings.push(self.warning(None, message));
        }
    }

    fn tags(&self, warnings: &mut Vec<Warning>) -> Vec<String> {
        let mut seen = HashSet::new();
        let mut tags = texts(field(&self.fields, "tags"));
        tags.retain(|tag| seen.insert(tag.to_lowercase()));
        self.bound("tags", &mut tags, MAX_TAGS, warnings);
        tags
    }

    fn bound(&self, what: &str, list: &mut Vec<String>, most: usize, warnings: &mut Vec<Warning>) {
        if list.len() > most {
            let message = format!("it has {} {what}, of which the first {most} are kept", list.len());
            warnings.push(self.warning(None, message));
            list.truncate(most);
        }
    }

    /// The title, unless it is a book.
    fn bounded_title(&self, warnings: &mut Vec<Warning>) -> String {
        let Some((end, _)) = self.title.char_indices().nth(MAX_TITLE) else { return self.title.clone() };
        warnings
            .push(self.warning(None, format!("its title is longer than {MAX_TITLE} characters and is cut off there")));
        format!("{}…", self.title.get(..end).unwrap_or_default().trim_end())
    }

    /// As the front matter says, else, where the site has one language, as the text shows, else the site's own.
    fn language(&self, site: &SiteFacts<'_>, content: &str) -> String {
        let is_tag = |tag: &String| tag.len() <= 35 && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let written = ["lang", "language", "locale"].iter().find_map(|key| text(field(&self.fields, key)));
        if let Some(written) = written.map(|tag| tag.replace('_', "-")).filter(is_tag) {
            return written;
        }
        let expected = &site.config.language;
        let may_detect = site.settings.detect_language && !site.config.has_others;
        let detected = if may_detect { language::detected(content, expected) } else { None };
        detected.map_or_else(|| expected.clone(), str::to_owned)
    }
}

fn changed(file: &Path) -> Option<Moment> {
    let time: DateTime<Utc> = file.metadata().ok()?.modified().ok()?.into();
    Some(time.fixed_offset())
}
