//! The site's configuration, as far as it decides what is published, where, and how it reads.

mod files;
mod languages;
mod permalinks;
#[cfg(test)]
mod tests;

use std::path::Path;

use chrono_tz::Tz;
use regex::Regex;
use serde_json::{Map, Value};
use url::Url;

pub(super) use self::files::{is_data, read};
use self::languages::Language;
pub(super) use self::languages::Root;
pub(super) use self::permalinks::Permalinks;
use super::ScanError;
use super::dates::Order;
use super::frontmatter::{flag, text, texts};
use super::markup::Markup;
use super::matcher::{Kind, Subject};
use crate::rights::{self, Hindrance};
use crate::scan::Warning;

/// A site: what holds for all of it.
#[derive(Debug)]
pub(super) struct Site {
    /// One for each language that is built; the first is the default language's.
    pub(super) languages: Vec<SiteConfig>,
    /// Keys of the languages that are not built, lower case.
    pub(super) disabled: Vec<String>,
    /// Never empty.
    pub(super) roots: Vec<Root>,
    /// Whether pages have dates from git.
    pub(super) git_info: bool,
}

/// What we need to know of a site's configuration, as it counts for one language.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of Hugo's own")]
pub(super) struct SiteConfig {
    /// Key of the language in the configuration, lower case.
    pub(super) language_key: String,
    /// Whether it is the default language, whose posts' keys have no prefix.
    pub(super) is_default: bool,
    /// Whether the site has other languages.
    pub(super) has_others: bool,
    /// BCP 47 tag for posts that do not say otherwise.
    pub(super) language: String,
    /// Put before every path, without slashes, if the site shows the language in addresses.
    pub(super) language_prefix: Option<String>,
    /// The address of the language's own host, where each language has one.
    pub(super) host: Option<Url>,
    pub(super) ignore_files: Vec<Regex>,
    /// The name of the environment.
    pub(super) environment: String,
    pub(super) permalinks: Permalinks,
    pub(super) remove_path_accents: bool,
    pub(super) disable_path_to_lower: bool,
    pub(super) ugly_urls: UglyUrls,
    /// Whether the site shows posts before their date.
    pub(super) build_future: bool,
    /// Whether the site shows posts after their expiry date.
    pub(super) build_expired: bool,
    /// Whether the site makes pages of posts at all.
    pub(super) makes_pages: bool,
    pub(super) time_zone: Tz,
    /// Words.
    pub(super) summary_length: usize,
    pub(super) markup: Markup,
    /// What the site calls its taxonomies of authors, where that is neither `author` nor `authors`.
    pub(super) author_taxonomies: Vec<String>,
    /// The site's own parameters, keys in lower case.
    pub(super) params: Option<Value>,
    pub(super) date_order: Order,
    /// The configuration's own `cascade`.
    pub(super) cascade: Option<Value>,
}

/// Where pages are files (`/post/name.html`) rather than folders.
#[derive(Debug)]
pub(super) enum UglyUrls {
    Everywhere(bool),
    /// By section.
    Sections(Map<String, Value>),
}

impl UglyUrls {
    fn new(value: Option<&Value>) -> Self {
        match value {
            Some(Value::Object(sections)) => Self::Sections(sections.clone()),
            other => Self::Everywhere(flag(other).unwrap_or(false)),
        }
    }

    /// Whether it holds for a section, a top folder of the content.
    pub(super) fn of(&self, section: &str) -> bool {
        match self {
            Self::Everywhere(ugly) => *ugly,
            Self::Sections(sections) => flag(sections.get(&section.to_lowercase())).unwrap_or(false),
        }
    }
}

impl Site {
    /// The place of a language among [`Site::languages`].
    pub(super) fn position(&self, key: &str) -> Option<usize> {
        self.languages.iter().position(|language| language.language_key.eq_ignore_ascii_case(key))
    }
}

impl SiteConfig {
    /// A page of this language, for rules that are for some pages only.
    pub(super) fn subject<'a>(&'a self, path: &'a str, kind: Kind) -> Subject<'a> {
        Subject { path, kind, language: &self.language_key, environment: &self.environment }
    }

    /// A post's own name in this source: its path, behind the language's key outside of the default language.
    pub(super) fn post_key(&self, path: &str) -> String {
        if self.is_default { path.to_owned() } else { format!("{}:{path}", self.language_key) }
    }

    /// Where this language is public. The default language is at the source's `public_url` even where each has a
    /// host.
    pub(super) fn public_url<'a>(&'a self, of_source: &'a Url) -> &'a Url {
        self.host.as_ref().filter(|_| !self.is_default).unwrap_or(of_source)
    }
}

