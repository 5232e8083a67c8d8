//! The tokens of `permalinks` and of `url` (docs/hugo.md#addresses).

use std::sync::LazyLock;

use chrono::Datelike;
use regex::Regex;

use super::config::SiteConfig;
use super::golang;
use super::paths::urlize;
use super::permalink::Place;

/// Replaces the tokens of a pattern; `\:` is a colon.
pub(super) fn expand(pattern: &str, place: &Place<'_>, config: &SiteConfig) -> String {
    let Some(token) = token() else { return pattern.to_owned() };
    let escaped = pattern.replace("\\:", "\0");
    let expanded = token.replace_all(&escaped, |found: &regex::Captures<'_>| {
        let name = found.get(1).map_or("", |name| name.as_str());
        let range = found.get(2).map(|range| range.as_str().trim_matches(['[', ']']));
        value(name, range, place, config)
            .unwrap_or_else(|| found.get(0).map_or_else(String::new, |all| all.as_str().to_owned()))
    });
    expanded.replace('\0', ":")
}

/// The first token that Hugo does not know, or that we do not.
pub(super) fn unknown(pattern: &str) -> Option<String> {
    let escaped = pattern.replace("\\:", "\0");
    let known = |name: &str| NAMES.contains(&name) || golang::format(golang::zero(), name).is_some();
    token()?
        .captures_iter(&escaped)
        .find(|found| !found.get(1).is_some_and(|name| known(name.as_str())))
        .map(|found| found.get(0).map_or_else(String::new, |all| all.as_str().to_owned()))
}

fn token() -> Option<&'static Regex> {
    static TOKEN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r":([0-9A-Za-z_]+)(\[.+?\])?").ok());
    TOKEN.as_ref()
}

const NAMES: &[&str] = &[
    "year",
    "month",
    "monthname",
    "day",
    "weekday",
    "weekdayname",
    "yearday",
    "section",
    "sections",
    "title",
    "slug",
    "slugorfilename",
    "slugorcontentbasename",
    "filename",
    "contentbasename",
];

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
