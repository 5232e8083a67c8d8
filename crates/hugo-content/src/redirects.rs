//! Where a site's own redirect rules lead from an old address: pure. Connectors read the rules.

use std::collections::HashMap;

use regex::{Regex, RegexBuilder};
use url::Url;

/// Rules of one site; more are not kept.
const MAX_RULES: usize = 10_000;

/// Rules with wildcards, each of which is tried on each address; more are not kept.
const MAX_PATTERNS: usize = 1_000;

/// Bytes of a compiled pattern.
const MAX_PATTERN: usize = 256 * 1024;

/// How many rules are followed one after the other.
const MAX_HOPS: usize = 5;

/// The rules of one site, the first that fits counts.
#[derive(Clone, Debug, Default)]
pub struct Redirects {
    host: Option<Url>,
    rules: usize,
    exact: HashMap<String, Rule>,
    patterns: Vec<(Regex, Rule)>,
}

#[derive(Clone, Debug)]
struct Rule {
    number: usize,
    /// Address or path; of a pattern with `$1` or `${name}` for what it caught.
    to: String,
    /// File and line, for people.
    place: String,
}

/// Why a rule was not kept.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// Not an expression that we can read.
    #[error("its pattern cannot be read")]
    Pattern(#[from] regex::Error),
    /// Too many.
    #[error("there are more rules than are read")]
    TooMany,
}

impl Redirects {
    /// The rules of the site at this address.
    #[must_use]
    pub fn of(site: &Url) -> Self {
        Self { host: Some(site.clone()), ..Self::default() }
    }

    /// Adds a rule for one path. `place` is its file and line.
    ///
    /// # Errors
    /// When there are too many.
    pub fn add(&mut self, from: &str, to: &str, place: String) -> Result<(), RuleError> {
        let rule = self.rule(to, place)?;
        self.exact.entry(bare(from).to_owned()).or_insert(rule);
        Ok(())
    }

    /// Adds a rule for all paths that a regular expression fits, with `$1` or `${name}` in `to`.
    ///
    /// # Errors
    /// When the expression cannot be read, or there are too many.
    pub fn add_pattern(&mut self, from: &str, to: &str, place: String) -> Result<(), RuleError> {
        if self.patterns.len() >= MAX_PATTERNS {
            return Err(RuleError::TooMany);
        }
        let pattern = RegexBuilder::new(from).size_limit(MAX_PATTERN).build()?;
        let rule = self.rule(to, place)?;
        self.patterns.push((pattern, rule));
        Ok(())
    }

    fn rule(&mut self, to: &str, place: String) -> Result<Rule, RuleError> {
        if self.rules >= MAX_RULES {
            return Err(RuleError::TooMany);
        }
        self.rules += 1;
        Ok(Rule { number: self.rules, to: to.to_owned(), place })
    }

    /// Where an address of the site leads, and the rule that says so: to the first place that `is_page`, else as far
    /// as the rules go. `None` where no rule is about it.
    #[must_use]
    pub fn follow(&self, address: &str, is_page: impl Fn(&str) -> bool) -> Option<(String, String)> {
        let host = self.host.as_ref()?;
        let mut at = Url::parse(address).ok()?;
        let mut place = None;
        for _ in 0..MAX_HOPS {
            if at.host_str() != host.host_str() {
                break;
            }
            let Some((to, rule)) = self.step(&at) else { break };
            let Ok(next) = at.join(&to) else { break };
            if canonical(next.as_str()) == canonical(at.as_str()) {
                break;
            }
            place.get_or_insert_with(|| rule.place.clone());
            at = next;
            if is_page(&canonical(at.as_str())) {
                break;
            }
        }
        place.map(|place| (at.to_string(), place))
    }

    fn step(&self, at: &Url) -> Option<(String, &Rule)> {
        let path = decoded(at.path());
        let exact = self.exact.get(bare(&path));
        let earlier = |rule: &Rule| exact.is_none_or(|exact| rule.number < exact.number);
        let bare = bare(&path);
        let with_slash = format!("{bare}/");
        for (pattern, rule) in self.patterns.iter().filter(|(_, rule)| earlier(rule)) {
            for path in [path.as_str(), bare, &with_slash] {
                if let Some(caught) = pattern.captures(path) {
                    let mut to = String::new();
                    caught.expand(&rule.to, &mut to);
                    return Some((to, rule));
                }
            }
        }
        exact.map(|rule| (rule.to.clone(), rule))
    }
}

