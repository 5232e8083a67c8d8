//! `permalinks` in all its forms (docs/hugo.md#addresses).

use serde_json::{Map, Value, json};

use crate::frontmatter::text;
use crate::matcher::{self, Subject};
use crate::scan::Warning;
use crate::tokens;

/// Patterns for the addresses of pages; the first that is for a page counts.
#[derive(Debug)]
pub(crate) struct Permalinks(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    target: Value,
    pattern: String,
}

impl Permalinks {
    /// Reads `section: pattern` (each version of Hugo), `page: {section: pattern}` (0.115), and the list of `target`
    /// and `pattern` (0.161).
    pub(super) fn new(value: Option<&Value>, warnings: &mut Vec<Warning>) -> Self {
        let mut rules = match value {
            Some(Value::Array(items)) => items.iter().filter_map(listed).collect(),
            Some(Value::Object(table)) => by_section(table),
            _ => Vec::new(),
        };
        rules.retain(|rule| {
            let unknown = tokens::unknown(&rule.pattern);
            if let Some(token) = &unknown {
                warnings.push(Warning {
                    file: "the site configuration".to_owned(),
                    line: None,
                    message: format!(
                        "`permalinks` holds `{token}`, which is not known here, so `{}` is passed over and its posts get \
                         plain addresses; use another token",
                        rule.pattern
                    ),
                });
            }
            unknown.is_none()
        });
        Self(rules)
    }

    /// The pattern for a page.
    pub(crate) fn of(&self, page: Subject<'_>) -> Option<&str> {
        self.0.iter().find(|rule| matcher::matches(Some(&rule.target), page)).map(|rule| rule.pattern.as_str())
    }
}

fn listed(item: &Value) -> Option<Rule> {
    let target = item.get("target").cloned().unwrap_or(Value::Null);
    Some(Rule { target, pattern: text(item.get("pattern"))? })
}

/// Deeper sections go before those they are in.
fn by_section(table: &Map<String, Value>) -> Vec<Rule> {
    let mut sections: Vec<(String, String)> = Vec::new();
    let mut add = |table: &Map<String, Value>| {
        sections.extend(table.iter().filter_map(|(section, pattern)| {
            Some((section.trim_matches([' ', '/']).to_owned(), text(Some(pattern))?))
        }));
    };
    if let Some(pages) = table.get("page").and_then(Value::as_object) {
        add(pages);
    }
    add(table);
    sections.sort_by_key(|(section, _)| std::cmp::Reverse(section.matches('/').count()));
    let rule = |(section, pattern): (String, String)| {
        let path = if section.is_empty() { "/*".to_owned() } else { format!("/{section}/**") };
        Rule { target: json!({ "path": path }), pattern }
    };
    sections.into_iter().map(rule).collect()
}
