//! A site's tags as hashtags that every server keeps (interop B10).

use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hashtag {
    /// With `#` before it.
    pub(super) name: String,
    /// A web page.
    pub(super) href: String,
}

/// The tags that can be hashtags, each once regardless of case.
///
/// `page` is the address of each: where the site has pages of tags is known to its own configuration and theme alone,
/// and a wrong address is worse than that of the article. Servers link to their own page of a tag.
pub(super) fn hashtags(tags: &[String], page: &str) -> Vec<Hashtag> {
    let mut seen = HashSet::new();
    let named = tags.iter().filter_map(|tag| name(tag));
    let fresh = named.filter(|name| seen.insert(name.to_lowercase()));
    fresh.map(|name| Hashtag { name, href: page.to_owned() }).collect()
}

/// Signs that are part of a name, as they are spoken: `C++` is not `C`.
const SPOKEN: [(char, &str); 4] = [('+', "Plus"), ('#', "Sharp"), ('*', "Star"), ('%', "Percent")];

/// Signs that change the meaning of a word and have no one name: a tag with one is no hashtag.
const TELLING: [char; 10] = ['<', '>', '=', '^', '~', '|', '°', '√', '≠', '∞'];

/// `open source` becomes `#OpenSource`, which a screen reader can read; a single word keeps its case.
/// `None` without a letter, for peers drop such a tag, and where it would be another tag without its signs.
fn name(tag: &str) -> Option<String> {
    let plain: String = tag.trim().nfkc().collect();
    let plain = plain.strip_prefix('#').unwrap_or(&plain);
    if plain.contains(TELLING) || !plain.chars().any(char::is_alphabetic) {
        return None;
    }
    let spoken = spoken(plain);
    let words: Vec<&str> = spoken.split(|c: char| !belongs(c)).filter(|word| !word.is_empty()).collect();
    let name = match words.as_slice() {
        [word] => (*word).to_owned(),
        words => words.iter().map(|word| capitalised(word)).collect(),
    };
    Some(format!("#{name}"))
}

/// A tag with its signs as words: `C#` as `C Sharp`, `.NET` as `Dot NET`.
fn spoken(plain: &str) -> String {
    let mut out = String::with_capacity(plain.len());
    let mut before = ' ';
    let mut rest = plain.chars().peekable();
    while let Some(c) = rest.next() {
        let begins = c == '.' && !belongs(before) && rest.peek().is_some_and(|next| belongs(*next));
        let word = if begins { Some("Dot") } else { SPOKEN.iter().find(|(sign, _)| *sign == c).map(|(_, word)| *word) };
        match word {
            Some(word) => out.extend([" ", word, " "]),
            None => out.push(c),
        }
        before = c;
    }
    out
}

fn belongs(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || is_combining_mark(c)
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
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
            ("c++", Some("#CPlusPlus")),
            ("C", Some("#C")),
            ("C#", Some("#CSharp")),
            ("F# ", Some("#FSharp")),
            (".NET", Some("#DotNET")),
            ("Node.js", Some("#NodeJs")),
            ("A*", Some("#AStar")),
            ("Google+", Some("#GooglePlus")),
            ("100% fair", Some("#100PercentFair")),
            ("a<b", None),
            ("x^2", None),
            ("~user", None),
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
    fn a_tag_stands_once_and_leads_nowhere_else() {
        let tags = ["Open Source", "open-source", "Ça va?", "C++", "C"].map(str::to_owned);
        let found = hashtags(&tags, "https://example.org/p");
        let names: Vec<&str> = found.iter().map(|tag| tag.name.as_str()).collect();
        assert_eq!(names, ["#OpenSource", "#ÇaVa", "#CPlusPlus", "#C"]);
        assert!(found.iter().all(|tag| tag.href == "https://example.org/p"));
    }
}