/// A path without its last slash.
fn bare(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" => "/",
        bare => bare,
    }
}

/// An address as it is compared: without scheme, query, fragment, the last slash and `index.html`, with every letter
/// written out.
#[must_use]
pub fn canonical(address: &str) -> String {
    let Ok(url) = Url::parse(address) else { return address.to_owned() };
    let path = decoded(url.path());
    let path = path.strip_suffix("index.html").filter(|path| path.ends_with('/')).unwrap_or(&path);
    format!("{}{}", url.host_str().unwrap_or_default(), bare(path))
}

/// With `%C3%A9` as `é`, where that is text.
fn decoded(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        let two = rest.as_slice().get(..2).filter(|_| *byte == b'%');
        let hex = two.and_then(|two| std::str::from_utf8(two).ok()).and_then(|two| u8::from_str_radix(two, 16).ok());
        out.push(hex.unwrap_or(*byte));
        if hex.is_some() {
            rest.nth(1);
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Redirects {
        let mut rules = Redirects::of(&Url::parse("https://site.example/sub/").expect("an address"));
        rules.add("/old/", "/new", "f:1".to_owned()).expect("a rule");
        rules.add_pattern("^/post(?:/(?P<splat>.*))?$", "/blog/${splat}", "f:2".to_owned()).expect("a rule");
        rules.add("/post/late", "/never", "f:3".to_owned()).expect("a rule");
        rules.add("/away", "https://else.example/x", "f:4".to_owned()).expect("a rule");
        rules.add("/a", "/b", "f:5".to_owned()).expect("a rule");
        rules.add("/b", "/a", "f:6".to_owned()).expect("a rule");
        rules.add("/é", "/post/e", "f:7".to_owned()).expect("a rule");
        rules
    }

    #[test]
    fn the_first_rule_that_fits_is_followed_to_the_end() {
        for (from, to) in [
            ("https://site.example/old", Some(("https://site.example/new", "f:1"))),
            ("https://site.example/post/x/", Some(("https://site.example/blog/x/", "f:2"))),
            ("https://site.example/post/late/", Some(("https://site.example/blog/late/", "f:2"))),
            ("https://site.example/away/", Some(("https://else.example/x", "f:4"))),
            ("https://site.example/%C3%A9/", Some(("https://site.example/blog/e", "f:7"))),
            ("https://site.example/other/", None),
            ("https://else.example/old", None),
            ("no address", None),
        ] {
            let found = rules().follow(from, |_| false);
            let found = found.as_ref().map(|(to, place)| (to.as_str(), place.as_str()));
            assert_eq!(found, to, "{from}");
        }
        assert!(rules().follow("https://site.example/a", |_| false).is_some(), "a circle ends");
        let page = rules().follow("https://site.example/a", |at| at == "site.example/b").expect("a page");
        assert_eq!(page.0, "https://site.example/b");
    }

    #[test]
    fn addresses_are_compared_by_what_they_mean() {
        for same in ["https://a.example/%C3%A9/b/", "http://a.example/é/b", "https://a.example/é/b/index.html?x#y"] {
            assert_eq!(canonical(same), "a.example/é/b", "{same}");
        }
        assert_eq!(canonical("https://a.example/"), canonical("https://a.example"));
    }

    #[test]
    fn rules_are_bounded() {
        let mut rules = Redirects::default();
        assert!(matches!(rules.add_pattern("(", "/", String::new()), Err(RuleError::Pattern(_))));
        assert!(rules.add_pattern("(a{1000}){1000}", "/", String::new()).is_err());
        for number in 0..MAX_RULES {
            rules.add(&format!("/{number}"), "/", String::new()).expect("a rule");
        }
        assert!(matches!(rules.add("/x", "/", String::new()), Err(RuleError::TooMany)));
    }
}
