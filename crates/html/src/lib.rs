//! The one HTML cleaner: what sites and strangers write becomes the small subset that is safe to show and to
//! send (interop B23, E22), and plain text.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use regex::{Captures, Regex};
use url::Url;

mod cost;
mod names;
mod plain;
mod strangers;

pub use cost::Cost;
use cost::{Limits, words};
pub use names::{UNNAMED, name, straight, username};
pub use plain::{escape, paragraphs, text, text_of_clean, unescape};
pub use strangers::{Cleaned, STRANGERS_MAX, clean_strangers, clean_strangers_again};

/// What may stand in content: interop B23, tables, and the marks whose loss would change what is said (`sup` in
/// a formula, `hr` between two parts).
const CONTENT: &[&str] = &[
    "p",
    "br",
    "hr",
    "a",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "blockquote",
    "pre",
    "code",
    "em",
    "strong",
    "b",
    "i",
    "u",
    "del",
    "sup",
    "sub",
    "img",
    "ruby",
    "rt",
    "rp",
    "table",
    "thead",
    "tbody",
    "tfoot",
    "tr",
    "th",
    "td",
    "caption",
];

/// Blocks outside the subset: they become paragraphs, so that their words do not run into their neighbours'.
const BLOCKS: &[&str] = &[
    "div",
    "section",
    "article",
    "aside",
    "header",
    "footer",
    "main",
    "nav",
    "figure",
    "figcaption",
    "details",
    "summary",
    "center",
    "address",
    "dl",
    "dt",
    "dd",
    "fieldset",
    "form",
];

/// Other names of elements in the subset.
const SYNONYMS: &[(&str, &str)] =
    &[("h1", "h2"), ("s", "del"), ("strike", "del"), ("tt", "code"), ("kbd", "code"), ("ins", "u")];

/// Removed with all they hold; everything else unknown is unwrapped.
const GONE: &[&str] = &[
    "script",
    "style",
    "template",
    "noscript",
    "iframe",
    "object",
    "svg",
    "math",
    "title",
    "textarea",
    "select",
    "xmp",
    "noembed",
    "noframes",
    "plaintext",
];

/// The cleaner's output differs from its input mostly once; this is for what strangers make on purpose.
const ROUNDS: usize = 6;

/// Longest value of an attribute, in bytes: html5ever looks to its end for each character that it escapes.
const VALUE_MAX: usize = 8_192;

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| content_builder(UrlRelative::Deny));
static STRIPPER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = content_builder(UrlRelative::Deny);
    builder.tag_attributes(HashMap::new()).link_rel(None);
    builder
});

/// Any tag, in the cleaner's output.
static TAG: LazyLock<Regex> = LazyLock::new(|| pattern("<[^>]*>"));

/// Cleans content: the subset of interop B23 and tables, links only to `http`, `https` and `mailto` and with
/// `rel="nofollow noopener"`, images only from `http` and `https`. Relative addresses are dropped. Cleaning what
/// is clean changes nothing.
///
/// Time and memory are linear in the length of the HTML. Before a round a tokenizer and a tree builder that keeps no tree
/// count what it would cost; HTML that needs more than a node and 64 steps for each byte, or that is open deeper than 200
/// elements (800, with those that end by themselves), is left as its words alone, and of a tag's attributes the first 256
/// are read. There are at most eight rounds.
#[must_use]
pub fn clean(html: &str) -> String {
    settle(html, |html| tidy(&CLEANER.clean(html).to_string()))
}

/// A piece of clean HTML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A tag, with its brackets.
    Tag(&'a str),
    /// Escaped text between tags.
    Text(&'a str),
}

/// Takes clean HTML apart; the pieces joined are the HTML again. A `>` between the quotes of an attribute ends no tag.
pub fn pieces(clean: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = clean;
    std::iter::from_fn(move || {
        let is_tag = rest.starts_with('<');
        let end = if is_tag { tag_end(rest) } else { rest.find('<').unwrap_or(rest.len()) };
        let (piece, after) = rest.split_at(end);
        rest = after;
        (!piece.is_empty()).then_some(if is_tag { Piece::Tag(piece) } else { Piece::Text(piece) })
    })
}

fn tag_end(tag: &str) -> usize {
    let mut quoted = false;
    for (at, byte) in tag.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'>' if !quoted => return at + 1,
            _ => {}
        }
    }
    tag.len()
}

/// As [`clean`], with relative addresses of links and images made absolute against the page they stand on.
#[must_use]
pub fn clean_at(html: &str, page: &Url) -> String {
    let builder = content_builder(UrlRelative::RewriteWithBase(page.clone()));
    let most = Limits::of(html.len());
    let absolute = round(html, most, |html| builder.clean(html).to_string());
    settle_within(&absolute, most, |html| tidy(&CLEANER.clean(html).to_string()))
}

/// Whether an element of this name may stand in what [`clean`] gives.
#[must_use]
pub fn is_content(name: &str) -> bool {
    CONTENT.contains(&name)
}

/// Clean HTML without its headings.
#[must_use]
pub fn without_headings(clean: &str) -> String {
    static HEADING: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)<h[2-6]>.*?</h[2-6]>"));
    HEADING.replace_all(clean, "").into_owned()
}

