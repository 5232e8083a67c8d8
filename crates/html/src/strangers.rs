//! What strangers write: bounded in length and number of links, without images, and cleaned once for all who read it.

use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use regex::{Captures, Regex};

use super::cost::Limits;
use super::{TAG, content_builder, pattern, round, settle, text_of_clean, tidy, unescape};

/// Longest HTML of a stranger, in bytes, as it comes and as it is kept (interop E22).
pub const STRANGERS_MAX: usize = 100_000;

/// Most links in it; what exceeds them stays as words.
const STRANGERS_LINKS: usize = 100;

static STRANGERS: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = content_builder(UrlRelative::Deny);
    builder.rm_tags(["img"]).link_rel(Some("nofollow noopener ugc"));
    builder
});

/// Cleans what a stranger wrote (interop E22): as [`clean`](super::clean), without images, with `ugc` on links, bounded in
/// length and number of links. Cleaning what is clean changes nothing.
#[must_use]
pub fn clean_strangers(html: &str) -> String {
    let mut most = STRANGERS_MAX;
    loop {
        let cut = html.get(..html.floor_char_boundary(most)).unwrap_or_default();
        let clean = settle(cut, |html| few_links(&tidy(&STRANGERS.clean(html).to_string())));
        // Escaping makes text longer.
        if clean.len() <= STRANGERS_MAX {
            return clean;
        }
        most /= 2;
    }
}

/// As [`clean_strangers`], for what it has cleaned before: once more before it is shown (interop E22), and cheaper.
#[must_use]
pub fn clean_strangers_again(html: &str) -> String {
    let once = round(html, Limits::of(html.len()), |html| few_links(&tidy(&STRANGERS.clean(html).to_string())));
    if once == html && once.len() <= STRANGERS_MAX { once } else { clean_strangers(html) }
}

/// Clean HTML in which the first links are links, and the others words.
fn few_links(clean: &str) -> String {
    static LINK: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(?s)<a href="[^"]*" rel="[^"]*">(.*?)</a>"#));
    let mut seen = 0;
    let few = LINK.replace_all(clean, |found: &Captures<'_>| {
        seen += 1;
        let kept = if seen <= STRANGERS_LINKS { found.get(0) } else { found.get(1) };
        kept.map_or_else(String::new, |text| text.as_str().to_owned())
    });
    few.into_owned()
}

/// What a stranger wrote, cleaned, and what is asked of it by those who judge it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// As [`clean_strangers`] leaves it.
    pub html: String,
    /// As [`text_of_clean`] leaves that.
    pub text: String,
    /// Links.
    pub links: usize,
    /// Of these, links whose words begin as those of a mention or a hashtag do.
    pub names: usize,
}

impl Cleaned {
    /// Cleans it: the one time for a text, on a thread for such work.
    #[must_use]
    pub fn of(content: &str) -> Self {
        static ANCHOR: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(?s)<a href="[^"]*"[^>]*>(.*?)</a>"#));
        let html = clean_strangers(content);
        let (mut links, mut names) = (0, 0);
        for anchor in ANCHOR.captures_iter(&html) {
            let words = unescape(&TAG.replace_all(anchor.get(1).map_or("", |words| words.as_str()), ""));
            links += 1;
            names += usize::from(words.trim_start().starts_with(['@', '#']));
        }
        Self { text: text_of_clean(&html), html, links, names }
    }
}