/// Reads the configuration as `hugo --environment` does.
pub(super) fn load(root: &Path, environment: &str, warnings: &mut Vec<Warning>) -> Result<Site, ScanError> {
    let all = files::gather(root, environment, warnings)?;
    let languages = languages::languages(&all);
    let mut roots = languages::roots(root, &all, &languages, warnings);
    let first = roots.first().map_or_else(|| root.join("content"), |first| first.folder.clone());
    match rights::look(&first) {
        None | Some(Hindrance::Empty) => {}
        Some(Hindrance::NoRights) => return Err(ScanError::NoRights { folder: first }),
        Some(Hindrance::Missing | Hindrance::NoFolder) => return Err(ScanError::NoContent { folder: first }),
    }
    languages::missing(root, &mut roots, warnings);
    if flag(all.get("builddrafts")) == Some(true) {
        warnings.push(Warning {
            file: "the site configuration".to_owned(),
            line: None,
            message: "`buildDrafts` puts drafts on the site, but they are not sent, since a draft is not meant to be \
                      final; remove `draft` from those that are"
                .to_owned(),
        });
    }
    let hosts = languages::hosts(&languages, warnings);
    let several = languages.len() > 1;
    let languages = languages
        .iter()
        .enumerate()
        .map(|(place, language)| {
            let mut config = interpret(language, &all, warnings)?;
            config.is_default = place == 0;
            config.has_others = several;
            environment.clone_into(&mut config.environment);
            config.host = hosts.as_ref().and_then(|hosts| hosts.get(place)).cloned();
            if config.host.is_some() || (place == 0 && !in_subfolder(&all)) {
                config.language_prefix = None;
            }
            Ok(config)
        })
        .collect::<Result<_, ScanError>>()?;
    let git_info = flag(all.get("enablegitinfo")).unwrap_or(false);
    Ok(Site { languages, disabled: languages::disabled(&all), roots, git_info })
}

fn in_subfolder(all: &Map<String, Value>) -> bool {
    flag(all.get("defaultcontentlanguageinsubdir")).unwrap_or(false)
}

fn interpret(
    language: &Language,
    all: &Map<String, Value>,
    warnings: &mut Vec<Warning>,
) -> Result<SiteConfig, ScanError> {
    let Language { key, own, values } = language;
    let value = |name: &str| values.get(name);
    let yes = |name: &str| flag(value(name)).unwrap_or(false);

    // Themes' example sites leave `languageCode` behind, which says nothing where a language is named.
    let code = text(own.get("languagecode").or_else(|| own.get("locale"))).or_else(|| {
        let named = all.contains_key("defaultcontentlanguage");
        (!named).then(|| text(all.get("languagecode").or_else(|| all.get("locale")))).flatten()
    });
    Ok(SiteConfig {
        language_key: key.clone(),
        is_default: true,
        has_others: false,
        language: language_tag(code.as_deref().unwrap_or(key)),
        language_prefix: Some(key.clone()),
        host: None,
        ignore_files: ignore_patterns(value("ignorefiles"))?,
        environment: String::new(),
        permalinks: Permalinks::new(value("permalinks"), warnings),
        remove_path_accents: yes("removepathaccents"),
        disable_path_to_lower: yes("disablepathtolower"),
        ugly_urls: UglyUrls::new(all.get("uglyurls")),
        build_future: yes("buildfuture"),
        build_expired: yes("buildexpired"),
        makes_pages: !texts(value("disablekinds")).iter().any(|kind| kind.eq_ignore_ascii_case("page")),
        time_zone: time_zone(value("timezone"), warnings),
        summary_length: value("summarylength")
            .and_then(Value::as_u64)
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(70),
        markup: Markup::new(value("markup"), yes("enableemoji")),
        author_taxonomies: author_taxonomies(value("taxonomies")),
        params: value("params").cloned(),
        date_order: Order::new(value("frontmatter")),
        cascade: value("cascade").cloned(),
    })
}

/// A taxonomy is a singular and a plural, and posts carry the plural.
fn author_taxonomies(table: Option<&Value>) -> Vec<String> {
    let Some(Value::Object(table)) = table else { return Vec::new() };
    let of_authors =
        |name: &str| matches!(name, "author" | "authors" | "writer" | "writers" | "contributor" | "contributors");
    let plural = |(singular, plural): (&String, &Value)| {
        let plural = text(Some(plural))?.to_lowercase();
        (of_authors(singular) || of_authors(&plural)).then_some(plural)
    };
    table.iter().filter_map(plural).collect()
}

/// The language alone (`en-us` is `en`), except where region or script is another way of writing.
fn language_tag(code: &str) -> String {
    let code = code.replace('_', "-");
    let mut parts = code.split('-');
    let language = parts.next().unwrap_or_default().to_lowercase();
    match (language.as_str(), parts.next()) {
        ("zh" | "pt" | "sr", Some(rest)) if rest.len() == 2 => format!("{language}-{}", rest.to_uppercase()),
        ("zh" | "sr", Some(rest)) if rest.len() == 4 => {
            format!(
                "{language}-{}{}",
                rest.get(..1).unwrap_or_default().to_uppercase(),
                rest.get(1..).unwrap_or_default().to_lowercase()
            )
        }
        _ => language,
    }
}

fn ignore_patterns(value: Option<&Value>) -> Result<Vec<Regex>, ScanError> {
    texts(value)
        .iter()
        .map(|pattern| {
            Regex::new(pattern).map_err(|_| ScanError::Configuration {
                file: "the site configuration".to_owned(),
                line: None,
                why: format!("`ignoreFiles` holds `{pattern}`, which is no regular expression"),
            })
        })
        .collect()
}

fn time_zone(value: Option<&Value>, warnings: &mut Vec<Warning>) -> Tz {
    let Some(name) = text(value) else { return Tz::UTC };
    name.parse().unwrap_or_else(|_| {
        warnings.push(Warning {
            file: "the site configuration".to_owned(),
            line: None,
            message: format!("`timeZone` is `{name}`, which is no known zone, so dates are read as UTC; write it like `Europe/Amsterdam`"),
        });
        Tz::UTC
    })
}
