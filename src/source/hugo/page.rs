//! One page: what its front matter says of it, and the entry it becomes.

use std::collections::HashSet;

use aws_lc_rs::digest;
use serde_json::{Map, Value};
use url::Url;

use super::authors::{self, Authors, Found};
use super::config::SiteConfig;
use super::dates::Dates;
use super::frontmatter::{Document, field, flag, text, texts};
use super::images::{self, Picture};
use super::permalink::{self, Place};
use super::walk::PageFile;
use super::{content, identity, markdown, shortcodes, summary};
use crate::clock::Timestamp;
use crate::html;
use crate::post::entry::{Entry, Visibility};
use crate::source::scan::Warning;

/// A page read, with its address; its content waits until all addresses are known.
#[derive(Debug)]
pub(super) struct Page {
    /// The path below the content folder, the same in every language.
    pub(super) key: String,
    /// Its place among the site's languages.
    pub(super) language: usize,
    /// Relative to the source.
    pub(super) file: String,
    pub(super) url: Url,
    title: String,
    fields: Map<String, Value>,
    body: String,
    body_line: u64,
    dates: Dates,
    picture: Option<Picture>,
    is_bundle: bool,
    is_html: bool,
}

impl Page {
    /// Takes a page's document; `fields` are complete, with what sections hand down.
    pub(super) fn new(
        from: &PageFile,
        file: String,
        document: Document,
        config: &SiteConfig,
        public_url: &Url,
    ) -> Self {
        let Document { fields, body, body_line, .. } = document;
        let base_name = from.key.rsplit('/').next().unwrap_or(&from.key);
        let written = text(fields.get("title")).map(|title| content::title_text(&title));
        let dates = config.date_order.dates(&fields, base_name, config.time_zone);
        let slug = text(fields.get("slug"));
        let place = Place {
            key: &from.key,
            title: written.as_deref().unwrap_or_default(),
            slug: slug.as_deref(),
            url: fields.get("url").and_then(Value::as_str).map(str::trim).filter(|url| !url.is_empty()),
            date: dates.date,
        };
        let url = permalink::address(&place, config, public_url);
        let picture = images::cover(&fields, from.bundle.as_deref());
        let title = written
            .or_else(|| if from.is_html() { None } else { markdown::first_heading(&body, config) })
            .unwrap_or_else(|| base_name.replace(['-', '_'], " "));
        Self {
            key: from.key.clone(),
            language: from.language,
            file,
            url,
            title,
            body,
            body_line,
            dates,
            picture,
            is_bundle: from.bundle.is_some(),
            is_html: from.is_html(),
            fields,
        }
    }

