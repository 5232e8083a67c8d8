//! The redirect rules that stand beside a site: Netlify's and Apache's. They tell where a page that moved is now
//! (docs/hugo.md#identity-moves-removals).

use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;
use toml::Spanned;
use url::Url;

use super::file::{Unreadable, read_text};
use super::walk;
use crate::redirects::{Redirects, RuleError};
use crate::scan::Warning;

type Parse = fn(&str, &mut Rules<'_>) -> Result<(), String>;

/// Where rules are looked for below the site's folder, in the order in which they count.
const FILES: &[(&str, Parse)] = &[
    ("static/_redirects", plain),
    ("_redirects", plain),
    ("netlify.toml", netlify),
    ("static/.htaccess", apache),
    (".htaccess", apache),
];

/// Reads every rule there is. What cannot be read is warned of; a rule that depends on the visitor says nothing.
pub(super) fn read(root: &Path, public_url: &Url, warnings: &mut Vec<Warning>) -> Redirects {
    let mut redirects = Redirects::of(public_url);
    for (name, parse) in FILES {
        let path = root.join(name);
        if path.symlink_metadata().is_err() || !walk::is_within(&path, root) {
            continue;
        }
        let mut rules = Rules { file: name, redirects: &mut redirects, warnings };
        let read = match read_text(&path) {
            Ok(text) => parse(&text, &mut rules),
            Err(Unreadable::Io(error)) => Err(error.to_string()),
            Err(Unreadable::NoFile) => Err("it is no ordinary file".to_owned()),
            Err(Unreadable::TooLarge) => Err("it is larger than 2 MiB".to_owned()),
            Err(Unreadable::NotUtf8 { .. }) => Err("it is not UTF-8 text".to_owned()),
        };
        if let Err(why) = read {
            let message =
                format!("its redirect rules cannot be read ({why}), so posts that moved may not be recognised by them");
            warnings.push(Warning { file: (*name).to_owned(), line: None, message });
        }
    }
    redirects
}

struct Rules<'a> {
    file: &'a str,
    redirects: &'a mut Redirects,
    warnings: &'a mut Vec<Warning>,
}

impl Rules<'_> {
    fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.file)
    }

    fn add(&mut self, line: usize, from: &str, to: &str) {
        let added = self.redirects.add(from, to, self.place(line));
        self.tell(line, added);
    }

    fn add_pattern(&mut self, line: usize, from: &str, to: &str) {
        let added = self.redirects.add_pattern(from, to, self.place(line));
        self.tell(line, added);
    }

    fn tell(&mut self, line: usize, added: Result<(), RuleError>) {
        let Err(why) = added else { return };
        let message = format!("this redirect rule is passed over: {}", first_line(&why));
        self.warnings.push(Warning { file: self.file.to_owned(), line: u64::try_from(line).ok(), message });
    }

    /// A rule with Netlify's `:placeholders` and `*`.
    fn netlify(&mut self, line: usize, from: &str, to: &str) {
        let Some(from) = own_path(from) else { return };
        if !from.contains([':', '*']) {
            self.add(line, from, to);
            return;
        }
        let mut pattern = "^".to_owned();
        let mut names = Vec::new();
        for part in from.split('/').filter(|part| !part.is_empty()) {
            match part.strip_prefix(':') {
                _ if part == "*" => {
                    pattern.push_str("(?:/(?P<splat>.*))?");
                    names.push("splat");
                }
                Some(name) if is_name(name) && !names.contains(&name) => {
                    pattern.push_str("/(?P<");
                    pattern.push_str(name);
                    pattern.push_str(">[^/]+)");
                    names.push(name);
                }
                _ => {
                    pattern.push('/');
                    pattern.push_str(&regex::escape(part));
                }
            }
        }
        pattern.push_str("/?$");
        let caught = |part: &str| {
            part.strip_prefix(':')
                .filter(|name| names.contains(name))
                .map_or_else(|| part.replace('$', "$$"), |name| format!("${{{name}}}"))
        };
        let to: Vec<String> = to.split('/').map(caught).collect();
        self.add_pattern(line, &pattern, &to.join("/"));
    }
}

