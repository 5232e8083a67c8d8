//! Where Hugo puts a page (docs/hugo.md#addresses). The rules were read in Hugo's source and tried with Hugo 0.111 and 0.168.

use url::Url;

use super::config::SiteConfig;
use super::dates::Moment;
use super::matcher::Kind;
use super::paths::{clean, join, urlize};
use super::tokens;

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
        (Some(url), _) => given_path(&tokens::expand(url, place, config)),
        (None, Some(pattern)) => {
            let path = clean(&unescaped(&tokens::expand(pattern, place, config)));
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