    /// A date that decides whether the page is public but cannot be read.
    pub(super) fn unreadable_date(&self) -> Option<&'static str> {
        let deciding = |key: &&&str| !matches!(**key, "date" | "lastmod" | "modified");
        self.dates.unreadable.iter().find(deciding).copied()
    }

    /// The entry, and in `warnings` what is odd about the page. `resolve` finds pages by path.
    pub(super) fn entry(
        &self,
        site: (&SiteConfig, &Url),
        now: Timestamp,
        authors: &mut Authors,
        resolve: &dyn Fn(&str) -> Option<String>,
        warnings: &mut Vec<Warning>,
    ) -> Entry {
        let (config, public_url) = site;
        for key in &self.dates.unreadable {
            warnings.push(
                self.warning(None, format!("`{key}` is no date, so it is passed over; write it like 2026-03-27")),
            );
        }
        let names = authors::named(&self.fields);
        let tags = self.tags();
        let (summary_source, summary, content) = self.texts(config, resolve, warnings);
        let body = content::normalized(&self.body);
        let image_source = self.picture.as_ref().map(|picture| (&picture.source, &picture.alt));
        let said = serde_json::json!([self.title, body, summary_source, tags, names, image_source, self.url.as_str()]);
        Entry {
            key: config.post_key(&self.key),
            file: self.file.clone(),
            url: self.url.to_string(),
            title: self.title.clone(),
            summary,
            content,
            language: self.language(config),
            tags,
            authors: self.byline(&names, config, authors, warnings),
            image: self.picture.as_ref().and_then(|picture| picture.publish(&self.base(), public_url)),
            published: self.dates.date.map(|at| Timestamp::from_millis(at.timestamp_millis())),
            modified: self.dates.modified,
            visibility: self.visibility(now),
            fingerprint: format!("1:{}", sha256(&said.to_string())),
            body_hash: sha256(&body),
            guid: identity::guid(&self.fields),
            aliases: identity::aliases(&self.fields, &self.url, config, public_url),
            unlisted: self.is_unlisted(),
        }
    }

    fn warning(&self, line: Option<u64>, message: String) -> Warning {
        Warning { file: self.file.clone(), line, message }
    }

    /// The folder that relative addresses start from: the page's own.
    fn base(&self) -> Url {
        let mut base = self.url.clone();
        let path = base.path().to_owned();
        if self.is_bundle && !path.ends_with('/') {
            let folder = path.strip_suffix(".html").or_else(|| path.strip_suffix(".htm")).unwrap_or(&path);
            base.set_path(&format!("{folder}/"));
        }
        base
    }

    /// The summary as the source has it, the summary, and the content.
    fn texts(
        &self,
        config: &SiteConfig,
        resolve: &dyn Fn(&str) -> Option<String>,
        warnings: &mut Vec<Warning>,
    ) -> (String, String, String) {
        let mut warn =
            |line: u64, message: String| warnings.push(self.warning(Some(self.body_line + line - 1), message));
        let body = shortcodes::replace(&self.body, resolve, &mut warn);
        let render = |source: &str| content::html_of(source, &self.title, self.is_html, config);
        let content = html::clean_at(&render(&body), &self.base());
        let written = text(self.fields.get("summary")).or_else(|| text(self.fields.get("description")));
        let above = content::above_more(&body).filter(|above| content::says_something(&render(above)));
        let (source, summary) = match (above, written) {
            (Some(above), _) => (content::normalized(above), summary::from_html(&render(above))),
            // A summary is rendered with no title to leave out: it may well say the same.
            (None, Some(written)) => {
                let html = content::html_of(&written, "", false, config);
                (written, summary::from_html(&html))
            }
            (None, None) => (String::new(), summary::automatic(&content, config.summary_length)),
        };
        (source, summary, content)
    }

    fn tags(&self) -> Vec<String> {
        let mut seen = HashSet::new();
        let mut tags = texts(field(&self.fields, "tags"));
        tags.retain(|tag| seen.insert(tag.to_lowercase()));
        tags
    }

    fn language(&self, config: &SiteConfig) -> String {
        text(field(&self.fields, "lang"))
            .filter(|tag| tag.len() <= 35 && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
            .unwrap_or_else(|| config.language.clone())
    }

    fn byline(
        &self,
        names: &[String],
        config: &SiteConfig,
        authors: &mut Authors,
        warnings: &mut Vec<Warning>,
    ) -> Vec<String> {
        let mut slugs = Vec::new();
        for name in names {
            let slug = match authors.find(name, config) {
                None => continue,
                Some(Found::Plainly(slug)) => slug,
                Some(Found::ByOwnName(slug)) => {
                    let message = format!(
                        "the author `{name}` has no folder of that name and was taken for `{slug}`, whose profile says so; \
                         write `{slug}`"
                    );
                    warnings.push(self.warning(None, message));
                    slug
                }
            };
            if !slugs.contains(&slug) {
                slugs.push(slug);
            }
        }
        slugs
    }

    fn is_unlisted(&self) -> bool {
        text(field(&self.fields, "fediverse")).is_some_and(|word| word.eq_ignore_ascii_case("unlisted"))
    }

    /// Sources 1.3, and the front matter's word on the fediverse (design section 5).
    fn visibility(&self, now: Timestamp) -> Visibility {
        let fediverse = field(&self.fields, "fediverse");
        let headless = self.is_bundle && flag(self.fields.get("headless")) == Some(true);
        // What the site itself does not list is published only where the page asks for it (sources 1.3).
        if flag(fediverse) == Some(false)
            || headless
            || !is_rendered(&self.fields)
            || (is_off_lists(&self.fields) && !self.is_unlisted())
        {
            return Visibility::Withheld;
        }
        if flag(self.fields.get("draft")) == Some(true) {
            return Visibility::Draft;
        }
        match (self.dates.publish, self.dates.expiry) {
            (_, Some(expiry)) if expiry <= now => Visibility::Expired,
            (Some(at), _) if at > now => Visibility::Scheduled { at },
            (_, until) => Visibility::Public { until },
        }
    }
}

/// Whether the site makes a page of it: `build.render`, and `_build.render` as it was called up to Hugo 0.144.
pub(super) fn is_rendered(fields: &Map<String, Value>) -> bool {
    build(fields, "render").is_none_or(|word| word == "always" || word == "true")
}

fn is_off_lists(fields: &Map<String, Value>) -> bool {
    build(fields, "list").is_some_and(|word| word == "never" || word == "false")
}

fn build(fields: &Map<String, Value>, key: &str) -> Option<String> {
    let word = |table: &str| text(fields.get(table).and_then(|table| table.get(key)));
    word("build").or_else(|| word("_build")).map(|word| word.to_lowercase())
}

fn sha256(text: &str) -> String {
    let sum = digest::digest(&digest::SHA256, text.as_bytes());
    sum.as_ref().iter().fold(String::with_capacity(64), |mut hex, byte| {
        for half in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
        hex
    })
}