fn first_line(error: &RuleError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The path of a rule's `from`; a whole address stands for one host, ours or not, and says nothing.
fn own_path(from: &str) -> Option<&str> {
    from.starts_with('/').then_some(from)
}

/// `_redirects`: `from to [status]` on each line.
#[expect(clippy::unnecessary_wraps, reason = "one of the formats, of which another can fail")]
fn plain(text: &str, rules: &mut Rules<'_>) -> Result<(), String> {
    for (at, line) in text.lines().enumerate() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let (Some(from), Some(to)) = (words.next(), words.next()) else { continue };
        let depends = to.contains('=') && !to.starts_with(['/', 'h']);
        let status = words.next();
        if depends || words.next().is_some() || status.is_some_and(|status| !is_redirect(status)) {
            continue;
        }
        rules.netlify(at + 1, from, to);
    }
    Ok(())
}

fn is_redirect(status: &str) -> bool {
    let status = status.trim_end_matches('!');
    status.len() == 3 && status.starts_with('3') && status.bytes().all(|b| b.is_ascii_digit())
}

/// `netlify.toml`: its `[[redirects]]`.
fn netlify(text: &str, rules: &mut Rules<'_>) -> Result<(), String> {
    #[derive(serde::Deserialize)]
    struct File {
        #[serde(default)]
        redirects: Vec<Spanned<toml::Table>>,
    }
    let file: File = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    for rule in file.redirects {
        let line = text.get(..rule.span().start).unwrap_or_default().matches('\n').count() + 1;
        let table = rule.get_ref();
        let word = |key: &str| table.get(key).and_then(toml::Value::as_str);
        let status = table.get("status").and_then(toml::Value::as_integer).unwrap_or(301);
        let depends = ["conditions", "query"].iter().any(|key| table.contains_key(*key));
        if let (Some(from), Some(to), 300..=399, false) = (word("from"), word("to"), status, depends) {
            rules.netlify(line, from, to);
        }
    }
    Ok(())
}

