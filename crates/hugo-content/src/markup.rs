//! The site's `markup` settings, as far as they change what its Markdown says.

use serde_json::Value;

use super::frontmatter::{flag, text};

/// How Goldmark is set, and emoji, which have a switch of their own.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of Hugo's own")]
pub(super) struct Markup {
    /// `renderer.unsafe`: whether HTML within Markdown is kept.
    pub(super) raw_html: bool,
    /// `renderer.hardWraps`.
    pub(super) hard_wraps: bool,
    pub(super) emoji: bool,
    pub(super) table: bool,
    pub(super) strikethrough: bool,
    pub(super) linkify: bool,
    pub(super) task_list: bool,
    pub(super) footnote: bool,
    pub(super) definition_list: bool,
    pub(super) subscript: bool,
    pub(super) superscript: bool,
    pub(super) insert: bool,
    pub(super) mark: bool,
    /// `{.class}` behind a heading.
    pub(super) heading_attributes: bool,
    /// `{.class}` below any block.
    pub(super) block_attributes: bool,
    /// What quotes, dashes and dots become; `None` where they stay as typed.
    pub(super) typographer: Option<Marks>,
    /// Pairs of delimiters between which text passes through as it is, as mathematics does.
    pub(super) passthrough: Vec<(String, String)>,
}

/// The typographer's marks, as text; `None` where a mark stays as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) left_double: Option<String>,
    pub(super) right_double: Option<String>,
    pub(super) left_single: Option<String>,
    pub(super) right_single: Option<String>,
    pub(super) apostrophe: Option<String>,
    pub(super) en_dash: Option<String>,
    pub(super) em_dash: Option<String>,
    pub(super) ellipsis: Option<String>,
    pub(super) left_angle: Option<String>,
    pub(super) right_angle: Option<String>,
}

impl Markup {
    /// From the `markup` table, keys in lower case; what is not set is as in Hugo.
    pub(super) fn new(table: Option<&Value>, emoji: bool) -> Self {
        let at = |path: &str| {
            let steps = path.split('.');
            steps.fold(table.and_then(|table| table.get("goldmark")), |table, name| table.and_then(|t| t.get(name)))
        };
        let yes = |path: &str, unset: bool| flag(at(path)).unwrap_or(unset);
        let switched = |name: &str, unset: bool| match at(&format!("extensions.{name}")) {
            Some(Value::Object(_)) => yes(&format!("extensions.{name}.enable"), true),
            other => flag(other).unwrap_or(unset),
        };
        let extra = |name: &str| yes(&format!("extensions.extras.{name}.enable"), false);
        let typographer = match at("extensions.typographer") {
            Some(Value::Object(table)) => {
                (!flag(table.get("disable")).unwrap_or(false)).then(|| Marks::new(|name| table.get(name)))
            }
            other => flag(other).unwrap_or(true).then(|| Marks::new(|_| None)),
        };
        Self {
            raw_html: yes("renderer.unsafe", false),
            hard_wraps: yes("renderer.hardwraps", false),
            emoji,
            table: switched("table", true),
            strikethrough: switched("strikethrough", true) || extra("delete"),
            linkify: switched("linkify", true),
            task_list: switched("tasklist", true),
            footnote: switched("footnote", true),
            definition_list: switched("definitionlist", true),
            subscript: extra("subscript"),
            superscript: extra("superscript"),
            insert: extra("insert"),
            mark: extra("mark"),
            heading_attributes: yes("parser.attribute.title", true),
            block_attributes: yes("parser.attribute.block", false),
            typographer,
            passthrough: if yes("extensions.passthrough.enable", false) {
                passthrough(at("extensions.passthrough.delimiters"))
            } else {
                Vec::new()
            },
        }
    }
}

impl Marks {
    fn new<'v>(set: impl Fn(&str) -> Option<&'v Value>) -> Self {
        let mark = |name: &str, unset: &str| match set(name) {
            None => Some(unset.to_owned()),
            // Emptied in the configuration: left as typed.
            value => text(value).map(|written| unescaped(&written)),
        };
        Self {
            left_double: mark("leftdoublequote", "“"),
            right_double: mark("rightdoublequote", "”"),
            left_single: mark("leftsinglequote", "‘"),
            right_single: mark("rightsinglequote", "’"),
            apostrophe: mark("apostrophe", "’"),
            en_dash: mark("endash", "–"),
            em_dash: mark("emdash", "—"),
            ellipsis: mark("ellipsis", "…"),
            left_angle: mark("leftanglequote", "«"),
            right_angle: mark("rightanglequote", "»"),
        }
    }
}

/// The settings are HTML, as `&laquo;&nbsp;`.
fn unescaped(written: &str) -> String {
    let html = comrak::markdown_to_html(written, &comrak::Options::default());
    let inner = html.trim_end_matches('\n').trim_start_matches("<p>").trim_end_matches("</p>");
    inner.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

fn passthrough(delimiters: Option<&Value>) -> Vec<(String, String)> {
    let pairs = |kind: &str, unset: &[(&str, &str)]| match delimiters.and_then(|table| table.get(kind)) {
        Some(Value::Array(pairs)) => {
            pairs.iter().filter_map(|pair| Some((text(pair.get(0))?, text(pair.get(1))?))).collect::<Vec<_>>()
        }
        _ => unset.iter().map(|(open, close)| ((*open).to_owned(), (*close).to_owned())).collect(),
    };
    let mut all = pairs("block", &[]);
    all.extend(pairs("inline", &[]));
    all
}
