//! YAML as Hugo's authors write it: the last of two equal keys wins, and is reported with its line.

use std::collections::HashMap;

use serde_json::{Map, Value};
use serde_saphyr::granit_parser::{Event, Parser};
use serde_saphyr::{DuplicateKeyPolicy, NonFiniteFloatPolicy};

use super::opening::{self, SyntaxError};

/// A key that stands twice in one mapping; Hugo from 0.152 on refuses such a file, earlier ones take the last.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Duplicate {
    pub(super) key: String,
    /// Of the later one, counted from 1 within the text given.
    pub(super) line: u64,
    /// Whether another value stands there than before.
    pub(super) differs: bool,
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
        Value::Object(map) => {
            opening::check_keys(&map)?;
            Ok((lower_keys(map), duplicates(text)))
        }
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
    Mapping(Mapping),
    Sequence,
}

#[derive(Default)]
struct Mapping {
    /// With their values where those are no more than a word.
    keys: HashMap<String, Option<String>>,
    /// The key whose value is next.
    key: Option<String>,
    at_value: bool,
    /// The place in what was found of the key whose value is next.
    found: Option<usize>,
}

fn duplicates(text: &str) -> Vec<Duplicate> {
    let mut found: Vec<Duplicate> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let Ok((event, span)) = event else { break };
        let line = u64::try_from(span.start.line()).unwrap_or(u64::MAX);
        match event {
            Event::MappingStart(..) => {
                node(&mut open, None, line, &mut found);
                open.push(Open::Mapping(Mapping::default()));
            }
            Event::SequenceStart(..) => {
                node(&mut open, None, line, &mut found);
                open.push(Open::Sequence);
            }
            Event::MappingEnd | Event::SequenceEnd => {
                open.pop();
            }
            Event::Alias(..) => node(&mut open, None, line, &mut found),
            Event::Scalar(value, ..) => node(&mut open, Some(&value), line, &mut found),
            _ => {}
        }
    }
    found
}

/// Counts a node in the innermost mapping, where keys and values take turns; a key seen before is found.
fn node(open: &mut [Open], scalar: Option<&str>, line: u64, found: &mut Vec<Duplicate>) {
    let Some(Open::Mapping(mapping)) = open.last_mut() else { return };
    let at_key = !mapping.at_value;
    mapping.at_value = at_key;
    if at_key {
        mapping.key = scalar.filter(|key| *key != "<<").map(str::to_owned);
        let seen = mapping.key.clone().filter(|key| mapping.keys.contains_key(key));
        mapping.found = seen.map(|key| {
            found.push(Duplicate { key, line, differs: true });
            found.len() - 1
        });
        return;
    }
    let Some(key) = mapping.key.take() else { return };
    let value = scalar.map(str::to_owned);
    let is_same = mapping.keys.get(&key).is_some_and(|before| before.is_some() && *before == value);
    if let Some(duplicate) = mapping.found.take().and_then(|place| found.get_mut(place)) {
        duplicate.differs = !is_same;
    }
    mapping.keys.insert(key, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_two_equal_keys_wins_and_is_reported() {
        let (map, found) = parse("A: 1\nb:\n  c: x\n  c: y\nlist:\n- k: 1\n- k: 2\n\nA: 3\n").expect("YAML");
        assert_eq!(map["a"], 3);
        assert_eq!(map["b"]["c"], "y");
        let twice = |key: &str, line| Duplicate { key: key.to_owned(), line, differs: true };
        assert_eq!(found, [twice("c", 4), twice("A", 9)]);
        let (_, found) = parse("a: x\na: 'x'\na: {b: 1}\n").expect("YAML");
        assert_eq!(found.iter().map(|found| found.differs).collect::<Vec<_>>(), [false, true]);
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
