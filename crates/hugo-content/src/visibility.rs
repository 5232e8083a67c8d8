//! Whether a page is public, as far as the passing of time does not change it (docs/hugo.md#whether-and-when).

use clock::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::config::SiteConfig;
use super::dates::Dates;
use super::frontmatter::{Truth, field, flag, text, truth};
use crate::entry::Visibility;

/// What a page's front matter and the site's configuration say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PublishRule {
    Withheld,
    Draft,
    /// Public between these dates; one that the site passes over is not here.
    Dated {
        from: Option<Timestamp>,
        until: Option<Timestamp>,
    },
}

impl PublishRule {
    /// What Hugo says (docs/hugo.md#whether-and-when), and the front matter's word on the fediverse.
    pub(super) fn of(fields: &Map<String, Value>, dates: &Dates, config: &SiteConfig) -> Self {
        let fediverse = field(fields, "fediverse");
        let headless = truth(fields.get("headless")) == Truth::Yes;
        // What the site itself does not list is published only where the page asks for it (docs/hugo.md#whether-and-when).
        if flag(fediverse) == Some(false)
            || headless
            || !config.makes_pages
            || !is_rendered(fields)
            || (is_off_lists(fields) && !is_unlisted(fields))
        {
            return Self::Withheld;
        }
        // `published: false` is an older way to say `draft: true`; a date in its place says nothing.
        let is_published = match fields.get("published") {
            None => true,
            value @ Some(Value::Null) => flag(value) == Some(true),
            value => flag(value) != Some(false),
        };
        let draft = fields.get("draft").filter(|word| !word.is_null());
        if truth(draft) == Truth::Yes || (draft.is_none() && !is_published) {
            return Self::Draft;
        }
        Self::Dated {
            from: dates.publish.filter(|_| !config.build_future),
            until: dates.expiry.filter(|_| !config.build_expired),
        }
    }

    /// What that means at a time.
    pub(super) fn at(self, now: Timestamp) -> Visibility {
        match self {
            Self::Withheld => Visibility::Withheld,
            Self::Draft => Visibility::Draft,
            Self::Dated { until: Some(expiry), .. } if expiry <= now => Visibility::Expired,
            Self::Dated { from: Some(at), .. } if at > now => Visibility::Scheduled { at },
            Self::Dated { until, .. } => Visibility::Public { until },
        }
    }
}

/// A field that decides over the page and cannot be read for certain, with what it may say.
pub(super) fn unclear(fields: &Map<String, Value>) -> Option<String> {
    for key in ["draft", "headless"] {
        if truth(fields.get(key)) == Truth::Unclear {
            return Some(format!("`{key}` is neither `true` nor `false`"));
        }
    }
    if matches!(fields.get("published"), Some(Value::Array(_) | Value::Object(_))) {
        return Some("`published` is neither `true` nor `false`".to_owned());
    }
    for table in ["build", "_build"] {
        match fields.get(table) {
            None | Some(Value::Null) => {}
            Some(Value::Object(map)) => {
                let is_nested = |key: &&&str| matches!(map.get(**key), Some(Value::Array(_) | Value::Object(_)));
                if let Some(key) = ["render", "list"].iter().find(is_nested) {
                    return Some(format!("`{table}.{key}` is none of Hugo's words for it"));
                }
            }
            Some(_) => return Some(format!("`{table}` is no table of `render` and `list`")),
        }
    }
    if !matches!(fields.get("cascade"), None | Some(Value::Null | Value::Object(_) | Value::Array(_))) {
        return Some("`cascade` is no table".to_owned());
    }
    None
}

/// Whether the page is for the fediverse, but not for its public timelines.
pub(super) fn is_unlisted(fields: &Map<String, Value>) -> bool {
    text(field(fields, "fediverse")).is_some_and(|word| word.eq_ignore_ascii_case("unlisted"))
}

/// Whether the site makes a page of it: `build.render`, and `_build.render` as it was called up to Hugo 0.144.
pub(super) fn is_rendered(fields: &Map<String, Value>) -> bool {
    build(fields, "render").all(|word| matches!(word.as_str(), "always" | "true" | "1"))
}

fn is_off_lists(fields: &Map<String, Value>) -> bool {
    build(fields, "list").any(|word| matches!(word.as_str(), "never" | "false" | "0" | "no" | "off"))
}

fn build(fields: &Map<String, Value>, key: &str) -> impl Iterator<Item = String> {
    ["build", "_build"].into_iter().filter_map(move |table| {
        let word = text(fields.get(table).and_then(|table| table.get(key)))?;
        Some(word.to_lowercase())
    })
}
