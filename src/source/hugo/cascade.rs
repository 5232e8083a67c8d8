//! Front matter that sections hand down to the pages below them (`cascade`).

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Map, Value};

use super::frontmatter::text;

/// What is handed down, by the folder it comes from; nearer folders go before farther ones.
#[derive(Debug, Default)]
pub(super) struct Cascades(BTreeMap<String, Vec<Map<String, Value>>>);

/// The kind of page that something is handed down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A post.
    Page,
    /// A section or an author's profile.
    Section,
}

impl Cascades {
    /// Takes in a `cascade` value, a map or a list of maps, from a folder below the content folder.
    pub(super) fn add(&mut self, folder: &str, cascade: Option<&Value>) {
        let maps = match cascade {
            Some(Value::Object(map)) => vec![map.clone()],
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_object).cloned().collect(),
            _ => return,
        };
        self.0.entry(folder.to_owned()).or_default().extend(maps);
    }

    /// Fills in what a page's own front matter leaves open. `key` is the page's path below the content folder.
    pub(super) fn fill(&self, fields: &mut Map<String, Value>, key: &str, kind: Kind) {
        let mut folder = key;
        loop {
            for map in self.0.get(folder).into_iter().flatten().filter(|map| reaches(map, key, kind)) {
                for (name, value) in map {
                    if !matches!(name.as_str(), "_target" | "target") {
                        fill_one(fields, name, value);
                    }
                }
            }
            if folder.is_empty() {
                return;
            }
            folder = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
    }
}

fn fill_one(fields: &mut Map<String, Value>, name: &str, value: &Value) {
    match (fields.get_mut(name), value) {
        (Some(Value::Object(own)), Value::Object(handed)) => {
            for (inner, value) in handed {
                own.entry(inner.clone()).or_insert_with(|| value.clone());
            }
        }
        (Some(own), _) if !own.is_null() => {}
        _ => {
            fields.insert(name.to_owned(), value.clone());
        }
    }
}

fn reaches(map: &Map<String, Value>, key: &str, kind: Kind) -> bool {
    let Some(target) = map.get("_target").or_else(|| map.get("target")) else { return true };
    let kind_fits = text(target.get("kind")).is_none_or(|wanted| match kind {
        Kind::Page => wanted.contains("page"),
        Kind::Section => wanted.contains("section") || wanted.contains("term"),
    });
    let path_fits = text(target.get("path")).is_none_or(|pattern| glob(&pattern, &format!("/{}", key.to_lowercase())));
    kind_fits && path_fits
}

/// Hugo's globs: `*` within a folder, `**` across folders, `{a,b}` for either.
fn glob(pattern: &str, path: &str) -> bool {
    let mut source = String::from("^");
    let mut rest = pattern.to_lowercase();
    if !rest.starts_with('/') && !rest.starts_with('*') {
        rest.insert(0, '/');
    }
    let mut chars = rest.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.next_if_eq(&'*').is_some() => source.push_str(".*"),
            '*' => source.push_str("[^/]*"),
            '?' => source.push_str("[^/]"),
            '{' => source.push_str("(?:"),
            '}' => source.push(')'),
            ',' => source.push('|'),
            c => source.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    source.push('$');
    Regex::new(&source).is_ok_and(|pattern| pattern.is_match(path))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sections_hand_down_what_pages_leave_open() {
        let mut cascades = Cascades::default();
        cascades.add("", Some(&json!({"draft": true, "a": 1})));
        cascades.add(
            "post",
            Some(&json!([{"a": 2, "build": {"render": "never"}}, {"_target": {"path": "/post/x/**"}, "b": 3}])),
        );
        let filled = |own: Value, key: &str| {
            let mut fields = own.as_object().cloned().unwrap_or_default();
            cascades.fill(&mut fields, key, Kind::Page);
            Value::Object(fields)
        };
        assert_eq!(
            filled(json!({"build": {"list": "never"}}), "post/x/y"),
            json!({"draft": true, "a": 2, "b": 3, "build": {"list": "never", "render": "never"}})
        );
        assert_eq!(filled(json!({"draft": false}), "news/y"), json!({"draft": false, "a": 1}));
    }
}