/// `.htaccess`: `Redirect` and its kin, and a `RewriteRule` that redirects without a condition.
#[expect(clippy::unnecessary_wraps, reason = "one of the formats, of which another can fail")]
fn apache(text: &str, rules: &mut Rules<'_>) -> Result<(), String> {
    let mut conditional = false;
    for (at, line) in text.lines().enumerate() {
        let words = words(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let Some((directive, rest)) = words.split_first() else { continue };
        let line = at + 1;
        match (directive.to_ascii_lowercase().as_str(), rest) {
            ("redirect" | "redirectpermanent" | "redirecttemp", [from, to]) => prefix(rules, line, from, to),
            ("redirect", [status, from, to]) if is_moved(status) => prefix(rules, line, from, to),
            ("redirectmatch", [from, to]) => rules.add_pattern(line, from, &caught(to)),
            ("redirectmatch", [status, from, to]) if is_moved(status) => rules.add_pattern(line, from, &caught(to)),
            ("rewritecond", _) => conditional = true,
            ("rewriterule", rest) => {
                let free = !std::mem::take(&mut conditional);
                if let ([from, to, flags], true) = (rest, free) {
                    rewrite(rules, line, from, to, flags);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_moved(status: &str) -> bool {
    matches!(status.to_ascii_lowercase().as_str(), "permanent" | "temp" | "seeother") || is_redirect(status)
}

/// `Redirect /a /b` leads from /a/x to /b/x too.
fn prefix(rules: &mut Rules<'_>, line: usize, from: &str, to: &str) {
    let Some(from) = own_path(from) else { return };
    rules.add(line, from, to);
    let rest = if from.ends_with('/') { "(?P<rest>.+)" } else { "(?P<rest>/.+)" };
    rules.add_pattern(
        line,
        &format!("^{}{rest}$", regex::escape(from)),
        &format!("{}${{rest}}", to.replace('$', "$$")),
    );
}

fn rewrite(rules: &mut Rules<'_>, line: usize, from: &str, to: &str, flags: &str) {
    let flags = flags.trim_matches(['[', ']']).to_ascii_lowercase();
    let flags: Vec<&str> = flags.split(',').map(str::trim).collect();
    let redirects = flags.iter().any(|flag| {
        matches!(*flag, "r" | "redirect")
            || flag.strip_prefix("r=").or_else(|| flag.strip_prefix("redirect=")).is_some_and(is_moved)
    });
    if !redirects || from.starts_with('!') || to == "-" || to.contains("%{") {
        return;
    }
    // In a folder's own file the path is matched without its first slash.
    let from =
        from.strip_prefix('^').map_or_else(|| from.to_owned(), |rest| format!("^/{}", rest.trim_start_matches('/')));
    let case = if flags.iter().any(|flag| matches!(*flag, "nc" | "nocase")) { "(?i)" } else { "" };
    let slash = if to.starts_with('/') || to.contains("://") { "" } else { "/" };
    rules.add_pattern(line, &format!("{case}{from}"), &caught(&format!("{slash}{to}")));
}

/// `$1` as `${1}`, so that what follows is no part of the name.
fn caught(to: &str) -> String {
    static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\$(\d)").ok());
    NUMBER.as_ref().map_or_else(|| to.to_owned(), |number| number.replace_all(to, "$${${1}}").into_owned())
}

/// Words of a line, those in quotes as one; a comment has none.
fn words(line: &str) -> Vec<String> {
    let line = line.trim();
    let mut words = Vec::new();
    if line.starts_with('#') {
        return words;
    }
    let (mut word, mut quoted) = (String::new(), false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads(file: &str, text: &str, from: &str) -> Option<(String, String)> {
        let site = tempfile::tempdir().expect("a folder");
        let path = site.path().join(file);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
        let mut warnings = Vec::new();
        let redirects = read(site.path(), &Url::parse("https://site.example/").expect("an address"), &mut warnings);
        assert_eq!(warnings, [], "{text}");
        redirects.follow(&format!("https://site.example{from}"), |_| false)
    }

    #[test]
    fn rules_are_read_as_netlify_and_apache_read_them() {
        let toml = "[build]\nx = 1\n[[redirects]]\nfrom = '/post/*'\nto = '/blog/:splat'\n[[redirects]]\nfrom = '/p'\nto = '/q'\nstatus = 200\n";
        let word = "RewriteEngine On\nRewriteCond %{HTTPS} off\nRewriteRule ^post/(.*)$ https://x.example/$1 [R=301,L]\nRewriteRule ^post/(.*)$ /blog/$1 [R=301,L]\n";
        for (file, text, from, to) in [
            ("netlify.toml", toml, "/post/a/", Some(("/blog/a/", 3))),
            ("netlify.toml", toml, "/p", None),
            ("static/_redirects", "# x\n/post/* /blog/:splat 301!\n", "/post/a/b/", Some(("/blog/a/b/", 2))),
            ("_redirects", "/n/:year/:slug /:slug/:year # now\n", "/n/2024/x/", Some(("/x/2024", 1))),
            ("_redirects", "/old\t\thttps://else.example/new 302\n", "/old/", Some(("https://else.example/new", 1))),
            ("_redirects", "/a /b 404\n/a id=:id /c 301\n/a /d 302 Country=nl\n", "/a", None),
            ("_redirects", "/a /b?x=$1\n", "/a", Some(("/b?x=$1", 1))),
            (".htaccess", "Redirect 301 /post/a/ /blog/a/\n", "/post/a/", Some(("/blog/a/", 1))),
            (".htaccess", "redirect permanent \"/post\" /blog\n", "/post/a/", Some(("/blog/a/", 1))),
            (".htaccess", "RedirectPermanent /post/ /blog/\n", "/post/a/", Some(("/blog/a/", 1))),
            (".htaccess", "Redirect gone /post/a/\nRedirect 410 /post/a/ /x\n", "/post/a/", None),
            (".htaccess", "RedirectMatch 301 ^/post/(.*)$ /blog/$1x\n", "/post/a", Some(("/blog/ax", 1))),
            ("static/.htaccess", word, "/post/a/", Some(("/blog/a/", 4))),
            (".htaccess", "RewriteRule ^POST/(\\w+)/?$ blog/$1/ [NC,R]\n", "/post/a/", Some(("/blog/a/", 1))),
            (".htaccess", "RewriteRule ^post/ /blog/ [L]\n", "/post/a/", None),
        ] {
            let found = leads(file, text, from);
            let expected = to.map(|(to, line)| {
                let host = if to.starts_with('/') { "https://site.example" } else { "" };
                (format!("{host}{to}"), format!("{file}:{line}"))
            });
            assert_eq!(found, expected, "{text} {from}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_warned_of() {
        let site = tempfile::tempdir().expect("a folder");
        std::fs::write(site.path().join("netlify.toml"), "[[redirects]\n").expect("a file");
        std::fs::write(site.path().join(".htaccess"), "\nRedirectMatch ^/(?=a) /b\n").expect("a file");
        let mut warnings = Vec::new();
        read(site.path(), &Url::parse("https://site.example/").expect("an address"), &mut warnings);
        let said: Vec<_> = warnings.iter().map(|warning| (warning.file.as_str(), warning.line)).collect();
        assert_eq!(said, [("netlify.toml", None), (".htaccess", Some(2))]);
    }
}
