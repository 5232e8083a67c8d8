//! Front matter that sections hand down to the pages below them (`cascade`).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::matcher::{self, Subject};

/// What is handed down, by the folder it comes from; nearer folders go before farther ones.
#[derive(Debug, Default)]
pub(super) struct Cascades(BTreeMap<String, Vec<Map<String, Value>>>);

impl Cascades {
    /// Takes in a `cascade` value, a map or a list of maps, from a folder below the content folder.
    pub(super) fn add(&mut self, folder: &str, cascade: Option<&Value>) {
        let maps = match cascade {
            Some(Value::Object(map)) => vec![map.clone()],
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_object).cloned().collect(),
            _ => return,
        };
        // What stands in its `params` counts like what stands beside them.
        let spread = |mut map: Map<String, Value>| {
            let params = map.get("params").and_then(Value::as_object).cloned().unwrap_or_default();
            for (key, value) in params {
                map.entry(key).or_insert(value);
            }
            map
        };
        let maps = maps.into_iter().map(spread);
        self.0.entry(folder.to_owned()).or_default().extend(maps);
    }

    /// Fills in what a page's own front matter leaves open.
    pub(super) fn fill(&self, fields: &mut Map<String, Value>, page: Subject<'_>) {
        let mut folder = page.path;
        loop {
            for map in self.0.get(folder).into_iter().flatten().filter(|map| reaches(map, page)) {
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

fn reaches(map: &Map<String, Value>, page: Subject<'_>) -> bool {
    matcher::matches(map.get("_target").or_else(|| map.get("target")), page)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::matcher::Kind;

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
            let page = Subject { path: key, kind: Kind::Page, language: "en", environment: "production" };
            cascades.fill(&mut fields, page);
            Value::Object(fields)
        };
        assert_eq!(
            filled(json!({"build": {"list": "never"}}), "post/x/y"),
            json!({"draft": true, "a": 2, "b": 3, "build": {"list": "never", "render": "never"}})
        );
        assert_eq!(filled(json!({"draft": false}), "news/y"), json!({"draft": false, "a": 1}));
    }
}
