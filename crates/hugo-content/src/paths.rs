//! Texts as parts of an address, as Hugo cleans them (its `common/paths`, tried with 0.111 and 0.168; docs/hugo.md#addresses).

use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization;
use url::Url;

use super::config::SiteConfig;

/// A text as a path: allowed characters only, lower case, without accents if the site says so.
pub(super) fn urlize(text: &str, config: &SiteConfig) -> String {
    let mut path = sanitize(text);
    if config.remove_path_accents {
        path = path.nfd().filter(|c| !is_accent(*c)).nfc().collect();
    }
    if config.disable_path_to_lower { path } else { lower(&path) }
}

/// An author's slug: blanks become hyphens, capitals small letters; a slash would lead out of the folder.
pub(super) fn slug_of(name: &str, config: &SiteConfig) -> String {
    urlize(name.trim(), config).to_lowercase().replace('/', "-")
}

/// Small letters one by one, as Go has them: no final sigma, and `İ` becomes `i`.
fn lower(text: &str) -> String {
    text.chars().flat_map(|c| c.to_lowercase().take(1)).collect()
}

/// Blanks become one hyphen, other characters that are not allowed go.
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
    static WORD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[\p{L}\p{Nd}\p{M}]$").ok());
    if c.is_ascii() {
        return match c {
            '.' | '/' | '\\' | '_' | '#' | '+' | '~' | '-' | '@' => true,
            '%' => text.get(at + 1..at + 3).is_some_and(|two| two.bytes().all(|b| b.is_ascii_hexdigit())),
            c => c.is_ascii_alphanumeric(),
        };
    }
    WORD.as_ref().is_some_and(|word| word.is_match(c.encode_utf8(&mut [0; 4])))
}

/// A mark that takes no place of its own, unlike many vowels of Indian scripts.
fn is_accent(c: char) -> bool {
    static MARK: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\p{Mn}$").ok());
    MARK.as_ref().is_some_and(|mark| mark.is_match(c.encode_utf8(&mut [0; 4])))
}

/// A path without double slashes, `.` and `..`, with one slash before it, and one behind it if there was one.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let end = if path.ends_with('/') && !parts.is_empty() { "/" } else { "" };
    format!("/{}{end}", parts.join("/"))
}

/// A path below the site's address; what may not stand in an address is encoded, as Go does it.
pub(super) fn join(public_url: &Url, path: &str) -> Url {
    let mut url = public_url.clone();
    url.set_query(None);
    url.set_fragment(None);
    let path = path.trim_start_matches('/').replace('\\', "%5C").replace('\'', "%27");
    url.set_path(&format!("{}/{path}", public_url.path().trim_end_matches('/')));
    url
}
