//! A site's tags as hashtags that every peer keeps (interop B10).

use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use url::Url;

/// A tag as peers know it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hashtag {
    /// With `#` before it.
    pub(super) name: String,
    /// A web page about the tag.
    pub(super) href: String,
}

/// The tags that can be hashtags, each once regardless of case.
///
/// A hashtag's page is the site's own, since we serve none: `/tags/{slug}/` at the root of the article's site, the
/// slug as Hugo makes it by default. Peers link to their own page of the tag and keep ours as a hint; where the
/// article has no proper address, that address stands in.
pub(super) fn hashtags(tags: &[String], site: Option<&Url>, otherwise: &str) -> Vec<Hashtag> {
    let mut seen = HashSet::new();
    let named = tags.iter().filter_map(|tag| Some((tag, name(tag)?)));
    let fresh = named.filter(|(_, name)| seen.insert(name.to_lowercase()));
    fresh
        .map(|(tag, name)| {
            let href = site.and_then(|site| page(site, tag)).unwrap_or_else(|| otherwise.to_owned());
            Hashtag { name, href }
        })
        .collect()
}

/// `open source` becomes `#OpenSource`, which a screen reader can read; a single word keeps its case.
/// `None` without a letter, for peers drop such a tag.
fn name(tag: &str) -> Option<String> {
    let plain: String = tag.nfkc().collect();
    let words: Vec<&str> = plain.split(|c: char| !belongs(c)).filter(|word| !word.is_empty()).collect();
    let name = match words.as_slice() {
        [word] => (*word).to_owned(),
        words => words.iter().map(|word| capitalised(word)).collect(),
    };
    name.chars().any(char::is_alphabetic).then(|| format!("#{name}"))
}

fn belongs(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || is_combining_mark(c)
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn page(site: &Url, tag: &str) -> Option<String> {
    let slug: String = tag
        .trim()
        .chars()
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_whitespace() { '-' } else { c })
        .filter(|c| belongs(*c) || matches!(c, '-' | '.' | '+' | '~' | '@'))
        .collect();
    let mut page = site.clone();
    page.set_query(None);
    page.set_fragment(None);
    page.path_segments_mut().ok()?.clear().extend(["tags", &slug, ""]);
    Some(page.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_become_hashtags_or_nothing() {
        for (tag, expected) in [
            ("rust", Some("#rust")),
            ("AI", Some("#AI")),
            ("open source", Some("#OpenSource")),
            ("machine-learning", Some("#MachineLearning")),
            ("snake_case", Some("#snake_case")),
            ("c++", Some("#c")),
            ("#fediverse", Some("#fediverse")),
            ("Ｗｉｄｅ", Some("#Wide")),
            ("café du nord", Some("#CaféDuNord")),
            ("हिन्दी", Some("#हिन्दी")),
            ("2024", None),
            ("++", None),
            ("", None),
        ] {
            assert_eq!(name(tag).as_deref(), expected, "{tag}");
        }
    }

    #[test]
    fn a_tag_stands_once_and_links_to_the_site() {
        let tags = ["Open Source", "open-source", "Ça va?", "C++"].map(str::to_owned);
        let site = Url::parse("https://example.org/post/x/?a#b").expect("an address");
        let found = hashtags(&tags, Some(&site), "");
        let hrefs: Vec<&str> = found.iter().map(|tag| tag.href.as_str()).collect();
        assert_eq!(
            hrefs,
            [
                "https://example.org/tags/open-source/",
                "https://example.org/tags/%C3%A7a-va/",
                "https://example.org/tags/c++/"
            ]
        );
        assert_eq!(hashtags(&tags, None, "https://example.org/p")[0].href, "https://example.org/p");
    }
}
