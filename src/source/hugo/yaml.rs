//! YAML as Hugo's authors write it: the last of two equal keys wins, and is reported with its line.

use std::collections::HashSet;

use serde_json::{Map, Value};
use serde_saphyr::granit_parser::{Event, Parser};
use serde_saphyr::{DuplicateKeyPolicy, NonFiniteFloatPolicy};

/// A key that stands twice in one mapping; Hugo from 0.152 on refuses such a file, earlier ones take the last.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Duplicate {
    pub(super) key: String,
    /// Of the later one, counted from 1 within the text given.
    pub(super) line: u64,
}

/// Why a text cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    /// Counted from 1 within the text given.
    pub(super) line: Option<u64>,
    pub(super) message: String,
}

/// Reads one document; its keys come back in lower case at every depth, since Hugo does not tell them apart.
pub(super) fn parse(text: &str) -> Result<(Map<String, Value>, Vec<Duplicate>), SyntaxError> {
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        strict_booleans: true,
        legacy_octal_numbers: true,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        with_snippet: false,
    };
    let value: Value = serde_saphyr::from_str_with_options(text, options).map_err(|error| SyntaxError {
        line: error.location().map(|at| at.line()),
        message: first_line(&error.to_string()),
    })?;
    match value {
        Value::Null => Ok((Map::new(), Vec::new())),
        Value::Object(map) => Ok((lower_keys(map), duplicates(text))),
        _ => Err(SyntaxError { line: Some(1), message: "it should be a list of `key: value` lines".to_owned() }),
    }
}

/// Brings the keys of a tree of maps to lower case; of two that differ in case only, the last wins.
pub(super) fn lower_keys(map: Map<String, Value>) -> Map<String, Value> {
    map.into_iter().map(|(key, value)| (key.to_lowercase(), lower_value(value))).collect()
}

fn lower_value(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(lower_keys(map)),
        Value::Array(items) => Value::Array(items.into_iter().map(lower_value).collect()),
        other => other,
    }
}

/// What is wrong, without the place, which is counted from the first line of the text given rather than of the file.
pub(super) fn first_line(message: &str) -> String {
    let message = message.lines().next().unwrap_or_default();
    message.rsplit_once(" at line ").map_or(message, |(what, _)| what).trim_end_matches('.').to_owned()
}

/// An open mapping or sequence on the way through a document.
enum Open {
    Mapping { keys: HashSet<String>, at_key: bool },
    Sequence,
}

fn duplicates(text: &str) -> Vec<Duplicate> {
    let mut found = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let Ok((event, span)) = event else { break };
        match event {
            Event::MappingStart(..) => {
                node(&mut open, None);
                open.push(Open::Mapping { keys: HashSet::new(), at_key: true });
            }
            Event::SequenceStart(..) => {
                node(&mut open, None);
                open.push(Open::Sequence);
            }
            Event::MappingEnd | Event::SequenceEnd => {
                open.pop();
            }
            Event::Alias(..) => {
                node(&mut open, None);
            }
            Event::Scalar(value, ..) => {
                if let Some(key) = node(&mut open, Some(&value)) {
                    found.push(Duplicate { key, line: u64::try_from(span.start.line()).unwrap_or(u64::MAX) });
                }
            }
            _ => {}
        }
    }
    found
}

/// Counts a node in the innermost mapping, where keys and values take turns; gives back a key seen before.
fn node(open: &mut [Open], scalar: Option<&str>) -> Option<String> {
    let Some(Open::Mapping { keys, at_key }) = open.last_mut() else { return None };
    let is_key = std::mem::replace(at_key, !*at_key);
    let key = scalar.filter(|key| is_key && *key != "<<")?;
    (!keys.insert(key.to_owned())).then(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_two_equal_keys_wins_and_is_reported() {
        let (map, found) = parse("A: 1\nb:\n  c: x\n  c: y\nlist:\n- k: 1\n- k: 2\n\nA: 3\n").expect("YAML");
        assert_eq!(map["a"], 3);
        assert_eq!(map["b"]["c"], "y");
        assert_eq!(found, [Duplicate { key: "c".to_owned(), line: 4 }, Duplicate { key: "A".to_owned(), line: 9 }]);
    }

    #[test]
    fn odd_values_stay_what_was_written() {
        let (map, _) = parse("a: no\nb: 007\nc: ~\nd: 2021-03-27\ne: .nan\nf:\n- null\n- x \n").expect("YAML");
        assert_eq!(
            Value::Object(map).to_string(),
            r#"{"a":"no","b":7,"c":null,"d":"2021-03-27","e":".nan","f":[null,"x"]}"#
        );
        assert!(parse("").expect("YAML").0.is_empty());
    }

    #[test]
    fn a_syntax_error_names_its_line() {
        assert_eq!(parse("a: 1\nb: 'c\n").expect_err("an open quote").line, Some(2));
        // The tab makes `b` a part of the value above, which is where the trouble is seen.
        assert_eq!(parse("a: 1\n\tb: 2\n").expect_err("a tab").line, Some(1));
        assert!(parse("- a\n").is_err());
        let error = parse("a: b: c\n").expect_err("a value within a value");
        assert!(!error.message.contains("line") && !error.message.is_empty(), "{}", error.message);
    }
}