fn content_builder(relative: UrlRelative<'static>) -> Builder<'static> {
    let mut builder = Builder::empty();
    let synonyms = SYNONYMS.iter().map(|(name, _)| *name);
    builder
        .tags(CONTENT.iter().copied().chain(synonyms).chain(paragraph_like()).collect())
        .clean_content_tags(GONE.iter().copied().collect())
        .generic_attributes(HashSet::new())
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href"])),
            ("img", HashSet::from(["src", "alt"])),
            ("code", HashSet::from(["class"])),
            ("ol", HashSet::from(["start"])),
        ]))
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(relative)
        .link_rel(Some("nofollow noopener"))
        .strip_comments(true)
        .attribute_filter(fitting);
    builder
}

fn paragraph_like() -> impl Iterator<Item = &'static str> {
    BLOCKS.iter().copied()
}

/// Drops attribute values that the rules on schemes let through but that make no sense there, and writes addresses as
/// browsers read them.
fn fitting<'u>(element: &str, attribute: &str, value: &'u str) -> Option<Cow<'u, str>> {
    if value.len() > VALUE_MAX {
        return None;
    }
    if matches!(attribute, "href" | "src") {
        return fitting_address(element, value);
    }
    let fits = match (element, attribute) {
        ("ol", "start") => !value.is_empty() && value.len() < 9 && value.bytes().all(|b| b.is_ascii_digit()),
        ("code", "class") => value.strip_prefix("language-").is_some_and(|name| {
            !name.is_empty()
                && name.len() <= 30
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'#' | b'.' | b'_'))
        }),
        _ => true,
    };
    fits.then_some(Cow::Borrowed(value))
}

/// An address without the line ends and tabs that a browser leaves out wherever they stand, even within the scheme, and
/// without control characters and blanks at its ends (WHATWG URL, "basic URL parser"): others who clean it again may
/// not know of them.
fn fitting_address<'u>(element: &str, value: &'u str) -> Option<Cow<'u, str>> {
    let is_left_out = |c: char| matches!(c, '\t' | '\n' | '\r');
    let trimmed = value.trim_matches(|c: char| c <= ' ');
    let address = if trimmed.contains(is_left_out) {
        Cow::Owned(trimmed.replace(is_left_out, ""))
    } else {
        Cow::Borrowed(trimmed)
    };
    let is_mail = address.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("mailto:"));
    let makes_sense = !address.is_empty() && (element != "img" || !is_mail);
    makes_sense.then_some(address)
}

/// Works on the cleaner's output only, whose form is known: no `<` or `>` but those of allowed tags.
fn tidy(html: &str) -> String {
    static NAME: LazyLock<Regex> = LazyLock::new(|| {
        let names: Vec<&str> = SYNONYMS.iter().map(|(name, _)| *name).chain(paragraph_like()).collect();
        pattern(&format!("<(/?)({})>", names.join("|")))
    });
    static NO_ADDRESS: LazyLock<Regex> =
        LazyLock::new(|| pattern(r#"(?s)<img(?: alt="[^"]*")?>|<a rel="nofollow noopener(?: ugc)?">(.*?)</a>"#));
    static EMPTY: LazyLock<Regex> = LazyLock::new(|| {
        let inline = ["b", "i", "u", "em", "strong", "del", "sup", "sub"].map(|name| format!(r"<{name}>\s*</{name}>"));
        pattern(&format!(r"<p>(?:\s|&nbsp;)*</p>|{}", inline.join("|")))
    });

    let html = NAME.replace_all(html, |found: &Captures<'_>| {
        let (slash, name) = (found.get(1).map_or("", |m| m.as_str()), found.get(2).map_or("", |m| m.as_str()));
        let name = SYNONYMS.iter().find(|(from, _)| *from == name).map_or("p", |(_, to)| to);
        format!("<{slash}{name}>")
    });
    let html = NO_ADDRESS.replace_all(&html, "$1");
    EMPTY.replace_all(&html, "").trim().to_owned()
}

/// Cleans until nothing changes any more; what never settles is shown as its words alone.
fn settle(html: &str, pass: impl Fn(&str) -> String) -> String {
    settle_within(html, Limits::of(html.len()), pass)
}

fn settle_within(html: &str, most: Limits, pass: impl Fn(&str) -> String) -> String {
    let mut html = round(&html.replace('\0', ""), most, &pass);
    for _ in 0..ROUNDS {
        let again = round(&html, most, &pass);
        if again == html {
            return html;
        }
        html = again;
    }
    TAG.replace_all(&html, " ").trim().to_owned()
}

/// A round of cleaning of HTML whose cost is known to be within the limits, its own and those of what it came from; of any
/// other its words alone are cleaned.
fn round(html: &str, most: Limits, pass: impl Fn(&str) -> String) -> String {
    match Limits::of(html.len()).and(most).admit(html) {
        Some(kept) => pass(&kept),
        None => pass(&words(html)),
    }
}

#[expect(clippy::expect_used, reason = "the patterns are constants, and every one is run by a test")]
fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a valid pattern")
}

#[cfg(test)]
mod tests;
