//! Hugo's shortcodes, as far as they mean something outside the site (docs/hugo.md#bodies). As in Hugo, what one makes is put
//! in after the Markdown around it was rendered; only the inner text of `{{% %}}` is Markdown of the page.

mod embeds;
mod scanner;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use self::scanner::{Fault, Node, Shortcode, scan};
use super::marker::Marker;
use super::protection;

/// What shortcodes may ask of the page and the site around them.
pub(super) struct Surroundings<'a> {
    /// Finds the address of a page by its path, for `ref` and `relref`.
    pub(super) resolve: &'a dyn Fn(&str) -> Option<String>,
    /// Renders Markdown within a shortcode, where HTML is always kept.
    pub(super) render: &'a dyn Fn(&str) -> String,
    /// A value of the page's front matter or the site's parameters, for `param`.
    pub(super) param: &'a dyn Fn(&str) -> Option<String>,
    /// Names of the site's own shortcodes, lower case; Veerpont does not run templates.
    pub(super) own: &'a BTreeSet<String>,
}

/// Why a body must not be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// Something of this name may hold what only some may read.
    Locked(String),
    /// Its shortcodes cannot be told apart in a time that is in proportion to its length.
    TooMuch,
}

/// A body whose shortcodes are taken out.
#[derive(Clone, Debug)]
pub(super) struct Expanded {
    /// With a mark in the place of each shortcode that is no text.
    pub(super) text: String,
    /// The line that keeps the page from being sent, and why.
    pub(super) held: Option<(u64, Held)>,
    marker: Marker,
    pieces: Vec<String>,
}

impl Expanded {
    /// Puts what the shortcodes made into the HTML made of the text.
    pub(super) fn fill(&self, html: &str) -> String {
        self.marker.replace(html, &self.pieces)
    }
}

/// Takes the shortcodes out of a body. `warn` takes the line within the body, counted from 1, and what is to be said.
pub(super) fn expand(body: &str, around: &Surroundings<'_>, warn: &mut dyn FnMut(u64, String)) -> Expanded {
    let (nodes, faults) = scan(body);
    let mut held: Option<(u64, Held)> = None;
    for fault in faults {
        match fault {
            Fault::Unclosed(line, start) => {
                if protection::may_lock(&start) {
                    held = held.or(Some((line, Held::Locked(start.chars().take(40).collect()))));
                }
                warn(
                    line,
                    "a shortcode is not closed here, so it stands as text; end it with `>}}` or `%}}`".to_owned(),
                );
            }
            Fault::Unopened(line, name) => {
                if protection::is_locked(&name, &[], true) {
                    held = held.or(Some((line, Held::Locked(name.clone()))));
                }
                warn(line, format!("the shortcode `{name}` is closed here but was not opened, so that is left out"));
            }
            Fault::TooCostly(line) => {
                held = Some((line, Held::TooMuch));
            }
            Fault::TooDeep(line, name) => {
                warn(
                    line,
                    format!(
                        "the shortcode `{name}` that is closed here holds too many within each other, so what is in it is taken to follow it"
                    ),
                );
            }
        }
    }
    let mut expander = Expander { around, warn, marker: Marker::unlike(body, "SHORTCODE"), pieces: Vec::new(), held };
    let text = expander.text(&nodes);
    Expanded { text, held: expander.held, marker: expander.marker, pieces: expander.pieces }
}

/// What becomes of a shortcode.
enum Meaning {
    /// HTML, still to be cleaned.
    Html(String),
    /// HTML around its inner text, rendered.
    Around(String, String),
    /// Its inner text as it is, in a block of code of this language.
    Code(String),
    /// Nothing, and nothing is lost.
    Nothing,
    /// Nothing, with a warning.
    Lost(String),
    /// Its inner text alone if it has one, with a warning.
    Unknown,
}

struct Expander<'a, 'w> {
    around: &'a Surroundings<'a>,
    warn: &'w mut dyn FnMut(u64, String),
    marker: Marker,
    pieces: Vec<String>,
    held: Option<(u64, Held)>,
}

impl Expander<'_, '_> {
    fn text(&mut self, nodes: &[Node]) -> String {
        let mut out = String::new();
        for node in nodes {
            match node {
                Node::Text(text) => out.push_str(text),
                Node::Code(code) => out.push_str(&self.code(code)),
            }
        }
        out
    }

    /// What stands in the text for a shortcode.
    fn code(&mut self, code: &Shortcode) -> String {
        match embeds::meaning(code, self.around) {
            Meaning::Html(html) => self.keep(html),
            Meaning::Around(before, after) => {
                let nodes = code.inner.as_deref().unwrap_or_default();
                if code.is_markdown {
                    let inner = self.text(nodes);
                    let before = if before.is_empty() { String::new() } else { self.keep(before) + "\n\n" };
                    let after = if after.is_empty() { String::new() } else { format!("\n\n{}", self.keep(after)) };
                    return format!("{before}{inner}{after}");
                }
                let inner = self.rendered(nodes);
                self.keep(format!("{before}{inner}{after}"))
            }
            Meaning::Code(language) => {
                let inner = self.text(code.inner.as_deref().unwrap_or_default());
                let class = if language.is_empty() {
                    String::new()
                } else {
                    format!(" class=\"language-{}\"", html::escape(&language))
                };
                let lines = self.marker.replace(&html::escape(inner.trim_matches('\n')), &self.pieces);
                self.keep(format!("<pre><code{class}>{lines}\n</code></pre>"))
            }
            Meaning::Nothing => String::new(),
            Meaning::Lost(why) => {
                (self.warn)(code.line, why);
                String::new()
            }
            Meaning::Unknown => self.unknown(code),
        }
    }

    fn unknown(&mut self, code: &Shortcode) -> String {
        let name = &code.name;
        if protection::is_locked(name, &code.arguments, code.inner.is_some()) {
            self.held.get_or_insert_with(|| (code.line, Held::Locked(name.clone())));
            return String::new();
        }
        let whose = if self.around.own.contains(name) {
            format!("the shortcode `{name}` is the site's own, and its template cannot be run here")
        } else {
            format!("the shortcode `{name}` is not known")
        };
        let Some(nodes) = &code.inner else {
            (self.warn)(code.line, format!("{whose}, so it is left out"));
            return String::new();
        };
        (self.warn)(code.line, format!("{whose}, so only the text within it is kept"));
        if code.is_markdown {
            return self.text(nodes);
        }
        let inner = self.rendered(nodes);
        self.keep(inner)
    }

    /// Inner text as HTML; a single paragraph stands within the line around it.
    fn rendered(&mut self, nodes: &[Node]) -> String {
        let text = self.text(nodes);
        let html = self.marker.replace(&(self.around.render)(&text), &self.pieces);
        let html = html.trim();
        let single = html.strip_prefix("<p>").and_then(|rest| rest.strip_suffix("</p>"));
        match single.filter(|inner| !inner.contains("<p>") && !text.trim_matches(' ').contains('\n')) {
            Some(inner) => inner.to_owned(),
            None => html.to_owned(),
        }
    }

    fn keep(&mut self, html: String) -> String {
        self.pieces.push(html);
        self.marker.mark(self.pieces.len() - 1)
    }
}
