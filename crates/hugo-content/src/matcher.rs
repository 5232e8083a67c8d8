//! Which pages a rule of the configuration or of a section is for: `target` of `cascade` and `permalinks`.

use regex::Regex;
use serde_json::Value;

use super::frontmatter::text;

/// The kind of page that something is handed down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A post.
    Page,
    /// A section or an author's profile.
    Section,
}

/// A page, as far as rules ask for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    /// Below the content folder, without slashes around it.
    pub(super) path: &'a str,
    pub(super) kind: Kind,
    /// The language's key.
    pub(super) language: &'a str,
    /// The site's environment.
    pub(super) environment: &'a str,
}

/// Whether a `target` means a page. Without a target, all are meant.
pub(super) fn matches(target: Option<&Value>, page: Subject<'_>) -> bool {
    let Some(target) = target else { return true };
    let fits = |key: &str, what: &str| text(target.get(key)).is_none_or(|pattern| glob(&pattern, what));
    let kind = match page.kind {
        Kind::Page => &["page"][..],
        Kind::Section => &["section", "term", "taxonomy"],
    };
    let languages = target.get("sites").and_then(|sites| sites.get("matrix")?.get("languages"));
    text(target.get("kind")).is_none_or(|pattern| kind.iter().any(|kind| glob(&pattern, kind)))
        && fits("path", &format!("/{}", page.path))
        && fits("lang", page.language)
        && fits("environment", page.environment)
        && match languages {
            Some(Value::Array(patterns)) => {
                patterns.iter().any(|pattern| text(Some(pattern)).is_some_and(|pattern| glob(&pattern, page.language)))
            }
            other => text(other).is_none_or(|pattern| glob(&pattern, page.language)),
        }
}

/// Hugo's globs, regardless of case: `*` within a folder, `**` across folders, `{a,b}` for either, `[ab]` for one.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let pattern = pattern.to_lowercase();
    let mut source = String::from("^");
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.next_if_eq(&'*').is_some() => source.push_str(".*"),
            '*' => source.push_str("[^/]*"),
            '?' => source.push_str("[^/]"),
            '{' => source.push_str("(?:"),
            '}' => source.push(')'),
            ',' => source.push('|'),
            '[' => {
                source.push('[');
                if chars.next_if_eq(&'!').is_some() {
                    source.push('^');
                }
                for c in chars.by_ref().take_while(|c| *c != ']') {
                    source.push_str(&if c == '-' { "-".to_owned() } else { regex::escape(c.encode_utf8(&mut [0; 4])) });
                }
                source.push(']');
            }
            '\\' => {
                let literal = chars.next().map(|c| regex::escape(c.encode_utf8(&mut [0; 4])));
                source.push_str(&literal.unwrap_or_default());
            }
            c => source.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    source.push('$');
    Regex::new(&source).is_ok_and(|pattern| pattern.is_match(&text.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_are_hugos() {
        for (pattern, text, fits) in [
            ("/post/*", "/post/a", true),
            ("/post/*", "/post/a/b", false),
            ("/post/**", "/post/a/b", true),
            ("/post/**", "/post", false),
            ("{/post,/post/**}", "/post", true),
            ("/post/[ab]", "/post/b", true),
            ("/post/[!ab]", "/post/b", false),
            ("/post/[a-c]", "/post/b", true),
            ("/POST/?", "/post/X", true),
            ("post/a", "/post/a", false),
            ("/v1\\.*", "/v1.2", true),
            ("(", "(", true),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }
}
