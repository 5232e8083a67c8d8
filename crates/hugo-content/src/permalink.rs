//! Where Hugo puts a page (docs/hugo.md#addresses). The rules were read in Hugo's source and tried with Hugo 0.111 and 0.168.

use chrono::Datelike;
use url::Url;

use super::config::SiteConfig;
use super::dates::Moment;
use super::matcher::Kind;
use super::paths::{clean, join, urlize};
use super::{golang, tokens};

/// What decides a page's address.
#[derive(Debug)]
pub(super) struct Place<'a> {
    /// The page's key: folder and file or bundle name.
    pub(super) key: &'a str,
    /// The folder of the section that the page is in: the nearest above it that has an `_index`, or the top one.
    pub(super) section: &'a str,
    pub(super) title: &'a str,
    pub(super) slug: Option<&'a str>,
    /// The front matter's `url`.
    pub(super) url: Option<&'a str>,
    pub(super) date: Option<Moment>,
}

/// The page's public address.
pub(super) fn address(place: &Place<'_>, config: &SiteConfig, public_url: &Url) -> Url {
    let path = match (place.url, config.permalinks.of(config.subject(place.key, Kind::Page))) {
        (Some(url), _) => given_path(&expand(url, place, config)),
        (None, Some(pattern)) => {
            let path = clean(&unescaped(&expand(pattern, place, config)));
            ended(&format!("{}/", urlize(path.trim_end_matches('/'), config)), place, config)
        }
        (None, None) => plain_path(place, config),
    };
    // A leading slash in `url` means the whole path where there are several languages.
    let whole = place.url.is_some_and(|url| url.starts_with('/')) && config.host.is_none();
    let prefix = config.language_prefix.as_deref().filter(|_| !whole);
    join(public_url, &format!("{}{path}", prefix.unwrap_or_default()))
}

/// The folder in which Hugo publishes a branch's resources, like a profile's picture.
pub(super) fn folder_address(key: &str, config: &SiteConfig, public_url: &Url) -> Url {
    let prefix = config.language_prefix.as_deref().map(|key| format!("{key}/")).unwrap_or_default();
    join(public_url, &format!("{prefix}{}/", file_path(key, config).trim_matches('/')))
}

/// Hugo reads an expanded pattern like a query, in which `+` is a blank.
fn unescaped(path: &str) -> String {
    let pair = format!("={}", path.replace('&', "%26"));
    url::form_urlencoded::parse(pair.as_bytes()).map(|(_, path)| path.into_owned()).collect()
}

/// A `url` as it stands in the front matter: a file if there is a dot in it and no slash behind it.
fn given_path(url: &str) -> String {
    let path = clean(url);
    if let Some(folder) = path.strip_suffix("/index.html") {
        return format!("{folder}/");
    }
    if url.contains('.') && !url.ends_with('/') { path } else { format!("{}/", path.trim_end_matches('/')) }
}

fn plain_path(place: &Place<'_>, config: &SiteConfig) -> String {
    let Some(slug) = place.slug else {
        return ended(&format!("{}/", file_path(place.key, config)), place, config);
    };
    let folder = place.key.rsplit_once('/').map_or_else(String::new, |(folder, _)| file_path(folder, config));
    if slug == "index" {
        return format!("{folder}/");
    }
    let path = clean(&format!("{folder}/{}/", urlize(slug, config)));
    ended(&path, place, config)
}

/// With `.html` in the place of the last slash where the site wants it so.
fn ended(path: &str, place: &Place<'_>, config: &SiteConfig) -> String {
    let section = place.key.split_once('/').map_or("", |(section, _)| section);
    if config.ugly_urls.of(section) { format!("{}.html", path.trim_end_matches('/')) } else { path.to_owned() }
}

/// A file's path as Hugo since 0.123 has it: every blank is a hyphen. Earlier versions, and `disablePathToLower`,
/// make one hyphen of several blanks. With a slash before it and none behind.
fn file_path(key: &str, config: &SiteConfig) -> String {
    let path = if config.disable_path_to_lower { format!("/{key}") } else { format!("/{key}").replace(' ', "-") };
    urlize(&path, config).trim_end_matches('/').to_owned()
}

/// Replaces the tokens of a pattern; `\:` is a colon.
fn expand(pattern: &str, place: &Place<'_>, config: &SiteConfig) -> String {
    let Some(token) = tokens::token() else { return pattern.to_owned() };
    let escaped = pattern.replace("\\:", "\0");
    let expanded = token.replace_all(&escaped, |found: &regex::Captures<'_>| {
        let name = found.get(1).map_or("", |name| name.as_str());
        let range = found.get(2).map(|range| range.as_str().trim_matches(['[', ']']));
        value(name, range, place, config)
            .unwrap_or_else(|| found.get(0).map_or_else(String::new, |all| all.as_str().to_owned()))
    });
    expanded.replace('\0', ":")
}

fn value(name: &str, range: Option<&str>, place: &Place<'_>, config: &SiteConfig) -> Option<String> {
    let at = place.date.unwrap_or_else(golang::zero);
    let file = || part(place.key.rsplit('/').next().unwrap_or(place.key), config);
    let slug_or = |other: String| place.slug.map_or(other, |slug| part(slug, config));
    Some(match name {
        "year" => at.year().to_string(),
        "month" => format!("{:02}", at.month()),
        "monthname" => at.format("%B").to_string(),
        "day" => format!("{:02}", at.day()),
        "weekday" => at.weekday().num_days_from_sunday().to_string(),
        "weekdayname" => at.format("%A").to_string(),
        "yearday" => at.ordinal().to_string(),
        "section" => place.section.split('/').next().unwrap_or_default().to_lowercase(),
        "sections" => sections(&place.section.to_lowercase(), range),
        "title" => part(place.title, config),
        "slug" => slug_or(part(place.title, config)),
        "slugorfilename" | "slugorcontentbasename" => slug_or(file()),
        "filename" | "contentbasename" => file(),
        name => return golang::format(at, name),
    })
}

/// A text as one part of a path.
fn part(text: &str, config: &SiteConfig) -> String {
    urlize(&text.replace('/', "-"), config)
}

/// `:sections`, or a part of them: `[1]`, `[last]`, `[1:]`, `[:2]`, `[1:last]`.
fn sections(folder: &str, range: Option<&str>) -> String {
    let all: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    let last = all.len().saturating_sub(1);
    let index = |text: &str, otherwise: usize| match text {
        "" => otherwise,
        "last" => last,
        number => number.parse().unwrap_or(0),
    };
    let range = range.map(|range| range.trim().to_lowercase());
    let (from, to) = match range.as_deref() {
        None => (0, all.len()),
        Some(range) => match range.split_once(':') {
            Some((from, to)) => (index(from, 0), index(to, all.len())),
            None => (index(range, 0), index(range, 0) + 1),
        },
    };
    let to = to.min(all.len());
    all.get(from.min(to)..to).unwrap_or_default().join("/")
}
