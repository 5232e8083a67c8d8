//! Where Hugo puts a page (sources 1.4). The rules were read in Hugo's `common/paths` and tried with Hugo 0.168.

use std::sync::LazyLock;

use chrono::Datelike;
use regex::Regex;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use url::Url;

use super::config::SiteConfig;
use super::dates::Moment;

/// What decides a page's address.
#[derive(Debug)]
pub(super) struct Place<'a> {
    /// The page's key: folder and file or bundle name.
    pub(super) key: &'a str,
    pub(super) title: &'a str,
    pub(super) slug: Option<&'a str>,
    /// The front matter's `url`.
    pub(super) url: Option<&'a str>,
    pub(super) date: Option<Moment>,
}

/// The page's public address.
pub(super) fn address(place: &Place<'_>, config: &SiteConfig, public_url: &Url) -> Url {
    let path = match (place.url, pattern(place, config)) {
        (Some(url), _) => expand(url, place, config),
        (None, Some(pattern)) => expand(pattern, place, config),
        (None, None) => plain_path(place, config),
    };
    let has_extension = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    let trimmed = path.trim_matches('/');
    // A leading slash in `url` means the whole path where there are several languages.
    let whole = place.url.is_some_and(|url| url.starts_with('/')) && config.has_others;
    let prefix = config.language_prefix.as_deref().filter(|_| !whole).map(|key| format!("{key}/")).unwrap_or_default();
    let end = match () {
        () if place.url.is_some() && has_extension => "",
        () if place.url.is_none() && config.ugly_urls => ".html",
        () => "/",
    };
    join(public_url, &format!("{prefix}{trimmed}{end}"))
}

/// A path below the site's address; what may not stand in an address is encoded.
pub(super) fn join(public_url: &Url, path: &str) -> Url {
    let mut url = public_url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.set_path(&format!("{}/{}", public_url.path().trim_end_matches('/'), path.trim_start_matches('/')));
    url
}

/// The folder in which Hugo publishes a branch's resources, like a profile's picture.
pub(super) fn folder_address(key: &str, config: &SiteConfig, public_url: &Url) -> Url {
    let prefix = config.language_prefix.as_deref().map(|key| format!("{key}/")).unwrap_or_default();
    join(public_url, &format!("{prefix}{}/", file_path(key, config)))
}

fn pattern<'a>(place: &Place<'_>, config: &'a SiteConfig) -> Option<&'a str> {
    let section = section(place.key).to_lowercase();
    config.permalinks.iter().find(|(name, _)| *name == section).map(|(_, pattern)| pattern.as_str())
}

fn section(key: &str) -> &str {
    key.split_once('/').map_or("", |(section, _)| section)
}

fn base_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

fn plain_path(place: &Place<'_>, config: &SiteConfig) -> String {
    let path = file_path(place.key, config);
    match (place.slug, path.rsplit_once('/')) {
        (Some(slug), Some((folder, _))) => format!("{folder}/{}", urlize(slug, config)),
        (Some(slug), None) => urlize(slug, config),
        (None, _) => path,
    }
}

/// Replaces the tokens of a pattern.
fn expand(pattern: &str, place: &Place<'_>, config: &SiteConfig) -> String {
    static TOKEN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r":([a-z]+)(\[[^\]]*\])?").ok());
    let Some(token) = TOKEN.as_ref() else { return pattern.to_owned() };
    let expanded = token.replace_all(pattern, |found: &regex::Captures<'_>| {
        let name = found.get(1).map_or("", |name| name.as_str());
        let range = found.get(2).map(|range| range.as_str().trim_matches(['[', ']']));
        value(name, range, place, config)
            .unwrap_or_else(|| found.get(0).map_or_else(String::new, |all| all.as_str().to_owned()))
    });
    if place.url.is_some() { expanded.into_owned() } else { urlize(&expanded, config) }
}

fn value(name: &str, range: Option<&str>, place: &Place<'_>, config: &SiteConfig) -> Option<String> {
    // A page without a date has Go's zero time.
    let date = |of: fn(&Moment) -> u32, zero: u32| place.date.as_ref().map_or(zero, of);
    let file = || urlize(base_name(place.key), config);
    let slug_or = |other: String| place.slug.map_or(other, |slug| urlize(slug, config));
    Some(match name {
        "year" => place.date.map_or_else(|| "1".to_owned(), |at| at.year().to_string()),
        "month" => format!("{:02}", date(Datelike::month, 1)),
        "monthname" => place.date.map_or_else(|| "January".to_owned(), |at| at.format("%B").to_string()),
        "day" => format!("{:02}", date(Datelike::day, 1)),
        "weekday" => date(|at| at.weekday().num_days_from_sunday(), 1).to_string(),
        "weekdayname" => place.date.map_or_else(|| "Monday".to_owned(), |at| at.format("%A").to_string()),
        "yearday" => date(Datelike::ordinal, 1).to_string(),
        "section" => urlize(section(place.key), config),
        "sections" => sections(place.key, range, config),
        "title" => urlize(place.title, config),
        "slug" => slug_or(urlize(place.title, config)),
        "slugorfilename" | "slugorcontentbasename" => slug_or(file()),
        "filename" | "contentbasename" => file(),
        _ => return None,
    })
}

/// `:sections`, or a part of them: `[1]`, `[last]`, `[1:]`, `[:2]`, `[1:last]`.
fn sections(key: &str, range: Option<&str>, config: &SiteConfig) -> String {
    let folder = key.rsplit_once('/').map_or("", |(folder, _)| folder);
    let all: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    let last = all.len().saturating_sub(1);
    let index = |text: &str, otherwise: usize| match text {
        "" => otherwise,
        "last" => last,
        number => number.parse().unwrap_or(otherwise),
    };
    let (from, to) = match range {
        None => (0, all.len()),
        Some(range) => match range.split_once(':') {
            Some((from, to)) => (index(from, 0), index(to, all.len())),
            None => (index(range, 0), index(range, 0) + 1),
        },
    };
    let to = to.min(all.len());
    let chosen = all.get(from.min(to)..to).unwrap_or_default();
    chosen.iter().map(|part| urlize(part, config)).collect::<Vec<_>>().join("/")
}

/// A file's path as Hugo since 0.123 has it: every blank is a hyphen. Earlier versions, and `disablePathToLower`,
/// make one hyphen of several blanks.
fn file_path(key: &str, config: &SiteConfig) -> String {
    if config.disable_path_to_lower {
        return urlize(key, config);
    }
    urlize(&key.replace(' ', "-"), config)
}

/// A text as a path: allowed characters only, lower case, without accents if the site says so.
pub(super) fn urlize(text: &str, config: &SiteConfig) -> String {
    let mut path = sanitize(text);
    if config.remove_path_accents {
        path = path.nfd().filter(|c| !is_combining_mark(*c)).nfc().collect();
    }
    if config.disable_path_to_lower { path } else { path.to_lowercase() }
}

fn sanitize(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut hyphen_due = false;
    for (at, c) in text.char_indices() {
        if allowed(text, at, c) {
            if hyphen_due && c != '-' {
                out.push('-');
            }
            hyphen_due = false;
            out.push(c);
        } else if c.is_whitespace() && !out.is_empty() && !out.ends_with('-') {
            hyphen_due = true;
        }
    }
    out
}

fn allowed(text: &str, at: usize, c: char) -> bool {
    if c.is_ascii() {
        return match c {
            '.' | '/' | '\\' | '_' | '#' | '+' | '~' | '-' | '@' => true,
            '%' => text.get(at + 1..at + 3).is_some_and(|two| two.bytes().all(|b| b.is_ascii_hexdigit())),
            c => c.is_ascii_alphanumeric(),
        };
    }
    c.is_alphanumeric() || is_combining_mark(c)
}
